"""Instances, histories and activities as tables for people."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from perdure.base.time import is_never
from perdure.cli.printable import on_one_line, printable
from perdure.cli.times import absolute, ago, clock_time, duration, parse_us, whole_duration
from perdure.cli.workflow.records import Instance, JsonObject
from perdure.cli.workflow.steps import Story, as_text, failure_line, is_told

STATUS_STYLES: Final = {
    "RUNNING": "cyan",
    "COMPLETED": "green",
    "FAILED": "bold red",
    "CANCELED": "magenta",
    "TERMINATED": "magenta",
    "PENDING": "dim",
    "SUSPENDED": "yellow",
    "STALLED": "bold yellow",
}
_ACTIVITY_STATES: Final = {
    "SCHEDULED": ("waits for a worker", "yellow"),
    "HANDED_OUT": ("running", "cyan"),
    "COMPLETED": ("completed", "green"),
    "FAILED": ("failed", "red"),
}
_WIDE_COLUMNS: Final = 110
_PRETTY_CHARACTERS: Final = 60
_GAP: Final = 2


@dataclass(frozen=True, slots=True)
class Look:
    """How moments are shown: relative to `now_us`, or with `utc` absolute and in UTC."""

    now_us: int
    utc: bool

    def moment(self, at_us: int | None) -> str:
        """Return a moment as a table shows it."""
        if at_us is None:
            return ""
        return absolute(at_us, utc=True) if self.utc else ago(at_us, self.now_us)

    def age(self, at_us: int | None) -> str:
        """Return how long ago a moment was, or the moment if it is to be shown in full."""
        if at_us is None or self.utc:
            return self.moment(at_us)
        return whole_duration(self.now_us - at_us)

    def full_moment(self, at_us: int | None) -> str:
        """Return a moment with its date, and how long ago it was."""
        if at_us is None:
            return ""
        return f"{absolute(at_us, utc=self.utc)} ({ago(at_us, self.now_us)})"


def status_text(status: str) -> Text:
    """Return a status in its colour."""
    return Text(status, style=STATUS_STYLES.get(status, ""))


def waits_text(instance: Instance, look: Look) -> str:
    """Return what an instance waits for, and when its next timer fires."""
    if instance.is_finished:
        return ""
    wake_us = instance.next_wake_us
    if instance.waits_for in {"timer", "start time"} and wake_us and not is_never(wake_us):
        return f"{instance.waits_for} {look.moment(wake_us)}"
    return instance.waits_for


def instances_table(instances: Sequence[Instance], look: Look, columns: int) -> Table:
    """Return a listing; on a wide screen with the tags and how long each took as well."""
    wide = columns >= _WIDE_COLUMNS
    headings = ["ID", "TYPE", "STATUS", "CREATED" if look.utc else "AGE", "WAITS FOR"]
    # An id is there to be copied: it is the last to be folded.
    yielding = [(4, 11), (3, 10), (1, 8), (0, 16)]
    if wide:
        headings += ["TOOK", "TAGS"]
        yielding = [(6, 16), *yielding]
    rows = [_instance_cells(each, look, wide=wide) for each in instances]
    return _fitted_table(headings, rows, columns, yielding)


def _instance_cells(instance: Instance, look: Look, *, wide: bool) -> list[Text]:
    cells = [
        Text(printable(instance.instance_id)),
        Text(printable(instance.name)),
        status_text(instance.status),
        Text(look.age(instance.created_at_us)),
        Text(waits_text(instance, look)),
    ]
    if wide:
        took = "" if instance.duration_us is None else duration(instance.duration_us)
        cells += [Text(took), Text(" ".join(_tag_lines(instance)))]
    return cells


def history_table(events: Sequence[JsonObject], look: Look, columns: int, *, whole: bool) -> Table:
    """Return a history; `whole` keeps the beginnings of turns, and payloads uncut.

    Otherwise a step is one line if its name is of ordinary length: the payload gives way.
    """
    story = Story(look.utc)
    rows: list[list[Text]] = []
    for event in events:
        # A step that is not shown may be referred to by one that is.
        name, content = story.subject(event), story.content(event)
        if whole or is_told(event):
            label, style = story.label(event)
            at_us, number = parse_us(event.get("timestamp")), event.get("eventID", -1)
            time = "" if at_us is None else clock_time(at_us, utc=look.utc)
            told = content if whole else on_one_line(content)
            cells = [str(number) if number >= 0 else "", time, label, name, told]
            rows.append([Text(cell, style=style if cell is label else "") for cell in cells])
    return _fitted_table(
        ["EVENT", "TIME", "WHAT", "NAME", "CONTENT"],
        rows,
        columns,
        [(4, 20), (3, 14), (2, 10)],
        cut_last=not whole,
    )


def _fitted_table(
    headings: Sequence[str],
    rows: Sequence[Sequence[Text]],
    columns: int,
    yielding: Sequence[tuple[int, int]],
    *,
    cut_last: bool = False,
) -> Table:
    """Return a table that fits a screen of so many columns.

    What is too wide gives way in the order of `yielding`, each column down to its width there.
    """
    widths = [
        max(len(heading), *(row[n].cell_len for row in rows), 0)
        for n, heading in enumerate(headings)
    ]
    for n, least in yielding:
        excess = sum(widths) + _GAP * (len(widths) - 1) - columns
        if excess > 0 and widths[n] > least:
            widths[n] = max(least, widths[n] - excess)
    table = _plain_table()
    last = len(headings) - 1
    for n, heading in enumerate(headings):
        is_cut = cut_last and n == last
        table.add_column(
            heading,
            width=widths[n],
            justify="right" if heading == "EVENT" else "left",
            overflow="ellipsis" if is_cut else "fold",
            no_wrap=is_cut,
        )
    for row in rows:
        table.add_row(*row)
    return table


def activities_table(activities: Sequence[JsonObject], look: Look) -> Table:
    """Return the activities of an instance: what is out, for how long, and how often tried."""
    table = _plain_table()
    for heading in ("EVENT", "ACTIVITY", "STATE", "SCHEDULED", "RUNS", "WORKER"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "RUNS" else "left")
    for each in activities:
        state, style = _activity_state(each)
        table.add_row(
            str(each.get("taskID", "")),
            printable(str(each.get("name", ""))),
            Text(state, style=style),
            look.moment(parse_us(each.get("scheduledAt"))),
            str(each.get("attempts", "")),
            printable(str(each.get("worker") or "")),
        )
    return table


def _activity_state(activity: JsonObject) -> tuple[str, str]:
    state = str(activity.get("state", ""))
    return _ACTIVITY_STATES.get(state, (state.lower(), ""))


def instance_panel(
    instance: Instance, activities: Sequence[JsonObject], look: Look
) -> RenderableType:
    """Return everything about one instance that a person wants to see at once."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in _facts(instance, look):
        if value:
            grid.add_row(label, value)
    parts: list[RenderableType] = [grid]
    if activities:
        parts += [Text("\nactivities", style="dim"), activities_table(activities, look)]
    return Group(*parts)


