"""What people see, on a narrow screen and on a wide one."""

import pytest
from rich.console import Console, RenderableType

from perdure.cli.workflow.tables import (
    STATUS_STYLES,
    Look,
    activities_table,
    history_table,
    instance_panel,
    instances_table,
    pretty,
    waits_text,
)
from perdure.core.status import Status
from tests.unit.cli.workflow.examples import HISTORY, LOCAL, UTC, UUID, before, instance


def drawn(what: RenderableType, columns: int) -> list[str]:
    screen = Console(width=columns, force_terminal=False, color_system=None)
    with screen.capture() as capture:
        screen.print(what)
    lines = capture.get().splitlines()
    assert all(len(line) <= columns for line in lines)
    return [line.rstrip() for line in lines]


MANY = [
    instance(),
    instance(instanceID=UUID, workflowName="phone_verification", runtimeStatus="SUSPENDED"),
    instance(
        instanceID="b",
        runtimeStatus="COMPLETED",
        completedAt=before(4),
        waitsFor="nothing",
        tags={"shop": "berlin", "customer": "acme"},
    ),
    instance(instanceID="[red]x[/red]", runtimeStatus="PENDING", waitsFor="turn", startedAt=None),
]


@pytest.mark.parametrize("look", [LOCAL, UTC])
@pytest.mark.parametrize("columns", [80, 120, 10_000])
def test_ids_are_never_cut_and_hold_no_markup(look: Look, columns: int) -> None:
    text = "\n".join(drawn(instances_table(MANY, look, columns), columns))
    assert "order-17" in text
    assert "[red]x[/red]" in text
    assert columns == 80 or UUID in text


def test_a_narrow_listing_says_what_it_waits_for() -> None:
    lines = drawn(instances_table(MANY, LOCAL, 80), 80)
    assert lines[0].split() == ["ID", "TYPE", "STATUS", "AGE", "WAITS", "FOR"]
    assert lines[1].split() == ["order-17", "order", "RUNNING", "2m", "5s", "activity"]
    assert UUID in lines[2]


def test_a_wide_listing_has_tags_and_how_long_it_took() -> None:
    lines = drawn(instances_table(MANY, LOCAL, 120), 120)
    assert lines[0].split()[-2:] == ["TOOK", "TAGS"]
    assert "2m" in lines[3]
    assert "shop=berlin" in lines[3]


def test_utc_shows_times_in_full() -> None:
    text = "\n".join(drawn(instances_table(MANY, UTC, 200), 200))
    assert "2026-01-31 11:57:55Z" in text
    assert "ago" not in text


@pytest.mark.parametrize("columns", [80, 120])
def test_a_step_of_a_history_is_a_line(columns: int) -> None:
    lines = drawn(history_table(HISTORY, UTC, columns, whole=False), columns)
    assert len(lines) == 11 if columns == 120 else len(lines) <= 13
    assert lines[2].split() == ["1", "11:59:50.000Z", "activity", "scheduled", "charge", "null"]
    assert any(line.endswith("…") for line in lines)


def test_a_whole_history_has_everything() -> None:
    lines = drawn(history_table(HISTORY, UTC, 120, whole=True), 120)
    assert "turn" in lines[1]
    assert sum(line.count("n") for line in lines) >= 200
    assert not any("…" in line for line in lines)


def test_an_instance_shows_what_it_has_and_nothing_else() -> None:
    lines = drawn(instance_panel(instance(), [], UTC), 80)
    labels = [line.split("  ")[0] for line in lines]
    assert labels == [
        *("id", "type", "status", "waits for", "created", "started", "last change", "history")
    ]
    assert "activity since 2026-01-31 11:59:40Z (20s ago)" in lines[3]


def test_an_instance_that_failed_shows_why() -> None:
    failed = instance(
        runtimeStatus="FAILED",
        completedAt=before(1),
        input=None,
        failure={
            "type": "ValueError",
            "message": "no parcel",
            "stackTrace": "Traceback\n  File x",
            "inner": {"type": "OSError", "message": "\x1b[2J"},
        },
        properties={"taskQueue": "q"},
        tags={"a": "b"},
        customStatus="packing",
        parentInstanceID="parent",
        version="v2",
    )
    text = "\n".join(drawn(instance_panel(failed, [], LOCAL), 80))
    for part in ("ValueError: no parcel", "  File x", "OSError: \\x1b[2J", "taskQueue", "packing"):
        assert part in text
    for part in ("a=b", "parent", "v2", "input", "null", "2m 3s"):
        assert part in text


def test_activities_show_where_they_are() -> None:
    activities = [
        {"taskID": 1, "name": "reserve", "state": "COMPLETED", "attempts": 1, "worker": "w-1"},
        {"taskID": 2, "name": "charge", "state": "HANDED_OUT", "attempts": 3},
        {"taskID": 3, "name": "ship", "state": "SCHEDULED", "scheduledAt": before(5)},
    ]
    lines = drawn(activities_table(activities, LOCAL), 80)
    assert lines[1].split() == ["1", "reserve", "completed", "1", "w-1"]
    assert lines[2].split() == ["2", "charge", "running", "3"]
    assert "waits for a worker" in lines[3]
    assert "5s ago" in lines[3]
    assert drawn(instance_panel(instance(), activities, LOCAL), 80)[-3:] == lines[1:]


def test_every_status_has_a_colour() -> None:
    assert STATUS_STYLES.keys() == Status.__members__.keys() - {"CONTINUED_AS_NEW"}


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"waitsFor": "timer", "nextWakeAt": before(-90)}, "timer in 1m 30s"),
        ({"waitsFor": "timer", "nextWakeAt": "9999-12-31T00:00:00Z"}, "timer"),
        ({"waitsFor": "event", "nextWakeAt": before(-90)}, "event"),
        ({"runtimeStatus": "COMPLETED", "waitsFor": "nothing"}, ""),
    ],
)
def test_what_it_waits_for(members: dict[str, str], text: str) -> None:
    assert waits_text(instance(**members), LOCAL) == text


def test_a_payload_is_on_one_line_if_it_fits() -> None:
    assert pretty({"a": 1}) == '{"a": 1}'
    assert pretty(["x" * 80]).startswith("[\n")
    assert pretty("x\x07" * 80) == "x\\x07" * 80
