"""A history told in words."""

from typing import Any

import pytest

from perdure.cli.workflow.steps import Story, as_text, failure_line, is_told
from perdure.wire.json_api.history import EVENT_TYPES
from tests.unit.cli.workflow.examples import HISTORY, before


def told() -> list[tuple[str, str, str]]:
    story = Story(utc=True)
    return [(story.label(e)[0], story.subject(e), story.content(e)) for e in HISTORY if is_told(e)]


def test_every_step_has_what_it_is_about_and_what_it_carries() -> None:
    note = "n" * 200
    assert told() == [
        ("started", "order", '{"items": 3}'),
        ("activity scheduled", "charge", "null"),
        ("activity failed", "charge", "ValueError: card refused"),
        ("waits for event", "approved", ""),
        ("event raised", "approved", f'{{"by": "anna", "note": "{note}"}}'),
        ("timer set", "for 1.5s", ""),
        ("timer fired", "for 1.5s", ""),
        ("child created", "refund order-17:0004", ""),
        ("child completed", "refund order-17:0004", "\\x1b[31mdone"),
        ("completed", "", "[1, 2]"),
    ]


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_every_kind_of_event_has_words(kind: str) -> None:
    label, _ = Story(utc=True).label({"type": kind})
    assert label != kind
    assert label == label.lower()


def test_a_kind_that_is_not_known_keeps_its_name() -> None:
    story = Story(utc=True)
    event = {"type": "SomethingNew"}
    assert story.label(event) == ("SomethingNew", "")
    assert (story.subject(event), story.content(event)) == ("", "")


@pytest.mark.parametrize(
    ("event", "subject"),
    [
        ({"fireAt": "9999-01-01T00:00:00Z"}, "never"),
        ({"fireAt": "2026-03-01T08:30:00Z"}, "until 2026-03-01 08:30:00Z"),
        ({"fireAt": before(-60)}, "for 1m"),
        ({}, ""),
    ],
)
def test_a_timer_says_for_how_long(event: dict[str, Any], subject: str) -> None:
    event = {"type": "TimerCreated", "eventID": 1, "timestamp": before(0), **event}
    assert Story(utc=True).subject(event) == subject


def test_a_stall_says_why() -> None:
    event = {"type": "ExecutionStalled", "reason": "PATCH_MISMATCH", "description": "no patch p1"}
    assert Story(utc=True).content(event) == "PATCH_MISMATCH no patch p1"


def test_a_result_of_what_was_not_seen_has_no_name() -> None:
    assert Story(utc=True).subject({"type": "TaskCompleted", "taskScheduledID": 9}) == ""


def test_payloads_are_as_they_were_written() -> None:
    assert as_text("ü") == "ü"
    assert as_text(["ü", None]) == '["ü", null]'


def test_a_failure_without_words_is_its_type() -> None:
    assert failure_line({"type": "Timeout"}) == "Timeout"
    assert failure_line({}) == ""
