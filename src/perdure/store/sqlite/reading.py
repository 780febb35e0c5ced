"""The reads of the port, each over one connection that the caller lends."""

import sqlite3
from collections.abc import Iterator
from itertools import islice
from typing import Final

from perdure.base.time import LATEST_US
from perdure.core.events import Kind
from perdure.core.views import Wait
from perdure.store.checks import check_loaded
from perdure.store.partitions import partition_of
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
from perdure.store.records import (
    Row,
    inbox_row_of,
    lifecycle_row_of,
    note_row_of,
    snapshot_of,
    task_row_of,
)
from perdure.store.sqlite.statements import statements

_SQL: Final = statements("reading")
_NOTES: Final = statements("noting")
_DUMPED: Final = statements("dumping")
_COUNTERS: Final = statements("writing")["counters"]
SNAPSHOT_COLUMNS: Final = _SQL["snapshot_columns"]
_ALL_ROWS: Final = -1  # of a LIMIT


def snapshot(reader: sqlite3.Connection, instance: str | int) -> Snapshot | None:
    column = "key" if isinstance(instance, int) else "instance_id"
    row = reader.execute(f"{SNAPSHOT_COLUMNS} WHERE {column} = ?", (instance,)).fetchone()
    return None if row is None else snapshot_of(row)


def load(reader: sqlite3.Connection, instance: str | int) -> Loaded | None:
    """Return an instance whole; the connection must see one moment."""
    found = snapshot(reader, instance)
    if found is None:
        return None
    loaded = Loaded(found, history(reader, found.key, 0, _ALL_ROWS), _inbox(reader, found.key))
    check_loaded(loaded)
    return loaded


def load_inbox(reader: sqlite3.Connection, key: int) -> Loaded | None:
    """Return an instance without its history; the connection must see one moment."""
    found = snapshot(reader, key)
    return None if found is None else Loaded(found, (), _inbox(reader, key))


def history(
    reader: sqlite3.Connection, key: int, after_seq: int, limit: int
) -> tuple[HistoryRow, ...]:
    rows = reader.execute(_SQL["history"], (key, after_seq, limit))
    return tuple([HistoryRow(*row) for row in rows])


def _inbox(reader: sqlite3.Connection, key: int) -> tuple[InboxRow, ...]:
    return tuple([inbox_row_of(row) for row in reader.execute(_SQL["inbox"], (key,))])


def payload_events(reader: sqlite3.Connection, key: int) -> tuple[bytes | None, bytes | None]:
    """Return the events that hold input and output; the connection must see one moment."""
    asked = (key, int(Kind.EXECUTION_STARTED))
    started = reader.execute(_SQL["started_in_history"], asked).fetchone()
    started = started or reader.execute(_SQL["started_in_inbox"], asked).fetchone() or (None,)
    kind, last = reader.execute(_SQL["last_in_history"], (key,)).fetchone() or (None, None)
    return started[0], last if kind == Kind.EXECUTION_COMPLETED else None


def ids(reader: sqlite3.Connection, after_key: int, limit: int) -> tuple[tuple[int, str], ...]:
    return tuple(reader.execute(_SQL["ids"], (after_key, limit)).fetchall())


def children(reader: sqlite3.Connection, key: int) -> tuple[Snapshot, ...]:
    rows = reader.execute(f"{SNAPSHOT_COLUMNS} WHERE parent_key = ? ORDER BY key", (key,))
    return tuple([snapshot_of(row) for row in rows])


# Who owns a file owns all of it, so nobody in a hurry asks within partitions. They are told apart
# here, row by row, and as many rows are read as it takes.


def ready(
    reader: sqlite3.Connection, after_key: int, limit: int, within: Within = None
) -> tuple[ReadyRow, ...]:
    asked = (after_key, limit if within is None else _ALL_ROWS)
    rows = (ReadyRow(*row) for row in reader.execute(_SQL["ready"], asked))
    if within is not None:
        rows = (row for row in rows if _is_within(within, row.app_id, row.instance_id))
    return tuple(islice(rows, limit))


def terminating(reader: sqlite3.Connection, within: Within = None) -> tuple[int, ...]:
    keys = [key for (key,) in reader.execute(_SQL["terminating"])]
    if within is not None:
        places = {key: reader.execute(_SQL["place"], (key,)).fetchone() for key in keys}
        keys = [key for key, place in places.items() if place and _is_within(within, *place)]
    return tuple(keys)


def stuck(reader: sqlite3.Connection, limit: int) -> tuple[ReadyRow, ...]:
    asked = (Wait.EVENT.value, limit)
    return tuple([ReadyRow(*row) for row in reader.execute(_SQL["stuck"], asked)])


