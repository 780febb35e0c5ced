"""What a run is begun with comes out as it went in, whoever began it."""

import json
from dataclasses import replace

import pytest
from temporalio.common import RawValue

from perdure.bridge.envelope import (
    APP_ID,
    Begun,
    arguments_of_renewal,
    arguments_of_start,
    begun_of,
    queue_of,
)
from perdure.bridge.instance import Instance, Item
from perdure.bridge.past import Past
from perdure.bridge.texts import PAYLOAD_BYTES_MAX, raw_text, text_of
from perdure.core.events import Event, EventRaised, ExecutionStarted, TaskScheduled, WorkflowStarted
from perdure.core.state import blank, fold
from perdure.wire.events import encode

STARTED = ExecutionStarted(
    at_us=1, name="w", instance_id="i", execution_id="e", input='{"n":  1}', tags=(("a", "b"),)
)


def read(arguments: list[RawValue], at_us: int = 9) -> Begun:
    return begun_of("i", "w", "run", arguments, at_us)


def test_a_start_is_read_as_it_was_written() -> None:
    arguments = arguments_of_start(STARTED, "app", APP_ID, b"propagated")
    assert text_of(arguments[0].payload) == '{"n":  1}'
    begun = read(arguments)
    assert [item.event for item in begun.instance.inbox] == [STARTED]
    assert begun.instance.app_id == "app"
    assert begun.instance.propagated == b"propagated"
    assert (begun.suspended, begun.created_us, begun.queues) == (False, 1, APP_ID)


def test_a_renewal_carries_all_that_is_known() -> None:
    history: list[Event] = [
        WorkflowStarted(at_us=2),
        STARTED,
        TaskScheduled(at_us=3, event_id=1, name="a"),
    ]
    unread = EventRaised(at_us=4, name="unread", input="2")
    instance = Instance(
        "i",
        "app",
        state=fold(blank(3), history),
        past=Past(map(encode, history)),
        inbox=[Item(unread, encode(unread)), Item(unread, encode(unread), 3)],
    )
    instance.custom_status = "half"
    arguments = arguments_of_renewal(
        Begun(instance=instance, suspended=True, created_us=7, queues="q")
    )
    assert arguments is not None
    begun = read(arguments)
    found = begun.instance
    assert found.state == instance.state
    assert found.past.events() == instance.past.events()
    assert found.inbox == instance.inbox
    assert (found.custom_status, found.input) == ("half", '{"n":  1}')
    assert (begun.suspended, begun.created_us, begun.queues) == (True, 7, "q")


def test_what_temporal_cannot_carry_is_no_renewal() -> None:
    large = replace(STARTED, input="x" * PAYLOAD_BYTES_MAX)
    instance = Instance("i", "app", state=blank(), past=Past(), inbox=[Item(large, encode(large))])
    begun = Begun(instance=instance, suspended=False, created_us=1, queues=APP_ID)
    assert arguments_of_renewal(begun) is None


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], None),
        ([raw_text("5")], "5"),
        ([raw_text("5"), raw_text("6")], "5"),
        ([raw_text("5"), raw_text('{"not": "ours"}')], "5"),
        ([raw_text("5"), raw_text("no JSON at all")], "5"),
    ],
)
def test_a_run_of_temporals_own_tools_begins_with_its_first_argument(
    arguments: list[RawValue], text: str | None
) -> None:
    begun = read(arguments)
    started = begun.instance.start
    assert started == ExecutionStarted(
        at_us=9, name="w", instance_id="i", execution_id="run", input=text
    )
    assert begun.instance.app_id == ""


def test_another_format_is_told() -> None:
    arguments = [raw_text("1"), raw_text(json.dumps({"perdure": 99}))]
    with pytest.raises(ValueError, match="another version of perdure: 99"):
        read(arguments)


def test_a_queue_is_the_apps_or_the_one_for_all() -> None:
    assert queue_of("{app_id}", "shop") == "shop"
    assert queue_of("dapr-{app_id}", "shop") == "dapr-shop"
    assert queue_of("all", "shop") == "all"
