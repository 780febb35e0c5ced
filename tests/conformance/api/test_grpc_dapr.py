"""dapr.proto.runtime.v1.Dapr: the workflow methods, under all their names."""

import time
from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

import grpc
import pytest

from perdure.base.limits import NAME_BYTES_MAX
from perdure.base.rfc3339 import render
from tests.conformance.api.grpc_door import Door, open_door, refused
from tests.conformance.api.grpc_worker import FAILED, child, complete, worker
from tests.conformance.wire import released

Code = grpc.StatusCode
MISSING: Final = "unable to find workflow with the provided instance ID: nobody"
INNER: Final = "no such instance exists"

_MESSAGES: Final = {
    "Start": ("StartWorkflowRequest", "StartWorkflowResponse"),
    "Get": ("GetWorkflowRequest", "GetWorkflowResponse"),
    "RaiseEvent": ("RaiseEventWorkflowRequest", None),
    "Pause": ("PauseWorkflowRequest", None),
    "Resume": ("ResumeWorkflowRequest", None),
    "Terminate": ("TerminateWorkflowRequest", None),
    "Purge": ("PurgeWorkflowRequest", None),
}


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


async def ask(
    door: Door, verb: str, *, spelling: str = "Beta1", metadata: Any = (), **fields: Any
) -> Any:
    """Call a workflow method; the response, or None where it is empty."""
    family = released.runtime()
    request_name, reply_name = _MESSAGES[verb]
    request = getattr(family, request_name)(**fields)
    reply = getattr(family, reply_name) if reply_name else None
    answer = await door.dapr(f"{verb}Workflow{spelling}", request, reply, metadata)
    if reply is None:
        assert answer == b""
        return None
    return answer


async def status(door: Door, instance_id: str) -> str:
    return str((await ask(door, "Get", instance_id=instance_id)).runtime_status)


async def finished(door: Door, instance_id: str, result: str = '"done"') -> None:
    async with worker(door) as hands:
        await ask(door, "Start", instance_id=instance_id, workflow_name="flow")
        await hands.finish_next(result)
        await door.finished(instance_id)


@pytest.mark.parametrize("spelling", ["", "Beta1", "Alpha1"])
async def test_the_seven_methods_under_each_name(door: Door, spelling: str) -> None:
    async def do(verb: str, **fields: Any) -> Any:
        fields = {"instance_id": "a", "workflow_component": "dapr"} | fields
        return await ask(door, verb, spelling=spelling, **fields)

    assert (await do("Start", workflow_name="flow", input=b"41")).instance_id == "a"
    await do("Pause")
    assert (await do("Get")).runtime_status == "SUSPENDED"
    await do("Resume")
    await do("RaiseEvent", event_name="e", event_data=b"1")
    await do("Terminate")
    assert (await do("Get")).runtime_status == "TERMINATED"
    await do("Purge")
    assert (await do("Get")).runtime_status == ""


# ---- Start


async def test_an_id_is_made_up(door: Door) -> None:
    UUID((await ask(door, "Start", workflow_name="flow")).instance_id)


@pytest.mark.parametrize("instance_id", ["a-b_1", "Ärger", "漢字", "i" * 64, "٣"])
async def test_legal_ids(door: Door, instance_id: str) -> None:
    reply = await ask(door, "Start", instance_id=instance_id, workflow_name="flow")
    assert reply.instance_id == instance_id


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"instance_id": "i" * 65, "workflow_name": "flow"},
            "workflow instance ID exceeds the max length of 64 characters",
        ),
        (
            {"instance_id": "ä" * 33, "workflow_name": "flow"},
            "workflow instance ID exceeds the max length of 64 characters",
        ),
        (
            {"instance_id": "a:b", "workflow_name": "flow"},
            (
                "workflow instance ID 'a:b' is invalid: "
                "only alphanumeric and underscore characters are allowed"
            ),
        ),
        # The order of the checks: length, characters, name.
        (
            {"instance_id": "!" * 65},
            "workflow instance ID exceeds the max length of 64 characters",
        ),
        ({"instance_id": "a b"}, "workflow instance ID 'a b' is invalid"),
        ({"instance_id": "a"}, "workflow name is not configured"),
        ({}, "workflow name is not configured"),
        ({"workflow_name": "n" * (NAME_BYTES_MAX + 1)}, "workflow name is longer than"),
        ({"workflow_name": "dapr"}, "cannot be named 'dapr'"),
        ({"workflow_name": "flow", "input": b"\xff"}, "the payload is not UTF-8 text"),
    ],
)
async def test_what_cannot_be_started(door: Door, fields: Any, text: str) -> None:
    async with refused(Code.INVALID_ARGUMENT, text):
        await ask(door, "Start", **fields)


async def test_the_rule_for_ids_can_be_set() -> None:
    async with open_door(instance_id_bytes_max=5, instance_id_extra_characters=":.") as door:
        await ask(door, "Start", instance_id="a:b.c", workflow_name="flow")
        async with refused(Code.INVALID_ARGUMENT, "max length of 5 characters"):
            await ask(door, "Start", instance_id="abcdef", workflow_name="flow")


