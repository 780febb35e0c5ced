"""Events and work items as bytes: nothing is lost, nothing is changed, nonsense is told as such."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from perdure.base.errors import CallerFault, WorkerFault
from perdure.base.time import LATEST_US
from perdure.core import actions as act
from perdure.core import events as ev
from perdure.core.events import Event, PropagationScope
from perdure.core.kinds import KIND_OF
from perdure.core.status import TERMINAL
from perdure.wire.actions import decision_of, parse_activity_answer, parse_turn_answer
from perdure.wire.encoding import by_message
from perdure.wire.events import decode, encode
from perdure.wire.generated import history_pb2 as history_pb
from perdure.wire.generated import work_pb2 as pb
from perdure.wire.splicing import spliced
from perdure.wire.work_items import (
    activity_item,
    events_of,
    past_field,
    propagated_history,
    turn_item,
    varint,
)
from tests.kit.strategies import events, failures, ids, optional_texts, routers, texts

_STAMP: dict[str, Any] = {
    "at_us": st.integers(0, LATEST_US - 1),
    "event_id": st.integers(-1, 2**31 - 1),
    "router": routers,
}
# What most histories consist of.
PLAIN: dict[type, dict[str, Any]] = {
    ev.WorkflowStarted: _STAMP,
    ev.ExecutionStarted: _STAMP
    | {"name": texts, "instance_id": texts, "execution_id": texts, "version": optional_texts}
    | {"input": optional_texts, "span_id": optional_texts},
    ev.ExecutionCompleted: _STAMP
    | {"status": st.sampled_from(sorted(TERMINAL)), "result": optional_texts}
    | {"failure": failures},
    ev.TaskScheduled: _STAMP
    | {"name": texts, "version": optional_texts, "input": optional_texts, "execution_id": texts},
    ev.TaskCompleted: _STAMP | {"task_id": ids, "result": optional_texts, "execution_id": texts},
    ev.TaskFailed: _STAMP | {"task_id": ids, "failure": failures, "execution_id": texts},
    ev.TimerFired: _STAMP | {"timer_id": ids, "fire_at_us": st.integers(0, LATEST_US - 1)},
    ev.EventRaised: _STAMP | {"name": texts, "input": optional_texts},
}

stored = st.lists(events.map(encode), max_size=5)


@given(events)
def test_decode_of_encode_is_the_event(event: Event) -> None:
    data = encode(event)
    assert decode(data) == event
    assert encode(decode(data)) == data


@settings(max_examples=1_000)
@given(events)
def test_bytes_put_together_are_those_of_the_message(event: Event) -> None:
    data = spliced(event)
    assert data is None or data == by_message(event)


@given(st.one_of([st.builds(kind, **fields) for kind, fields in PLAIN.items()]))
def test_plain_events_are_put_together_from_bytes(event: Event) -> None:
    assert spliced(event) == by_message(event)


@given(events)
def test_the_kind_is_the_number_of_the_field(event: Event) -> None:
    message = history_pb.HistoryEvent.FromString(encode(event))
    name = message.WhichOneof("kind")
    assert name is not None
    number = history_pb.HistoryEvent.DESCRIPTOR.fields_by_name[name].number
    assert number == KIND_OF[type(event)]


@given(stored, stored, texts, texts)
def test_a_spliced_turn_holds_the_stored_bytes(
    past: list[bytes], new: list[bytes], instance_id: str, token: str
) -> None:
    """P7: byte for byte."""
    head = pb.TurnRequest(instance_id=instance_id)
    data = turn_item(head, b"".join(map(past_field, past)), new, token)
    item = pb.WorkItem.FromString(data)
    assert item.token == token
    request = pb.TurnRequest.FromString(item.turn)
    assert request.instance_id == instance_id
    assert list(request.past) == past
    assert list(request.new) == new


@given(stored)
def test_a_run_of_past_events_comes_apart_again(past: list[bytes]) -> None:
    run, ends = bytearray(), []
    for event in past:
        run += past_field(event)
        ends.append(len(run))
    assert events_of(run, ends) == past
    assert events_of(bytes(run), ends) == past


@given(st.integers(0, 2**63), st.binary(max_size=8))
def test_varints_are_those_of_protobuf(number: int, rest: bytes) -> None:
    size = 0
    for shift, byte in enumerate(varint(number) + rest):
        size |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            break
    assert size == number


@given(texts, st.integers(0, 2**31 - 1), texts)
def test_an_activity_item_holds_its_request(name: str, task_id: int, token: str) -> None:
    request = pb.ActivityRequest(name=name, task_id=task_id)
    item = pb.WorkItem.FromString(activity_item(request, token))
    assert (pb.ActivityRequest.FromString(item.activity), item.token) == (request, token)


@given(stored, stored, texts)
def test_histories_handed_down_hold_the_bytes_of_everybody_above(
    own: list[bytes], grandparents: list[bytes], name: str
) -> None:
    above = propagated_history(
        PropagationScope.OWN_HISTORY, pb.PropagatedChunk(events=grandparents), None
    )
    chunk = pb.PropagatedChunk(events=own, workflow_name=name)
    for scope, chunks in (
        (PropagationScope.OWN_HISTORY, [own]),
        (PropagationScope.LINEAGE, [grandparents, own]),
    ):
        data = propagated_history(scope, chunk, above)
        message = pb.PropagatedHistory.FromString(data)
        assert message.scope == scope
        found = [list(pb.PropagatedChunk.FromString(each).events) for each in message.chunks]
        assert found == chunks


@given(st.binary(max_size=40), st.sampled_from([decode, parse_activity_answer]))
def test_garbage_is_the_callers_fault_and_nothing_else(
    data: bytes, read: Callable[[bytes], object]
) -> None:
    with suppress(CallerFault):
        read(data)


@given(st.binary(max_size=60), st.booleans())
def test_garbage_for_an_answer_is_somebodys_fault(data: bytes, microsoft: bool) -> None:
    try:
        decision_of(parse_turn_answer(data), microsoft=microsoft)
    except (CallerFault, WorkerFault):
        return


# The fields that the server passes on unread, each inside an otherwise sound answer.
garbage = st.binary(min_size=1, max_size=12)


PLACES: dict[str, Callable[[pb.Action, bytes], None]] = {
    "route": lambda action, data: setattr(action, "router", data),
    "route of a task": lambda action, data: setattr(action.schedule_task, "router", data),
    "execution id": lambda action, data: setattr(action.schedule_task, "execution_id", data),
    "route of a child": lambda action, data: setattr(action.create_child, "router", data),
    "origin": lambda action, data: setattr(action.create_timer, "plain", data),
    "retried task": lambda action, data: setattr(action.create_timer, "activity_retry", data),
    "retried child": lambda action, data: setattr(action.create_timer, "child_retry", data),
    "carried event": lambda action, data: action.complete.carryover.append(data),
    "failure": lambda action, data: setattr(action.complete, "failure", data),
}


@given(garbage, st.booleans(), st.sampled_from(sorted(PLACES)))
def test_what_is_kept_unread_can_be_read(data: bytes, microsoft: bool, place: str) -> None:
    """Otherwise whoever is sent it later could not read what surrounds it."""
    action = pb.Action(id=1)
    if place == "route":
        action.schedule_task.name = "act"
    PLACES[place](action, data)
    answer = pb.TurnAnswer(actions=[action], version=data)
    try:
        decision = decision_of(answer, microsoft=microsoft)
    except WorkerFault:
        return
    for kept in decision.actions:
        match kept:
            case act.Complete(failure=bytes() as failure):
                history_pb.FailureDetails.FromString(failure)
            case act.CreateTimer(origin_bytes=origin):
                history_pb.EventOrigin.FromString(origin)
            case _:
                pass


@given(garbage)
def test_garbage_for_a_failure_of_an_activity(data: bytes) -> None:
    answer = pb.ActivityAnswer(instance_id="a", failure=data).SerializeToString()
    try:
        kept = parse_activity_answer(answer)
    except CallerFault:
        return
    history_pb.FailureDetails.FromString(kept.failure)
