"""One conversation over gRPC, held with Dapr's sidecar and with perdure alike.

The worker is a script: what it answers to each turn is written here, so that presence and absence
of every field can be told apart. Messages are those of the released protocol, not our own.
"""

import json
import re
import threading
from collections.abc import Callable
from typing import Any, Final

import grpc
from google.protobuf.json_format import MessageToDict

from tests.conformance.wire import released
from tests.e2e.polling import until
from tests.e2e.serving import HOST

DEADLINE_S: Final = 30.0
CALL_DEADLINE_S: Final = 10.0
HUB: Final = "/TaskHubSidecarService/"
DAPR: Final = "/dapr.proto.runtime.v1.Dapr/"
COMPLETED, CONTINUED, FAILED, CANCELED = 1, 2, 3, 4
F: Final = released.dapr()
R: Final = released.runtime()

Script = Callable[[int], Any]
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
# What perdure tells and the sidecar does not; and the router, which each sets where it needs one.
_LEFT_OUT: Final = {
    *("executionId", "completedTimestamp", "parentInstanceId", "parentAppId", "router"),
}


def turn(*actions: Any, status: str | None = None) -> Any:
    """An answer to a turn."""
    answer = F.WorkflowResponse(actions=actions)
    if status is not None:
        answer.customStatus.value = status
    return answer


def ends(status: int = COMPLETED, result: str | None = '"out"') -> Any:
    """The action that ends an instance."""
    action = F.WorkflowAction(id=9)
    action.completeWorkflow.workflowStatus = status
    if result is not None:
        action.completeWorkflow.result.value = result
    if status == FAILED:
        action.completeWorkflow.failureDetails.errorType = "T"
        action.completeWorkflow.failureDetails.errorMessage = "M"
    return action


def calls(name: str) -> Any:
    """The action that calls an activity."""
    action = F.WorkflowAction(id=1)
    action.scheduleTask.name = name
    return action


def begins(instance_id: str, number: int) -> Any:
    """The action that starts a child, which is left to choose an id if none is given."""
    action = F.WorkflowAction(id=number)
    action.createChildWorkflow.name = "w"
    action.createChildWorkflow.instanceId = instance_id
    return action


def _idle(_number: int) -> Any:
    return turn()


def _statuses(number: int) -> Any:
    told = ("one", None, "", "four")
    return turn(status=told[number - 1]) if number <= len(told) else turn(ends())


def _then_ends(first: Any) -> Script:
    return lambda number: first if number == 1 else turn(ends())


