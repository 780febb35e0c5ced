"""The reads of the port, each over one connection that the caller lends."""

from collections.abc import Sequence
from typing import Final

from perdure.core.events import Kind
from perdure.core.views import Wait
from perdure.store.checks import check_loaded
from perdure.store.partitions import Partition
from perdure.store.port import (
    HistoryRow,
    InboxRow,
    LifecycleRow,
    Loaded,
    NoteRow,
    ReadyRow,
    Snapshot,
    TaskRow,
    TimerRow,
    Within,
)
from perdure.store.postgres.connections import Link
from perdure.store.postgres.learning import LIFECYCLE_MARK
from perdure.store.postgres.statements import statements
from perdure.store.records import (
    Row,
    inbox_row_of,
    lifecycle_row_of,
    note_row_of,
    snapshot_of,
    task_row_of,
)

_SQL: Final = statements("reading")
_DUMPED: Final = statements("dumping")
COUNTERS: Final = f"SELECT {statements('learning')['counters']}"
SNAPSHOT_COLUMNS: Final = _SQL["snapshot_columns"]
_ALL_ROWS: Final = None  # of a LIMIT
_MARKS_END: Final = (1 << 63) - 1


async def snapshot(link: Link, instance: str | int) -> Snapshot | None:
    column = "key" if isinstance(instance, int) else "instance_id"
    row = await link.row(f"{SNAPSHOT_COLUMNS} WHERE {column} = $1", instance)
    return None if row is None else snapshot_of(row)


async def load(link: Link, instance: str | int) -> Loaded | None:
    """Return an instance whole; the connection must see one moment."""
    found = await snapshot(link, instance)
    if found is None:
        return None
    rows = await history(link, found.key, 0, _ALL_ROWS)
    loaded = Loaded(found, rows, await _inbox(link, found.key))
    check_loaded(loaded)
    return loaded


async def load_inbox(link: Link, key: int) -> Loaded | None:
    """Return an instance without its history; the connection must see one moment."""
    found = await snapshot(link, key)
    return None if found is None else Loaded(found, (), await _inbox(link, key))


async def history(
    link: Link, key: int, after_seq: int, limit: int | None
) -> tuple[HistoryRow, ...]:
    rows = await link.rows(_SQL["history"], key, after_seq, limit)
    return tuple([HistoryRow(*row) for row in rows])


async def _inbox(link: Link, key: int) -> tuple[InboxRow, ...]:
    return tuple([inbox_row_of(row) for row in await link.rows(_SQL["inbox"], key)])


async def payload_events(link: Link, key: int) -> tuple[bytes | None, bytes | None]:
    """Return the events that hold input and output; the connection must see one moment."""
    asked = (key, int(Kind.EXECUTION_STARTED))
    started = await link.value(_SQL["started_in_history"], *asked)
    if started is None:
        started = await link.value(_SQL["started_in_inbox"], *asked)
    kind, last = await link.row(_SQL["last_in_history"], key) or (None, None)
    return started, last if kind == Kind.EXECUTION_COMPLETED else None


async def ids(link: Link, after_key: int, limit: int) -> tuple[tuple[int, str], ...]:
    rows = await link.rows(_SQL["ids"], after_key, limit)
    return tuple([(key, instance_id) for key, instance_id in rows])


async def children(link: Link, key: int) -> tuple[Snapshot, ...]:
    rows = await link.rows(f"{SNAPSHOT_COLUMNS} {_SQL['children']}", key)
    return tuple([snapshot_of(row) for row in rows])


def _within(name: str, within: Within, columns: tuple[str, str], before: int) -> Row:
    """Return the statement `name`, and the values of its condition on partitions.

    `before` is how many values it has besides. `columns` are those of the app and the number.
    """
    if within is None:
        return (_SQL[name].format(within="TRUE"),)
    condition = _SQL["within"].format(
        app_id=columns[0],
        partition=columns[1],
        apps=f"${before + 1}",
        numbers=f"${before + 2}",
    )
    sql = _SQL[name].format(within=condition)
    return sql, [each.app_id for each in within], [each.number for each in within]


_OF_INSTANCE: Final = ("instances.app_id", "instances.partition")
_OF_TASK: Final = ("tasks.app_id", "tasks.partition")


async def ready(link: Link, after_key: int, limit: int, within: Within) -> tuple[ReadyRow, ...]:
    sql, *asked = _within("ready", within, _OF_INSTANCE, 2)
    return tuple([ReadyRow(*row) for row in await link.rows(sql, after_key, limit, *asked)])


async def terminating(link: Link, within: Within) -> tuple[int, ...]:
    sql, *asked = _within("terminating", within, _OF_INSTANCE, 0)
    return tuple([key for (key,) in await link.rows(sql, *asked)])


