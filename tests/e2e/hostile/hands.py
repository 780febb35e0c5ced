"""A worker and client in script, and a healthy workflow that goes on whatever happens."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self, TypeAlias

import grpc

from tests.conformance.wire import released
from tests.e2e.serving import HOST, Server

HUB: Final = "/TaskHubSidecarService/"
DAPR: Final = "/dapr.proto.runtime.v1.Dapr/"
DEADLINE_S: Final = 30.0
# Large enough for whatever a test sends, so that it is the server who refuses it.
OPTIONS: Final = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # One connection per channel: a test that spoils its connection spoils nobody else's.
    ("grpc.use_local_subchannel_pool", 1),
]

COMPLETED: Final = 1

Unary: TypeAlias = "grpc.UnaryUnaryMultiCallable[bytes, bytes]"
Streamed: TypeAlias = "grpc.UnaryStreamMultiCallable[bytes, bytes]"
Metadata = tuple[tuple[str, str], ...]

_numbers = itertools.count(1)


def fresh(name: str) -> str:
    """An id that this process has not used."""
    return f"{name}-{next(_numbers)}"


def schedule(action_id: int, name: str, text: str = "1") -> Any:
    action = released.dapr().WorkflowAction(id=action_id)
    action.scheduleTask.name = name
    action.scheduleTask.input.value = text
    return action


def complete(action_id: int, text: str) -> Any:
    action = released.dapr().WorkflowAction(id=action_id)
    action.completeWorkflow.workflowStatus = COMPLETED
    action.completeWorkflow.result.value = text
    return action


class Hands:
    """One channel to a server; with `open` it is a worker too. For one thread."""

    def __init__(self, server: Server, app_id: str, metadata: Metadata = ()) -> None:
        self.family = released.dapr()
        self.channel = grpc.insecure_channel(f"{HOST}:{server.grpc_port}", OPTIONS)
        self._metadata = (("dapr-app-id", app_id), *metadata)
        self.stream: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Go away, with whatever is in hand."""
        if self.stream is not None:
            self.stream.cancel()
        self.channel.close()

    def call(self, path: str, request: Any, timeout_s: float = DEADLINE_S) -> bytes:
        """Call a method with a message or with bytes; raises what it is refused with."""
        data = request if isinstance(request, bytes) else request.SerializeToString()
        unary: Unary = self.channel.unary_unary(path)
        return unary(data, timeout=timeout_s, metadata=self._metadata)

    def hub(self, method: str, request: Any) -> bytes:
        return self.call(HUB + method, request)

    def start(self, instance: str, name: str = "flow", text: str = "1") -> None:
        request = self.family.CreateInstanceRequest(instanceId=instance, name=name)
        request.input.value = text
        self.hub("StartInstance", request)

    # ---- as a worker

    def open(self) -> "Hands":
        """Take work; returns when the server has opened the stream."""
        method: Streamed = self.channel.unary_stream(HUB + "GetWorkItems")
        self.stream = method(b"", metadata=self._metadata, timeout=10 * DEADLINE_S)
        self.stream.initial_metadata()
        return self

    def item(self) -> Any:
        return self.family.WorkItem.FromString(next(self.stream))

    def turn(self) -> Any:
        item = self.item()
        assert item.HasField("workflowRequest"), item
        return item

    def activity(self) -> Any:
        item = self.item()
        assert item.HasField("activityRequest"), item
        return item

    def response(self, item: Any, *actions: Any) -> Any:
        return self.family.WorkflowResponse(
            instanceId=item.workflowRequest.instanceId,
            completionToken=item.completionToken,
            actions=actions,
        )

    def answer(self, item: Any, *actions: Any) -> None:
        self.hub("CompleteOrchestratorTask", self.response(item, *actions))

    def result(self, item: Any, text: str = '"done"') -> None:
        request = item.activityRequest
        response = self.family.ActivityResponse(
            instanceId=request.workflowInstance.instanceId,
            taskId=request.taskId,
            completionToken=item.completionToken,
        )
        response.result.value = text
        self.hub("CompleteActivityTask", response)

    def half(self, instance: str) -> Any:
        """Start a workflow and bring it to where its activity is in hand; return that."""
        self.start(instance)
        self.answer(self.turn(), schedule(1, "act"))
        return self.activity()

    def rest(self, held: Any) -> None:
        """Bring a half-done workflow to its end."""
        self.result(held)
        self.answer(self.turn(), complete(2, '"healthy"'))


def assert_healthy(server: Server, instance: str) -> None:
    """The workflow is done, as one that was never disturbed."""
    assert server.output(instance) == "healthy"
    path = f"/v1.0/workflows/dapr/{instance}/history"
    kinds = [event["type"] for event in json.loads(server.request("GET", path).text)["events"]]
    assert kinds == [
        *("WorkflowStarted", "ExecutionStarted", "TaskScheduled"),
        *("WorkflowStarted", "TaskCompleted", "ExecutionCompleted"),
    ]


@contextmanager
def going_on(server: Server) -> Iterator[Hands]:
    """A workflow that is half done before, and done after; another is done in between by `whole`.

    The process is the same one all the time, and has logged no fault that nobody foresaw.
    """
    pid = server.pid
    with Hands(server, fresh("quiet")) as hands:
        hands.open()
        before = fresh("half")
        held = hands.half(before)
        yield hands
        whole(server, hands)
        hands.rest(held)
        assert_healthy(server, before)
    assert server.pid == pid
    assert server.request("GET", "/v1.0/healthz").status == 204
    assert_nothing_unforeseen(server)


def whole(server: Server, hands: Hands) -> None:
    """Run one workflow from its start to its end."""
    instance = fresh("whole")
    hands.rest(hands.half(instance))
    assert_healthy(server, instance)


def assert_nothing_unforeseen(server: Server) -> None:
    log = server.log.read_text(errors="replace")
    for text in ("Traceback", "a call failed", "never retrieved", "This is a fault of perdure"):
        assert text not in log, log[-6_000:]
