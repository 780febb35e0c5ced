"""Activities as their runner calls them, and what they are told."""

import pickle
from dataclasses import dataclass

import pytest

from perdure.authoring.activities import Activity, ActivityContext
from perdure.authoring.payloads import MARK, Typing, signature_of


@dataclass
class Order:
    item: str


def charge(_ctx: ActivityContext, order: Order) -> str:
    return order.item


def idle(_ctx: ActivityContext) -> None:
    return None


async def late(_ctx: ActivityContext) -> None:
    """Do nothing."""


def activity(function: object, typing: Typing = Typing.FULL) -> Activity:
    assert callable(function)
    return Activity(name="a", function=function, signature=signature_of(function), typing=typing)


def test_the_input_is_made_into_what_the_function_takes() -> None:
    context = ActivityContext("wf", 1)
    text = f'{{"item": "pen", "{MARK}": true}}'
    for typing in Typing:
        assert activity(charge, typing).arguments(context, text) == (context, Order("pen"))
    assert activity(charge).arguments(context, "") == (context, None)
    assert activity(idle).arguments(context, "3") == (context,)


def test_a_result_is_its_text() -> None:
    assert activity(charge).result_text("x") == '"x"'
    assert activity(charge).result_text(None) is None
    with pytest.raises(TypeError, match="not JSON serializable"):
        activity(charge).result_text(object())


async def test_a_coroutine_that_nobody_awaited_is_said_to_be_one() -> None:
    with pytest.raises(RuntimeError, match="returned a coroutine on the sync path"):
        activity(charge).result_text(late(ActivityContext("wf", 1)))


def test_the_key_of_a_call_is_the_same_when_it_is_tried_again() -> None:
    assert ActivityContext("wf", 1, "drawn").idempotency_key == "drawn"
    assert ActivityContext("wf", 3).idempotency_key == "wf:3"


def test_a_context_goes_to_another_process_without_its_wires() -> None:
    context = ActivityContext("wf", 1, "drawn")
    beats: list[object] = []
    context.wire(beats.append, lambda: True)
    context.heartbeat("half")
    assert beats == ["half"]
    assert context.is_cancelled
    sent: ActivityContext = pickle.loads(pickle.dumps(context))  # noqa: S301 - our own bytes
    sent.heartbeat()
    told = (sent.workflow_id, sent.task_id, sent.task_execution_id, sent.is_cancelled)
    assert told == ("wf", 1, "drawn", False)
    assert (sent.orchestration_id, sent.get_inner_context()) == ("wf", sent)
    assert sent.get_propagated_history() is None
    assert len(beats) == 1