def tasks(
    reader: sqlite3.Connection, after_row: int, limit: int, within: Within = None
) -> tuple[TaskRow, ...]:
    asked = (after_row, limit if within is None else _ALL_ROWS)
    rows = (task_row_of(row) for row in reader.execute(_SQL["tasks"], asked))
    if within is not None:
        rows = (row for row in rows if _is_within(within, row.add.app_id, row.instance_id))
    return tuple(islice(rows, limit))


def tasks_of(reader: sqlite3.Connection, key: int) -> tuple[TaskRow, ...]:
    return tuple([task_row_of(row) for row in reader.execute(_SQL["tasks_of"], (key,))])


def due_timers(
    reader: sqlite3.Connection, now_us: int, limit: int, within: Within = None
) -> tuple[TimerRow, ...]:
    if within is None:
        rows = reader.execute(_SQL["due_timers"], (now_us, limit))
        return tuple([TimerRow(*row) for row in rows])
    placed = (
        TimerRow(key, generation, timer_id, fire_at_us, partition_of(app_id, instance_id))
        for key, generation, timer_id, fire_at_us, app_id, instance_id in reader.execute(
            _SQL["placed_timers"], (now_us,)
        )
    )
    return tuple(islice((row for row in placed if row.partition in within), limit))


def next_timer_us(reader: sqlite3.Connection, within: Within = None) -> int | None:
    if within is not None:
        first = due_timers(reader, LATEST_US, 1, within)
        return first[0].fire_at_us if first else None
    moment: int | None = reader.execute(_SQL["next_timer"]).fetchone()[0]
    return moment


def _is_within(within: Within, app_id: str, instance_id: str) -> bool:
    return within is None or partition_of(app_id, instance_id) in within


def expired(reader: sqlite3.Connection, phase: int, before_us: int, limit: int) -> tuple[int, ...]:
    rows = reader.execute(_SQL["expired"], (phase, before_us, limit))
    return tuple([row[0] for row in rows])


def oldest_completed_us(reader: sqlite3.Connection, phase: int) -> int | None:
    moment: int | None = reader.execute(_SQL["oldest_completed"], (phase,)).fetchone()[0]
    return moment


def counts(reader: sqlite3.Connection) -> dict[int, int]:
    return dict(reader.execute(_SQL["counts"]))


def name_counts(reader: sqlite3.Connection) -> dict[str, int]:
    return dict(reader.execute(_SQL["name_counts"]))


def lifecycle(reader: sqlite3.Connection, after_seq: int, limit: int) -> tuple[LifecycleRow, ...]:
    rows = reader.execute(_SQL["lifecycle"], (after_seq, limit))
    return tuple([lifecycle_row_of(row) for row in rows])


def note(reader: sqlite3.Connection, shelf: str, key: str) -> NoteRow | None:
    row = reader.execute(_NOTES["note"], (shelf, key)).fetchone()
    return None if row is None else note_row_of(row)


def notes(
    reader: sqlite3.Connection, shelf: str, after: tuple[int, int], limit: int
) -> tuple[NoteRow, ...]:
    rows = reader.execute(_NOTES["notes"], (shelf, *after, limit))
    return tuple([note_row_of(row) for row in rows])


def notes_about(
    reader: sqlite3.Connection, shelf: str, about: str, after_row: int, limit: int
) -> tuple[NoteRow, ...]:
    rows = reader.execute(_NOTES["notes_about"], (shelf, about, after_row, limit))
    return tuple([note_row_of(row) for row in rows])


def notes_before(
    reader: sqlite3.Connection, shelf: str, before_us: int, limit: int
) -> tuple[tuple[str, str | None], ...]:
    rows = reader.execute(_NOTES["notes_before"], (shelf, before_us, limit))
    return tuple([(key, about) for key, about in rows])


def oldest_note_us(reader: sqlite3.Connection, shelf: str) -> int | None:
    moment: int | None = reader.execute(_NOTES["oldest_note"], (shelf,)).fetchone()[0]
    return moment


def note_count(reader: sqlite3.Connection, shelf: str) -> int:
    count: int = reader.execute(_NOTES["note_count"], (shelf,)).fetchone()[0]
    return count


def note_counts(reader: sqlite3.Connection, shelf: str) -> dict[str, int]:
    return dict(reader.execute(_NOTES["note_counts"], (shelf,)))


def dump(reader: sqlite3.Connection) -> Iterator[Row]:
    """Yield every row of every table; the connection must see one moment."""
    yield ("counters", *reader.execute(_COUNTERS).fetchone())
    for row in reader.execute(f"{SNAPSHOT_COLUMNS} ORDER BY key"):
        yield dumped_instance(snapshot_of(row))
    for name, sql in _DUMPED.items():
        for row in reader.execute(sql):
            yield (name, *row)


def dumped_instance(found: Snapshot) -> Row:
    flags = (found.suspended, found.held, found.status)
    return ("instance", found.key, found.version, *flags, found.identity, found.head)
