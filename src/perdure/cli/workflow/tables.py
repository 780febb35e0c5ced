"""Instances, histories and activities as tables for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from perdure.base.time import is_never
from perdure.cli.times import absolute, ago, clock_time, duration, parse_us
from perdure.cli.workflow.records import Instance
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
_CONTENT_CHARACTERS: Final = 60


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
    """Return a listing; on a wide screen with the last change and the tags as well."""
    wide = columns >= _WIDE_COLUMNS
    table = _plain_table()
    # An id is there to be copied: it is folded rather than cut.
    table.add_column("ID", overflow="fold", min_width=8)
    table.add_column("TYPE", overflow="fold")
    table.add_column("STATUS", no_wrap=True)
    table.add_column("CREATED", no_wrap=not look.utc)
    if wide:
        table.add_column("TOOK", no_wrap=True)
    table.add_column("WAITS FOR", overflow="fold")
    if wide:
        table.add_column("TAGS", overflow="ellipsis", no_wrap=True)
    for each in instances:
        took = "" if each.duration_us is None else duration(each.duration_us)
        tags = " ".join(f"{key}={value}" for key, value in each.tags.items())
        table.add_row(
            each.instance_id,
            each.name,
            status_text(each.status),
            look.moment(each.created_at_us),
            *([took] if wide else []),
            waits_text(each, look),
            *([tags] if wide else []),
        )
    return table


def history_table(events: Sequence[Mapping[str, Any]], look: Look, *, whole: bool) -> Table:
    """Return a history; `whole` keeps the beginnings of turns, and payloads uncut."""
    story = Story(look.utc)
    table = _plain_table()
    table.add_column("EVENT", justify="right", no_wrap=True)
    table.add_column("TIME", no_wrap=True)
    table.add_column("WHAT", no_wrap=True)
    table.add_column("NAME", overflow="fold")
    table.add_column("CONTENT", overflow="fold")
    for event in events:
        name, content = story.subject(event), story.content(event)
        if not whole and not is_told(event):
            continue
        label, style = story.label(event)
        at_us = parse_us(event.get("timestamp"))
        number = event.get("eventID", -1)
        table.add_row(
            str(number) if number >= 0 else "",
            "" if at_us is None else clock_time(at_us, utc=look.utc),
            Text(label, style=style),
            name,
            content if whole else cut(content),
        )
    return table


def activities_table(activities: Sequence[Mapping[str, Any]], look: Look) -> Table:
    """Return the activities of an instance: what is out, for how long, and how often tried."""
    table = _plain_table()
    for heading in ("EVENT", "ACTIVITY", "STATE", "SCHEDULED", "RUNS", "WORKER"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "RUNS" else "left")
    for each in activities:
        state, style = _activity_state(each)
        table.add_row(
            str(each.get("taskID", "")),
            str(each.get("name", "")),
            Text(state, style=style),
            look.moment(parse_us(each.get("scheduledAt"))),
            str(each.get("attempts", "")),
            str(each.get("worker") or ""),
        )
    return table


def _activity_state(activity: Mapping[str, Any]) -> tuple[str, str]:
    state = str(activity.get("state", ""))
    return _ACTIVITY_STATES.get(state, (state.lower(), ""))


def instance_panel(
    instance: Instance, activities: Sequence[Mapping[str, Any]], look: Look
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
        ("id", Text(instance.instance_id, style="bold")),
        ("type", instance.name),
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
        ("tags", "\n".join(f"{key}={value}" for key, value in instance.tags.items())),
        ("history", f"{instance.history_length} events" if instance.history_length else ""),
    ]
    facts += [(key, str(value)) for key, value in (raw.get("properties") or {}).items()]
    payloads = (("custom status", "customStatus"), ("input", "input"), ("output", "output"))
    facts += [(label, pretty(raw[key])) for label, key in payloads if key in raw]
    if instance.failure:
        facts.append(("failure", failure_tree(instance.failure)))
    return facts


def failure_tree(failure: Mapping[str, Any]) -> RenderableType:
    """Return a failure with its stack trace, and what caused it below it."""
    parts: list[RenderableType] = [Text(failure_line(failure), style="red")]
    if trace := failure.get("stackTrace"):
        parts.append(Text(str(trace).rstrip(), style="dim"))
    if inner := failure.get("inner"):
        parts += [Text("caused by", style="dim"), Padding(failure_tree(inner), (0, 0, 0, 2))]
    return Group(*parts)


def pretty(value: object) -> str:
    """Return a payload over several lines if it does not fit on one."""
    line = as_text(value)
    if isinstance(value, str) or len(line) <= _CONTENT_CHARACTERS:
        return line
    return json.dumps(value, indent=2, ensure_ascii=False)


def cut(text: str) -> str:
    """Return a payload short enough for one line of a table."""
    line = " ".join(text.split())
    return line if len(line) <= _CONTENT_CHARACTERS else line[: _CONTENT_CHARACTERS - 1] + "…"


def _plain_table() -> Table:
    return Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