async def test_an_active_id_is_taken(door: Door) -> None:
    await ask(door, "Start", instance_id="a", workflow_name="flow")
    text = (
        "error starting workflow 'flow': unable to start workflow: failed to start workflow: "
        "rpc error: code = AlreadyExists desc = an active workflow with ID 'a' already exists"
    )
    async with refused(Code.INTERNAL, text):
        await ask(door, "Start", instance_id="a", workflow_name="flow")


async def test_a_finished_id_is_replaced(door: Door) -> None:
    await finished(door, "a")
    await ask(door, "Start", instance_id="a", workflow_name="again")
    assert (await ask(door, "Get", instance_id="a")).workflow_name == "again"


@pytest.mark.parametrize("data", [b"", b"41"])
async def test_an_input_is_always_there(door: Door, data: bytes) -> None:
    """Dapr makes an absent one an empty one."""
    await ask(door, "Start", instance_id="a", workflow_name="flow", input=data)
    async with worker(door) as hands:
        begun = (await hands.turn()).workflowRequest.newEvents[1].executionStarted
    assert begun.HasField("input")
    assert begun.input.value.encode() == data


async def test_any_component_name_is_taken(door: Door) -> None:
    fields = {"workflow_component": "whatever", "workflow_name": "flow"}
    await ask(door, "Start", instance_id="a", **fields)
    assert await status(door, "a") == "PENDING"


async def test_a_start_time(door: Door) -> None:
    due = render((int(time.time()) + 3_600) * 1_000_000)
    options = {"dapr.workflow.start_time": due}
    await ask(door, "Start", instance_id="later", workflow_name="flow", options=options)
    await ask(door, "Start", instance_id="now", workflow_name="flow", options={"other": "x"})
    async with worker(door) as hands:
        assert (await hands.turn()).workflowRequest.instanceId == "now"
    assert await status(door, "later") == "PENDING"


async def test_a_start_time_that_is_none(door: Door) -> None:
    text = (
        "error starting workflow 'flow': "
        'start times must be in RFC3339 format (e.g. "2009-11-10T23:00:00Z")'
    )
    async with refused(Code.INTERNAL, text):
        options = {"dapr.workflow.start_time": "tomorrow"}
        await ask(door, "Start", workflow_name="flow", options=options)


@pytest.mark.parametrize("spelling", ["", "Beta1", "Alpha1"])
async def test_tags_in_the_metadata(door: Door, spelling: str) -> None:
    metadata = [("dapr-workflow-metadata", "a=1; b=2"), ("dapr-workflow-metadata", "b=3")]
    fields: Any = {"instance_id": "i", "workflow_name": "flow"}
    await ask(door, "Start", spelling=spelling, metadata=metadata, **fields)
    assert dict((await door.state("i")).workflowState.tags) == {"a": "1", "b": "3"}
    metadata = [("dapr-workflow-metadata", "no pair")]
    async with refused(Code.INVALID_ARGUMENT, "is not a key=value pair"):
        await ask(door, "Start", spelling=spelling, metadata=metadata, workflow_name="flow")


# ---- Get


async def test_a_missing_instance_is_its_id(door: Door) -> None:
    reply = await ask(door, "Get", instance_id="nobody")
    assert reply == released.runtime().GetWorkflowResponse(instance_id="nobody")


async def test_what_is_seen_of_an_instance(door: Door) -> None:
    fields: Any = {"workflow_name": "flow", "input": b'"hello"'}
    await ask(door, "Start", instance_id="a", **fields)
    pending = await ask(door, "Get", instance_id="a")
    assert (pending.workflow_name, pending.runtime_status) == ("flow", "PENDING")
    assert dict(pending.properties) == {"dapr.workflow.input": '"hello"'}
    async with worker(door) as hands:
        ending = complete(1, '"out"')
        await hands.answer(await hands.turn(), ending, customStatus={"value": ""})
        await door.finished("a")
    done = await ask(door, "Get", instance_id="a")
    assert (done.instance_id, done.runtime_status) == ("a", "COMPLETED")
    assert done.created_at.ToNanoseconds() == pending.created_at.ToNanoseconds()
    assert done.last_updated_at.ToNanoseconds() >= done.created_at.ToNanoseconds()
    assert dict(done.properties) == {
        "dapr.workflow.input": '"hello"',
        "dapr.workflow.output": '"out"',
    }


@pytest.mark.parametrize("trace", [None, "line 1"])
async def test_a_failure_is_among_the_properties(door: Door, trace: str | None) -> None:
    await ask(door, "Start", instance_id="a", workflow_name="flow")
    ending = complete(1, None, FAILED)
    details = ending.completeWorkflow.failureDetails
    details.errorType, details.errorMessage = "ValueError", "nope"
    expected = {
        "dapr.workflow.input": "",
        "dapr.workflow.failure.error_type": "ValueError",
        "dapr.workflow.failure.error_message": "nope",
    }
    if trace is not None:
        details.stackTrace.value = trace
        expected["dapr.workflow.failure.stack_trace"] = trace
    async with worker(door) as hands:
        await hands.answer(await hands.turn(), ending)
        await door.finished("a")
    reply = await ask(door, "Get", instance_id="a")
    assert reply.runtime_status == "FAILED"
    assert dict(reply.properties) == expected