async def stuck(link: Link, limit: int) -> tuple[ReadyRow, ...]:
    rows = await link.rows(_SQL["stuck"], Wait.EVENT.value, limit)
    return tuple([ReadyRow(*row) for row in rows])


async def tasks(link: Link, after_row: int, limit: int, within: Within) -> tuple[TaskRow, ...]:
    sql, *asked = _within("tasks", within, _OF_TASK, 2)
    rows = await link.rows(sql, after_row, limit, *asked)
    return tuple([task_row_of(row) for row in rows])


async def tasks_of(link: Link, key: int) -> tuple[TaskRow, ...]:
    return tuple([task_row_of(row) for row in await link.rows(_SQL["tasks_of"], key)])


async def due_timers(link: Link, now_us: int, limit: int, within: Within) -> tuple[TimerRow, ...]:
    if within is None:
        rows = await link.rows(_SQL["due_timers"], now_us, limit)
        return tuple([TimerRow(*row) for row in rows])
    sql, *asked = _within("due_timers_within", within, _OF_INSTANCE, 2)
    rows = await link.rows(sql, now_us, limit, *asked)
    return tuple(
        [
            TimerRow(key, generation, timer_id, fire_at_us, Partition(*where))
            for key, generation, timer_id, fire_at_us, *where in rows
        ]
    )


async def next_timer_us(link: Link, within: Within) -> int | None:
    name = "next_timer" if within is None else "next_timer_within"
    sql, *asked = _within(name, within, _OF_INSTANCE, 0)
    moment: int | None = await link.value(sql, *asked)
    return moment


async def expired(link: Link, phase: int, before_us: int, limit: int) -> tuple[int, ...]:
    rows = await link.rows(_SQL["expired"], phase, before_us, limit)
    return tuple([row[0] for row in rows])


async def oldest_completed_us(link: Link, phase: int) -> int | None:
    moment: int | None = await link.value(_SQL["oldest_completed"], phase)
    return moment


async def counts(link: Link) -> dict[int, int]:
    return {row[0]: row[1] for row in await link.rows(_SQL["counts"])}


async def name_counts(link: Link) -> dict[str, int]:
    return {row[0]: row[1] for row in await link.rows(_SQL["name_counts"])}


async def lifecycle(link: Link, after_seq: int, limit: int) -> tuple[LifecycleRow, ...]:
    """Return rows up to the first that a commit under way may still put something before."""
    given = await link.value(_SQL["lifecycle_given"])
    mark = await link.value(_SQL["lifecycle_marks"], LIFECYCLE_MARK)
    end = min(given, _MARKS_END if mark is None else mark)
    rows = await link.rows(_SQL["lifecycle"], after_seq, end, limit)
    return tuple([lifecycle_row_of(row) for row in rows])


async def note(link: Link, shelf: str, key: str) -> NoteRow | None:
    row = await link.row(_SQL["note"], shelf, key)
    return None if row is None else note_row_of(row)


async def notes(link: Link, shelf: str, after: tuple[int, int], limit: int) -> tuple[NoteRow, ...]:
    return _note_rows(await link.rows(_SQL["notes"], shelf, *after, limit))


async def notes_about(
    link: Link, shelf: str, about: str, after_row: int, limit: int
) -> tuple[NoteRow, ...]:
    return _note_rows(await link.rows(_SQL["notes_about"], shelf, about, after_row, limit))


def _note_rows(rows: Sequence[Row]) -> tuple[NoteRow, ...]:
    return tuple([note_row_of(row) for row in rows])


async def notes_before(
    link: Link, shelf: str, before_us: int, limit: int
) -> tuple[tuple[str, str | None], ...]:
    rows = await link.rows(_SQL["notes_before"], shelf, before_us, limit)
    return tuple([(key, about) for key, about in rows])


async def oldest_note_us(link: Link, shelf: str) -> int | None:
    moment: int | None = await link.value(_SQL["oldest_note"], shelf)
    return moment


async def note_count(link: Link, shelf: str) -> int:
    count: int = await link.value(_SQL["note_count"], shelf)
    return count


async def note_counts(link: Link, shelf: str) -> dict[str, int]:
    return {row[0]: row[1] for row in await link.rows(_SQL["note_counts"], shelf)}


async def dump(link: Link) -> list[Row]:
    """Return every row of every table; the connection must see one moment."""
    found: list[Row] = [("counters", *await link.value(COUNTERS))]
    for row in await link.rows(f"{SNAPSHOT_COLUMNS} ORDER BY key"):
        read = snapshot_of(row)
        flags = (read.suspended, read.held, read.status)
        found.append(("instance", read.key, read.version, *flags, read.identity, read.head))
    for name, sql in _DUMPED.items():
        found += [(name, *row) for row in await link.rows(sql)]
    return found