# The script of each instance: what its turns are answered with, by their number.
SCRIPTS: Final[dict[str, Script]] = {
    "statuses": _statuses,
    "no-status": _idle,
    "no-result": lambda _: turn(ends(result=None)),
    "empty-result": lambda _: turn(ends(result="")),
    "fails": lambda _: turn(ends(FAILED, None)),
    "fails-with-result": lambda _: turn(ends(FAILED)),
    "canceled": lambda _: turn(ends(CANCELED)),
    "calls": _then_ends(turn(calls("works"))),
    "calls-in-vain": _then_ends(turn(calls("fails"))),
    "calls-for-nothing": _then_ends(turn(calls("nothing"))),
    "parent": _then_ends(turn(begins("child", 1))),
    "child": lambda _: turn(ends()),
    "parent-of-one": _then_ends(turn(begins("", 2))),
    "parent-of-one:0002": lambda _: turn(ends(FAILED, None)),
    "again": lambda number: turn(ends(CONTINUED, '"next"')) if number == 1 else turn(),
}
# Those that are started, with their input.
STARTED: Final[dict[str, str | None]] = {
    **dict.fromkeys(SCRIPTS.keys() - {"child", "parent-of-one:0002"}),
    "no-result": "",
    "canceled": '{"a": 1}',
    "again": '"first"',
}
# Every refusal that a client can meet, by what it asks.
ASKED: Final[dict[str, tuple[str, Any]]] = {
    f"{name} {kind}": (HUB + name, message)
    for kind, given in {"missing": "nobody", "failed": "fails", "running": "no-status"}.items()
    for name, message in {
        "RaiseEvent": F.RaiseEventRequest(instanceId=given, name="e"),
        "SuspendInstance": F.SuspendRequest(instanceId=given),
        "ResumeInstance": F.ResumeRequest(instanceId=given),
        "PurgeInstances": F.PurgeInstancesRequest(instanceId=given),
        "TerminateInstance": F.TerminateRequest(instanceId=given),
    }.items()
    # What is purged is not there for the others.
    if (kind, name) != ("failed", "PurgeInstances")
} | {
    "history of nobody": (HUB + "GetInstanceHistory", F.GetInstanceHistoryRequest(instanceId="no")),
    "rerun of none": (HUB + "RerunWorkflowFromEvent", F.RerunWorkflowFromEventRequest(eventID=1)),
    **{
        f"rerun of {source} from {event} as {new or 'any'}": (
            HUB + "RerunWorkflowFromEvent",
            F.RerunWorkflowFromEventRequest(
                sourceInstanceID=source, eventID=event, newInstanceID=new
            ),
        )
        for source, event, new in (
            ("nobody", 1, None),
            ("calls", 77, None),
            ("calls", 9, None),
            ("calls", 1, "calls"),
            ("calls", 1, "parent"),
            ("child", 9, None),
        )
    },
    "completion of an unknown turn": (
        HUB + "CompleteOrchestratorTask",
        F.WorkflowResponse(instanceId="nobody"),
    ),
    "completion of an unknown activity": (
        HUB + "CompleteActivityTask",
        F.ActivityResponse(instanceId="nobody", taskId=3),
    ),
    "event without a name": (HUB + "RaiseEvent", F.RaiseEventRequest(instanceId="calls")),
    "start without a name": (HUB + "StartInstance", F.CreateInstanceRequest(instanceId="x")),
    "start of an active id": (
        HUB + "StartInstance",
        F.CreateInstanceRequest(instanceId="again", name="w"),
    ),
    **{
        f"{name}{suffix} {what}": (DAPR + name + suffix, message)
        for suffix in ("Beta1", "Alpha1")
        for what, name, message in (
            ("of nobody", "GetWorkflow", R.GetWorkflowRequest(instance_id="nobody")),
            ("of no id", "GetWorkflow", R.GetWorkflowRequest()),
            ("of a failed one", "GetWorkflow", R.GetWorkflowRequest(instance_id="fails")),
            ("by a bad id", "StartWorkflow", R.StartWorkflowRequest(instance_id="a:b")),
            ("of no name", "StartWorkflow", R.StartWorkflowRequest(instance_id="a")),
            (
                "of an active id",
                "StartWorkflow",
                R.StartWorkflowRequest(instance_id="again", workflow_name="w"),
            ),
            ("for nobody", "PauseWorkflow", R.PauseWorkflowRequest(instance_id="nobody")),
            ("for nobody", "ResumeWorkflow", R.ResumeWorkflowRequest(instance_id="nobody")),
            ("for nobody", "TerminateWorkflow", R.TerminateWorkflowRequest(instance_id="nobody")),
            ("for nobody", "PurgeWorkflow", R.PurgeWorkflowRequest(instance_id="nobody")),
            ("of a running one", "PurgeWorkflow", R.PurgeWorkflowRequest(instance_id="again")),
            (
                "for nobody",
                "RaiseEventWorkflow",
                R.RaiseEventWorkflowRequest(instance_id="nobody", event_name="e"),
            ),
            ("of no name", "RaiseEventWorkflow", R.RaiseEventWorkflowRequest(instance_id="again")),
        )
    },
}
REPLIES: Final = {
    "GetWorkflow": R.GetWorkflowResponse,
    "StartWorkflow": R.StartWorkflowResponse,
    "StartInstance": F.CreateInstanceResponse,
}
# After each turn of the one that changes its status.
STATUS_TURNS: Final = 5