async def test_a_stalled_one_reads_unknown(door: Door) -> None:
    await ask(door, "Start", instance_id="a", workflow_name="flow")
    action = released.dapr().WorkflowAction(id=0)
    action.workflowVersionNotAvailable.SetInParent()
    async with worker(door) as hands:
        await hands.answer(await hands.turn(), action)
        while (found := await status(door, "a")) != "UNKNOWN":
            assert found in {"PENDING", "RUNNING"}
    async with refused(Code.INTERNAL, "error raising event on workflow 'a'", "is stalled"):
        await ask(door, "RaiseEvent", instance_id="a", event_name="e")
    async with refused(Code.INTERNAL, "orchestration has not yet completed"):
        await ask(door, "Purge", instance_id="a")


# ---- changes


@pytest.mark.parametrize(
    ("verb", "fields", "code", "text"),
    [
        (
            "RaiseEvent",
            {"event_name": "e"},
            Code.INTERNAL,
            (
                "error raising event on workflow 'nobody': "
                f"failed to raise event e on workflow nobody: failed to raise event: {INNER}"
            ),
        ),
        (
            "Pause",
            {},
            Code.INTERNAL,
            (
                "error pausing workflow nobody: failed to pause workflow nobody: "
                f"failed to suspend workflow: {INNER}"
            ),
        ),
        (
            "Resume",
            {},
            Code.INTERNAL,
            (
                "error resuming workflow nobody: failed to resume workflow nobody: "
                f"failed to resume workflow: {INNER}"
            ),
        ),
        ("Terminate", {}, Code.NOT_FOUND, MISSING),
        ("Purge", {}, Code.NOT_FOUND, MISSING),
    ],
)
async def test_changing_a_missing_instance(
    door: Door, verb: str, fields: Any, code: grpc.StatusCode, text: str
) -> None:
    async with refused(code, text):
        await ask(door, verb, instance_id="nobody", **fields)


@pytest.mark.parametrize(
    ("verb", "fields"),
    [("RaiseEvent", {"event_name": "e"}), ("Pause", {}), ("Resume", {}), ("Terminate", {})],
)
async def test_changing_a_finished_instance(door: Door, verb: str, fields: Any) -> None:
    await finished(door, "a")
    before = await ask(door, "Get", instance_id="a")
    await ask(door, verb, instance_id="a", **fields)
    assert await ask(door, "Get", instance_id="a") == before


@pytest.mark.parametrize("verb", ["Get", "RaiseEvent", "Pause", "Resume", "Terminate", "Purge"])
async def test_an_id_is_needed(door: Door, verb: str) -> None:
    async with refused(Code.INVALID_ARGUMENT, "no instance ID was provided"):
        await ask(door, verb)


async def test_an_event_needs_a_name(door: Door) -> None:
    async with refused(Code.INVALID_ARGUMENT, "missing workflow event name"):
        await ask(door, "RaiseEvent", instance_id="a")


async def test_an_event_without_data_has_none(door: Door) -> None:
    await ask(door, "Start", instance_id="a", workflow_name="flow")
    await ask(door, "RaiseEvent", instance_id="a", event_name="e")
    await ask(door, "RaiseEvent", instance_id="a", event_name="f", event_data=b"1")
    async with refused(Code.INVALID_ARGUMENT, "the payload is not UTF-8 text"):
        await ask(door, "RaiseEvent", instance_id="a", event_name="g", event_data=b"\xff")
    async with worker(door) as hands:
        events = [e.eventRaised for e in (await hands.turn()).workflowRequest.newEvents[2:]]
    assert [e.name for e in events] == ["e", "f"]
    assert not events[0].HasField("input")
    assert events[1].input.value == "1"


async def test_terminate_and_purge_reach_the_children(door: Door) -> None:
    await ask(door, "Start", instance_id="a", workflow_name="flow")
    async with worker(door) as hands:
        await hands.answer(await hands.turn(), child(1, "small", "b"))
        await hands.answer(await hands.turn())
    await ask(door, "Terminate", instance_id="a")
    await door.finished("b")
    assert await status(door, "b") == "TERMINATED"
    await ask(door, "Purge", instance_id="a")
    assert [await status(door, each) for each in "ab"] == ["", ""]


async def test_purging_one_that_has_not_finished(door: Door) -> None:
    await ask(door, "Start", instance_id="a", workflow_name="flow")
    text = (
        "error purging workflow a: failed to Purge workflow a: "
        "failed to purge workflow state: orchestration has not yet completed"
    )
    async with refused(Code.INTERNAL, text):
        await ask(door, "Purge", instance_id="a")
