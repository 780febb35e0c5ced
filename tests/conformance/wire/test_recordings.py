"""What a Python 1.18 worker and client were seen to send, byte by byte, and what it is read as."""

from typing import Any, Final

import pytest

from perdure.core.actions import Complete, CreateChild, CreateTimer, Decision, ScheduleTask
from perdure.core.events import EventRaised, Router
from perdure.core.status import Status
from perdure.wire.actions import decision_of, parse_activity_answer, parse_turn_answer
from perdure.wire.events import encode
from perdure.wire.generated import management_pb2 as pb
from perdure.wire.generated.work_pb2 import GetWorkItems, TurnRequest
from perdure.wire.management import keeps_history, parse, speaks_microsoft, takes_pings, text_of
from perdure.wire.work_items import past_field, turn_item
from tests.conformance.wire import released

_TOKEN: Final = b"2f6a1d0c-9a34-4c0f-8f0a-3a1a2b3c4d5e"
_TASK: Final = b"5d1f3a52-52b2-5e8e-9a31-0a7f3e1f7a11"


def field(number: int, content: bytes | int) -> bytes:
    """One field of a message: a varint, or what has a length. Everything here is below 128."""
    if isinstance(content, int):
        return bytes((number << 3, content))
    return bytes((number << 3 | 2, len(content))) + content


def text(number: int, content: bytes) -> bytes:
    """A StringValue; an empty one is there all the same."""
    return field(number, field(1, content) if content else b"")


def decided(*fields: bytes) -> Decision:
    data = field(1, b"i") + b"".join(fields) + field(4, _TOKEN)
    answer = parse_turn_answer(data)
    assert (answer.instance_id, answer.token) == ("i", _TOKEN.decode())
    return decision_of(answer, microsoft=False)


def test_a_worker_opens_its_stream() -> None:
    older, newer = parse(GetWorkItems, b""), parse(GetWorkItems, b"\x22\x02\x03\x02")
    assert not speaks_microsoft(older)
    assert not keeps_history(older)
    assert not speaks_microsoft(newer)
    assert keeps_history(newer)
    assert takes_pings(newer)


def test_a_client_starts_an_instance() -> None:
    """The version is there and empty; without an input there is no input."""
    instance_id = b"0123456789abcdef0123456789abcdef"
    data = b"\x0a\x20" + instance_id + b"\x12\x01w\x1a\x00"
    request = parse(pb.CreateInstanceRequest, data)
    assert request.instance_id == instance_id.decode()
    assert request.name == "w"
    assert text_of(request, "version") == ""
    assert text_of(request, "input") is None
    request = parse(pb.CreateInstanceRequest, data + b"\x22\x04\x0a\x0241")
    assert text_of(request, "input") == "41"


@pytest.mark.parametrize("inner_router", [field(4, b""), b""], ids=["1.18", "1.19"])
def test_a_turn_schedules_an_activity(inner_router: bytes) -> None:
    body = field(1, b"add") + text(3, b"41") + inner_router + field(5, _TASK)
    action = field(1, 1) + field(2, body) + field(9, b"")
    decision = decided(_long(2, action), text(3, b"one"))
    assert decision.custom_status == "one"
    (task,) = decision.actions
    assert isinstance(task, ScheduleTask)
    assert (task.id, task.name, task.input) == (1, "add", "41")
    assert task.execution_id == _TASK.decode()


def test_an_activity_is_done() -> None:
    data = field(1, b"i") + field(2, 1) + text(3, b"42") + field(5, _TOKEN)
    answer = parse_activity_answer(data)
    assert (answer.instance_id, answer.task_id) == ("i", 1)
    assert answer.result.value == "42"
    assert answer.token == _TOKEN.decode()
    assert not answer.HasField("failure")


def test_an_endless_wait_is_a_timer_at_the_end_of_time() -> None:
    # 253402300799 seconds and 999999999 nanoseconds.
    moment = bytes.fromhex("08ff82d1ffaf0710ff93ebdc03")
    body = field(1, moment) + field(4, field(1, b"Go"))
    (timer,) = decided(field(2, field(1, 3) + field(4, body))).actions
    assert isinstance(timer, CreateTimer)
    assert timer.awaited_event == "Go"
    assert timer.fire_at_us == 253_402_300_799_999_999