class Conversation:
    """The channel, the worker, and how many turns each instance has had."""

    def __init__(self, grpc_port: int) -> None:
        self._channel = grpc.insecure_channel(f"{HOST}:{grpc_port}")
        self._turns: dict[str, int] = {}
        self._changed = threading.Condition()

    def hold(self) -> dict[str, Any]:
        """Hold it, and return every answer by what was asked."""
        opened: Any = self._channel.unary_stream(HUB + "GetWorkItems")
        stream = opened(b"")
        worker = threading.Thread(target=self._work, args=(stream,), daemon=True)
        worker.start()
        try:
            return self._ask()
        finally:
            stream.cancel()
            worker.join(DEADLINE_S)
            self._channel.close()

    def _ask(self) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for instance_id, given in STARTED.items():
            request = F.CreateInstanceRequest(instanceId=instance_id, name="w")
            if given is not None:
                request.input.value = given
            self.call(HUB + "StartInstance", request)
        for number in range(1, STATUS_TURNS + 1):
            self._await_turn("statuses", number)
            told[f"status {number}"] = self._state("statuses", number)
            event = F.RaiseEventRequest(instanceId="statuses", name="e")
            self.call(HUB + "RaiseEvent", event)
        for instance_id in SCRIPTS:
            told[f"state of {instance_id}"] = self._settled(instance_id)
        for instance_id in ("fails", "calls", "calls-in-vain", "calls-for-nothing", "again"):
            request = F.GetInstanceHistoryRequest(instanceId=instance_id)
            told[f"history of {instance_id}"] = self.call(
                HUB + "GetInstanceHistory", request, F.GetInstanceHistoryResponse
            )
        for what, (path, message) in ASKED.items():
            name = path.rpartition("/")[2].removesuffix("Beta1").removesuffix("Alpha1")
            told[what] = self.call(path, message, REPLIES.get(name))
        return told

    def call(self, path: str, message: Any, reply: Any = None) -> Any:
        """Make a call, and return its reply or its refusal as plain values."""
        method: Any = self._channel.unary_unary(path)
        try:
            data = method(message.SerializeToString(), timeout=CALL_DEADLINE_S)
        except grpc.RpcError as error:
            refusal: Any = error
            return refusal.code().name, _plain(refusal.details())
        return "OK", _plain(MessageToDict(reply.FromString(data))) if reply else ""

    def _state(self, instance_id: str, number: int) -> Any:
        """The state once a turn has become durable: its worker is answered before that."""
        ended = number == STATUS_TURNS
        told = ("one", None, None, "four", None)[number - 1]

        def is_durable(state: Any) -> bool:
            now = state[1]["workflowState"]
            return bool(now.get("customStatus") == told and ("output" in now) is ended)

        return self._until(instance_id, is_durable)

    def _settled(self, instance_id: str) -> Any:
        """The state once it is what the instance's script comes to."""
        active = instance_id in {"no-status", "again"}

        def is_settled(state: Any) -> bool:
            now = state[1].get("workflowState", {})
            status = now.get("workflowStatus", "RUNNING")
            known = now.get("input") == '"next"' if instance_id == "again" else now
            ended = status.endswith(("COMPLETED", "FAILED", "CANCELED"))
            return bool(known) and ended is not active

        return self._until(instance_id, is_settled)

    def _until(self, instance_id: str, wanted: Callable[[Any], bool]) -> Any:
        return until(
            lambda: self._get(instance_id),
            # The sidecar refuses while it or its clean-up holds the SQLite file.
            lambda state: state[0] == "OK" and wanted(state),
            deadline_s=DEADLINE_S,
            what=f"{instance_id} is as far as its script brings it",
        )

    def _get(self, instance_id: str) -> Any:
        request = F.GetInstanceRequest(instanceId=instance_id, getInputsAndOutputs=True)
        return self.call(HUB + "GetInstance", request, F.GetInstanceResponse)

    def _await_turn(self, instance_id: str, number: int) -> None:
        with self._changed:
            in_time = self._changed.wait_for(
                lambda: self._turns.get(instance_id, 0) >= number, DEADLINE_S
            )
        assert in_time, f"{instance_id} has had {self._turns}"

    def _work(self, stream: Any) -> None:
        try:
            for data in stream:
                self._do(F.WorkItem.FromString(data))
        except grpc.RpcError as error:
            ended: Any = error
            assert ended.code() is grpc.StatusCode.CANCELLED, ended

    def _do(self, item: Any) -> None:
        if item.HasField("workflowRequest"):
            instance_id = item.workflowRequest.instanceId
            with self._changed:
                number = self._turns[instance_id] = self._turns.get(instance_id, 0) + 1
                self._changed.notify_all()
            answer = F.WorkflowResponse()
            answer.CopyFrom(SCRIPTS.get(instance_id, _idle)(number))
            answer.instanceId, answer.completionToken = instance_id, item.completionToken
            self.call(HUB + "CompleteOrchestratorTask", answer)
            return
        request = item.activityRequest
        done = F.ActivityResponse(
            instanceId=request.workflowInstance.instanceId,
            taskId=request.taskId,
            completionToken=item.completionToken,
        )
        if request.name == "works":
            done.result.value = "42"
        elif request.name == "fails":
            done.failureDetails.errorType = "E"
            done.failureDetails.errorMessage = "no"
        self.call(HUB + "CompleteActivityTask", done)


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: _plain(part) for name, part in value.items() if name not in _LEFT_OUT}
        case list():
            return [_plain(part) for part in value]
        case str():
            return _TIME.sub("(time)", value)
        case _:
            return json.loads(json.dumps(value))
