"""Decisions as a worker of our own answers them: read again, they are what they were."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from perdure.core import actions as act
from perdure.core.events import EventRaised, Failure, PropagationScope, Router
from perdure.core.status import Status
from perdure.core.tracing import TraceContext
from perdure.wire.actions import decision_of, parse_activity_answer, parse_turn_answer
from perdure.wire.answers import activity_answer, turn_answer
from perdure.wire.fields import failure_bytes
from tests.kit.strategies import decisions

ROUTER = Router("here", "there", "ns")
FAILURE = Failure("ValueError", "no luck", non_retriable=False, stack_trace="there")

WHOLE = act.Decision(
    actions=(
        act.ScheduleTask(
            id=1,
            router=ROUTER,
            name="a",
            version="v",
            input="1",
            execution_id="e",
            scope=PropagationScope.LINEAGE,
        ),
        act.CreateTimer(id=2, fire_at_us=7, name="n", origin=4),
        act.CreateTimer(id=3, fire_at_us=7, origin=5, origin_bytes=b"\n\x01x", awaited_event="x"),
        act.CreateTimer(id=4, fire_at_us=7, origin=6, origin_bytes=b"\n\x01e"),
        act.CreateTimer(id=5, fire_at_us=7, origin=7, origin_bytes=b"\n\x01i"),
        act.CreateChild(
            id=6,
            instance_id="c",
            name="n",
            version="v",
            input="1",
            scope=PropagationScope.OWN_HISTORY,
            retry_of="r",
        ),
        act.CreateDetached(
            id=7,
            router=Router("", "there"),
            instance_id="d",
            name="n",
            version="v",
            input="",
            scheduled_start_us=9,
            tags=(("a", "1"), ("b", "2")),
            trace=TraceContext("1" * 32, "2" * 16),
        ),
        act.SendEvent(id=8, instance_id="o", name="n", input="1"),
        act.Terminate(id=9, instance_id="o", reason="r", recurse=True),
        act.VersionNotAvailable(id=10),
        act.Complete(
            id=11,
            status=Status.FAILED,
            result="1",
            failure=failure_bytes(FAILURE),
            carryover=(EventRaised(at_us=0, name="n", input="1"),),
        ),
    ),
    custom_status="half way",
    patches=("p", "q"),
    version_name="v2",
)


def again(decision: act.Decision) -> act.Decision:
    answer = parse_turn_answer(turn_answer("i", decision, "t"))
    assert (answer.instance_id, answer.token) == ("i", "t")
    return decision_of(answer, microsoft=False)


def test_every_field_of_every_action_comes_back() -> None:
    read = again(WHOLE)
    for before, after in zip(WHOLE.actions, read.actions, strict=True):
        assert after == before
    assert read == WHOLE


@given(decisions(ends=True), st.lists(st.sampled_from(["p", "q", ""]), max_size=2).map(tuple))
def test_any_decision_comes_back(decision: act.Decision, patches: tuple[str, ...]) -> None:
    read = again(replace(decision, patches=patches))
    assert (read.custom_status, read.patches) == (decision.custom_status, patches)
    for before, after in zip(decision.actions, read.actions, strict=True):
        assert _comparable(after) == _comparable(before)


def test_a_result_or_a_failure() -> None:
    returned = parse_activity_answer(activity_answer("i", 3, "t", result="1", failure=None))
    assert (returned.instance_id, returned.task_id, returned.token) == ("i", 3, "t")
    assert returned.result.value == "1"
    nothing = parse_activity_answer(activity_answer("i", 3, "", result=None, failure=None))
    assert not nothing.HasField("result")
    failed = parse_activity_answer(
        activity_answer("i", 3, "t", result=None, failure=failure_bytes(FAILURE))
    )
    assert failed.failure == failure_bytes(FAILURE)


def _comparable(action: act.Action) -> object:
    """What is compared: a timer's origin follows from the event that it bounds."""
    match action:
        case act.CreateTimer():
            return action.id, action.fire_at_us, action.name, action.awaited_event
        case act.Complete():
            carried = [(event.name, event.input) for event in action.carryover]
            return action.status, action.result, failure_bytes(action.failure), carried
        case _:
            return action
