"""One instance as a file: JSON lines that a person can read and another store can take in.

`docs/instance-files.md` describes the format for those who read it with programs of their own.

- The first line says what the file is and tells of the instance in words; nothing of that is read
  back but the format, its version, and whether the file is complete.
- Then one line for each row that the instance has, each naming its table. Events are as they were
  committed, in base64; beside each stands under `shown` what it says, which is not read back.
- The last line has the number of lines between and a digest of all before it, so that a file that
  was cut off or changed is known as such.
"""

import hashlib
import json
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from perdure.base.errors import CallerFault, StoreBroken
from perdure.base.rfc3339 import parse, render
from perdure.core.events import Kind
from perdure.core.status import Status, seen_status
from perdure.moving.records import packed, unpacked
from perdure.store.checks import check_whole
from perdure.store.moving import Whole
from perdure.store.port import HistoryRow, InboxAdd, InboxRow, TaskRow, TimerAdd
from perdure.wire.json_api.history import event_json
from perdure.wire.json_api.text import Json, write

FORMAT: Final = "perdure-instance"
FORMAT_VERSION: Final = 1
SUFFIX: Final = ".perdure.jsonl"

_KIND_NAMES: Final = {int(kind): kind.name for kind in Kind}
_KIND_NUMBERS: Final = {name: number for number, name in _KIND_NAMES.items()}
_ROWS_OF: Final = ("history", "inbox", "tasks", "ended_tasks", "timers")
# A line holds one event, whose size only the message that brought it has bounded.
_LINE_BYTES_MAX: Final = 1 << 30
_SHOWN_CHARACTERS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceFile:
    """What a file holds: an instance, and where it comes from.

    One that is not `complete` was told by a running server, which tells of history alone: it can be
    read, and replayed, and taken in if it has ended.
    """

    whole: Whole
    complete: bool
    exported_at_us: int
    exported_by: str
    source: str


def lines_of(file: InstanceFile) -> Iterator[bytes]:
    """Yield the lines of a file, each with its end."""
    digest = hashlib.sha256()
    count = -1
    for members in _members_of(file):
        line = write(members).encode() + b"\n"
        digest.update(line)
        count += 1
        yield line
    yield write({"table": "end", "rows": count, "sha256": digest.hexdigest()}).encode() + b"\n"


def read_file(path: Path) -> InstanceFile:
    """Return what is in a file. Raises CallerFault, which says what is wrong and where."""
    try:
        with path.open("rb") as opened:
            return read_lines(iter(lambda: opened.readline(_LINE_BYTES_MAX), b""), str(path))
    except OSError as error:
        raise CallerFault(f"{path} cannot be read: {error.strerror}") from error


def read_lines(lines: Iterable[bytes], name: str) -> InstanceFile:
    """Return what the lines of a file hold; `name` is told in complaints."""
    reader = _Reader(name)
    for line in lines:
        reader.take(line)
    return reader.finished()


# ---- writing


def _members_of(file: InstanceFile) -> Iterator[dict[str, Json]]:
    whole = file.whole
    yield {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "exported_at": render(file.exported_at_us),
        "exported_by": file.exported_by,
        "source": file.source,
        "complete": file.complete,
        "instance": _in_words(whole),
    }
    yield {"table": "instance", **packed(whole, without=frozenset(_ROWS_OF))}
    for row in whole.history:
        yield {"table": "history", "seq": row.seq, **_event(row.kind, row.event, row.seq)}
    for each in whole.inbox:
        placed: dict[str, Json] = {"seq": each.seq, "generation": each.add.generation}
        placed["rank"] = each.add.rank
        yield {"table": "inbox", **placed, **_event(each.add.kind, each.add.event, each.seq)}
    for name, tasks in (("tasks", whole.tasks), ("ended_tasks", whole.ended_tasks)):
        for task in tasks:
            yield {"table": name, **packed(task, without=_OF_THE_INSTANCE)}
    for timer in whole.timers:
        yield {"table": "timers", **packed(timer)}


_OF_THE_INSTANCE: Final = frozenset({"key", "instance_id", "suspended"})


def _event(kind: int, event: bytes, seq: int) -> dict[str, Json]:
    encoded = b64encode(event).decode()
    told: dict[str, Json] = {"kind": _KIND_NAMES.get(kind, kind), "event": encoded}
    try:
        told["shown"] = event_json(event, seq)
    except StoreBroken:
        # Bytes that hold no event are taken along all the same; there is nothing to show of them.
        told["shown"] = None
    return told


def _in_words(whole: Whole) -> dict[str, Json]:
    """Return what a person wants to know of an instance before anything else."""
    identity, head = whole.identity, whole.head
    stalled = head.stalled is not None
    status = seen_status(Status(head.phase), suspended=whole.suspended, stalled=stalled)
    words: dict[str, Json | None] = {
        "instance_id": identity.instance_id,
        "name": identity.name,
        "app_id": identity.app_id,
        "status": status.name,
        "created_at": render(head.created_at_us),
        "completed_at": None if head.completed_at_us is None else render(head.completed_at_us),
        "waits_for": None if head.completed_at_us is not None else head.waits_for,
        "parent_id": identity.parent_id,
        "tags": dict(identity.tags) or None,
        "custom_status": head.custom_status,
        "events": len(whole.history),
    }
    return {name: value for name, value in words.items() if value is not None}