def _facts(instance: Instance, look: Look) -> list[tuple[str, RenderableType]]:
    raw = instance.raw
    took = "" if instance.duration_us is None else duration(instance.duration_us)
    since = look.full_moment(instance.waits_since_us)
    waits = waits_text(instance, look)
    facts: list[tuple[str, RenderableType]] = [
        ("id", Text(printable(instance.instance_id), style="bold")),
        ("type", printable(instance.name)),
        ("version", str(raw.get("version") or "")),
        ("status", status_text(instance.status)),
        ("waits for", f"{waits} since {since}" if waits and since else waits),
        ("created", look.full_moment(instance.created_at_us)),
        ("started", look.full_moment(instance.started_at_us)),
        ("last change", look.full_moment(instance.updated_at_us)),
        ("starts", look.full_moment(parse_us(raw.get("scheduledStartAt")))),
        ("ended", look.full_moment(instance.completed_at_us)),
        ("took", took),
        ("parent", instance.parent_id),
        ("tags", "\n".join(_tag_lines(instance))),
        ("history", f"{instance.history_length} events" if instance.history_length else ""),
    ]
    properties = (raw.get("properties") or {}).items()
    facts += [(printable(key), as_text(value)) for key, value in properties]
    payloads = (("custom status", "customStatus"), ("input", "input"), ("output", "output"))
    facts += [(label, pretty(raw[key])) for label, key in payloads if key in raw]
    if instance.failure:
        facts.append(("failure", failure_tree(instance.failure)))
    return facts


def _tag_lines(instance: Instance) -> list[str]:
    return [printable(f"{key}={value}") for key, value in instance.tags.items()]


def failure_tree(failure: JsonObject) -> RenderableType:
    """Return a failure with its stack trace, and what caused it below it."""
    parts: list[RenderableType] = [Text(failure_line(failure), style="red")]
    if trace := failure.get("stackTrace"):
        parts.append(Text(printable(str(trace).rstrip()), style="dim"))
    if inner := failure.get("inner"):
        parts += [Text("caused by", style="dim"), Padding(failure_tree(inner), (0, 0, 0, 2))]
    return Group(*parts)


def pretty(value: object) -> str:
    """Return a payload over several lines if it does not fit on one."""
    line = as_text(value)
    if isinstance(value, str) or len(line) <= _PRETTY_CHARACTERS:
        return line
    return printable(json.dumps(value, indent=2, ensure_ascii=False))


def _plain_table() -> Table:
    return Table(box=None, padding=(0, _GAP, 0, 0), header_style="dim", pad_edge=False)