def test_a_plain_timer() -> None:
    body = field(1, field(1, 100)) + field(3, b"")
    (timer,) = decided(field(2, field(1, 2) + field(4, body))).actions
    assert isinstance(timer, CreateTimer)
    assert (timer.id, timer.fire_at_us, timer.awaited_event) == (2, 100_000_000, None)


def test_a_retry_is_a_timer_and_then_the_same_task_under_a_new_id() -> None:
    timer_body = field(1, field(1, 100)) + field(5, field(1, _TASK))
    task_body = field(1, b"fail") + field(5, _TASK)
    (timer,) = decided(field(2, field(1, 6) + field(4, timer_body))).actions
    (task,) = decided(field(2, field(1, 7) + field(2, task_body))).actions
    assert isinstance(timer, CreateTimer)
    assert _TASK in timer.origin_bytes
    assert isinstance(task, ScheduleTask)
    assert (task.id, task.execution_id) == (7, _TASK.decode())


def test_a_failure_is_kept_as_it_was_sent() -> None:
    failure = field(1, b"ValueError") + field(2, b"nope") + text(3, b"Traceback")
    answer = parse_activity_answer(field(1, b"i") + field(2, 5) + field(4, failure))
    assert answer.failure == failure


def test_a_workflow_completes() -> None:
    body = field(1, 1) + text(2, b'"done"')
    (done,) = decided(field(2, field(1, 8) + field(6, body))).actions
    assert done == Complete(id=8, status=Status.COMPLETED, result='"done"')


def test_a_workflow_continues_as_new_with_unread_events() -> None:
    """They come back with no time: two of them may well be equal."""
    event = b"\x08" + b"\xff" * 9 + b"\x01" + field(2, b"") + b"\x8a\x01\x05" + field(1, b"abc")
    body = field(1, 2) + text(2, b"6") + field(5, event) + field(5, event)
    (done,) = decided(field(2, field(1, 2) + field(6, body))).actions
    assert isinstance(done, Complete)
    assert done.status is Status.CONTINUED_AS_NEW
    assert [event.name for event in done.carryover] == ["abc", "abc"]
    assert [event.at_us for event in done.carryover] == [0, 0]
    assert {event.event_id for event in done.carryover} == {-1}


def test_patches_that_were_consulted() -> None:
    assert decided(field(6, field(1, b"p1"))).patches == ("p1",)
    assert decided().patches == ()


def test_a_child_by_its_own_id() -> None:
    body = field(1, b"i-par:0001") + field(2, b"child")
    (child,) = decided(field(2, field(1, 1) + field(3, body))).actions
    assert isinstance(child, CreateChild)
    assert (child.instance_id, child.name) == ("i-par:0001", "child")


def test_an_activity_of_another_app() -> None:
    route = field(2, b"other")
    body = field(1, b"add") + field(4, route)
    expected = Router("", "other")
    plain = field(1, b"add")
    for task_body, router in ((body, field(9, route)), (body, b""), (plain, field(9, route))):
        (task,) = decided(field(2, field(1, 1) + field(2, task_body) + router)).actions
        assert task.router == expected


def test_a_client_terminates() -> None:
    request = parse(pb.TerminateRequest, field(1, b"i") + text(2, b'"out"') + field(3, 1))
    assert text_of(request, "output") == '"out"'
    assert request.recursive


def test_what_the_server_sends_for_a_turn_is_read_by_the_released_message() -> None:
    """The events are spliced in as bytes; an SDK must find them where it looks."""
    raised = EventRaised(event_id=-1, at_us=1_500_000, name="gO", input='{"a": 1}')
    data = encode(raised)
    item = turn_item(
        TurnRequest(instance_id="i"), past_field(data) * 2, (data, data), _TOKEN.decode()
    )
    work: Any = released.dapr().WorkItem.FromString(item)
    assert work.completionToken == _TOKEN.decode()
    assert work.workflowRequest.instanceId == "i"
    assert len(work.workflowRequest.pastEvents) == len(work.workflowRequest.newEvents) == 2
    event = work.workflowRequest.newEvents[0]
    assert (event.eventRaised.name, event.eventRaised.input.value) == ("gO", '{"a": 1}')
    assert (event.eventId, event.timestamp.seconds, event.timestamp.nanos) == (-1, 1, 500_000_000)


def _long(number: int, content: bytes) -> bytes:
    """A field whose length may need two bytes."""
    low, high = len(content) & 0x7F, len(content) >> 7
    length = bytes((low | 0x80, high)) if high else bytes((low,))
    return bytes((number << 3 | 2,)) + length + content