# ---- reading


@dataclass(frozen=True, slots=True)
class _Opening:
    """What is read of a first line."""

    complete: bool
    exported_at_us: int
    exported_by: str
    source: str


class _Reader:
    """Takes the lines of a file one by one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._line = 0
        self._digest = hashlib.sha256()
        self._opening: _Opening | None = None
        self._instance: Mapping[str, object] | None = None
        self._rows: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
        self._ended = False

    def take(self, line: bytes) -> None:
        """Take a line. Raises CallerFault if it cannot be what comes next."""
        self._line += 1
        try:
            self._take(_members(line))
        except CallerFault as fault:
            raise CallerFault(f"{self._name}:{self._line}: {fault}") from fault
        self._digest.update(line)

    def _take(self, members: dict[str, object]) -> None:
        table = members.pop("table", None)
        if self._ended:
            raise CallerFault("the file goes on after its end")
        if self._opening is None:
            self._opening = _opening(members)
        elif table == "end":
            self._check_end(members)
        elif self._instance is None:
            if table != "instance":
                raise CallerFault("the line of the instance itself is expected")
            self._instance = members
        elif table in _ROWS_OF:
            self._rows[table].append(members)
        else:
            raise CallerFault(f"there is no table {str(table)[:_SHOWN_CHARACTERS]!r}")

    def _check_end(self, members: Mapping[str, object]) -> None:
        rows, found = self._line - 2, self._digest.hexdigest()
        if members.get("rows") != rows:
            raise CallerFault(f"{members.get('rows')} lines are told, and there are {rows}")
        if members.get("sha256") != found:
            raise CallerFault("the digest is another one: the file was changed")
        self._ended = True

    def finished(self) -> InstanceFile:
        """Return what all the lines said. Raises CallerFault if they are not a whole file."""
        if self._opening is None:
            raise CallerFault(f"{self._name} is empty")
        if not self._ended or self._instance is None:
            raise CallerFault(f"{self._name} is cut off: its last line is missing")
        try:
            whole = self._whole(self._instance)
            check_whole(whole)
        except (CallerFault, AssertionError) as fault:
            raise CallerFault(f"{self._name}: {fault}") from fault
        return InstanceFile(
            whole=whole,
            complete=self._opening.complete,
            exported_at_us=self._opening.exported_at_us,
            exported_by=self._opening.exported_by,
            source=self._opening.source,
        )

    def _whole(self, instance: Mapping[str, object]) -> Whole:
        own = unpacked(Whole, instance, **dict.fromkeys(_ROWS_OF, ()))
        return replace(
            own,
            history=tuple(unpacked(HistoryRow, _kind_read(row)) for row in self._rows["history"]),
            inbox=tuple(map(_inbox_row, self._rows["inbox"])),
            tasks=tuple(_task_row(own, row) for row in self._rows["tasks"]),
            ended_tasks=tuple(_task_row(own, row) for row in self._rows["ended_tasks"]),
            timers=tuple(unpacked(TimerAdd, row) for row in self._rows["timers"]),
        )


def _members(line: bytes) -> dict[str, object]:
    if not line.endswith(b"\n"):
        raise CallerFault("the line has no end: the file is cut off")
    try:
        members = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise CallerFault("the line is no JSON") from error
    if not isinstance(members, dict):
        raise CallerFault("the line is no JSON object")
    return members


def _opening(members: Mapping[str, object]) -> _Opening:
    if members.get("format") != FORMAT:
        raise CallerFault("this is no file of an instance that perdure has exported")
    if members.get("version") != FORMAT_VERSION:
        raise CallerFault(
            f"the file is of version {members.get('version')!r}, and this perdure reads version "
            f"{FORMAT_VERSION}: use the perdure that wrote it, or a later one"
        )
    moment, complete = parse(str(members.get("exported_at"))), members.get("complete")
    if moment is None or not isinstance(complete, bool):
        raise CallerFault("exported_at or complete is missing")
    names = (str(members.get(name, "")) for name in ("exported_by", "source"))
    return _Opening(complete, moment, *names)


def _kind_read(row: Mapping[str, object]) -> dict[str, object]:
    """Return a row of events as the record has it."""
    kind = row.get("kind")
    number = _KIND_NUMBERS.get(kind, kind) if isinstance(kind, str) else kind
    return {name: value for name, value in row.items() if name != "shown"} | {"kind": number}


def _inbox_row(row: Mapping[str, object]) -> InboxRow:
    members = _kind_read(row)
    add = unpacked(InboxAdd, {name: value for name, value in members.items() if name != "seq"})
    return unpacked(InboxRow, {"seq": members.get("seq")}, add=add)


def _task_row(own: Whole, row: Mapping[str, object]) -> TaskRow:
    known = {"key": own.key, "instance_id": own.identity.instance_id, "suspended": own.suspended}
    return unpacked(TaskRow, row, **known)
