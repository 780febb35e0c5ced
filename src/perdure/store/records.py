"""Rows of the tables as records of the port, and back."""

import json
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

from perdure.store.port import (
    Birth,
    Head,
    Identity,
    InboxAdd,
    InboxRow,
    LifecycleAdd,
    LifecycleRow,
    NoteRow,
    Snapshot,
    TaskAdd,
    TaskRow,
)

Row = tuple[Any, ...]  # as a database gives and takes it

_identity_values: Final[Callable[[Identity], Row]] = attrgetter(
    "instance_id", "name", "app_id", "execution_id", "version", "born_at_us",
    "scheduled_start_us", "parent_key", "parent_id", "parent_app_id", "parent_generation",
    "parent_task_id",
)  # fmt: skip
_head_values: Final[Callable[[Head], Row]] = attrgetter(
    "phase", "generation", "started_at_us", "updated_at_us", "custom_status", "stalled",
    "waits_for", "waits_since_us", "next_wake_us", "history_length", "history_bytes",
    "version_name",
)  # fmt: skip


def head_row(version: int, head: Head) -> Row:
    """Return the values of `update_head` before its key."""
    return (version, *_head_values(head), json.dumps(head.patches) if head.patches else None)


def birth_row(key: int, birth: Birth, written: Row, head: Head, flags: tuple[int, int]) -> Row:
    """Return the values of `insert_instance`; `written` is the `head_row` of `head`."""
    tags = json.dumps(birth.identity.tags) if birth.identity.tags else None
    moments = (head.created_at_us, head.completed_at_us)
    return (key, *_identity_values(birth.identity), tags, *written, *moments, *flags)


def snapshot_of(row: Row) -> Snapshot:
    """Return the record of a row of `snapshot_columns`."""
    tags, patches = row[18], row[34]
    identity = Identity(
        instance_id=row[6],
        name=row[7],
        app_id=row[8],
        execution_id=row[9],
        version=row[10],
        born_at_us=row[11],
        scheduled_start_us=row[12],
        parent_key=row[13],
        parent_id=row[14],
        parent_app_id=row[15],
        parent_generation=row[16],
        parent_task_id=row[17],
        tags=() if tags is None else tuple((tag, value) for tag, value in json.loads(tags)),
        propagated=row[19],
    )
    head = Head(
        phase=row[20],
        generation=row[21],
        created_at_us=row[22],
        started_at_us=row[23],
        updated_at_us=row[24],
        completed_at_us=row[25],
        custom_status=row[26],
        stalled=row[27],
        waits_for=row[28],
        waits_since_us=row[29],
        next_wake_us=row[30],
        history_length=row[31],
        history_bytes=row[32],
        version_name=row[33],
        patches=() if patches is None else tuple(json.loads(patches)),
    )
    return Snapshot(
        key=row[0],
        version=row[1],
        identity=identity,
        head=head,
        suspended=bool(row[2]),
        held=bool(row[3]),
        status=row[4],
        inbox_length=row[5],
    )


def inbox_row_of(row: Row) -> InboxRow:
    """Return the record of a row of `inbox`."""
    return InboxRow(row[0], InboxAdd(*row[1:]))


def task_row_of(row: Row) -> TaskRow:
    """Return the record of a row of `tasks` or `tasks_of`."""
    return TaskRow(
        row=row[0],
        key=row[1],
        instance_id=row[2],
        suspended=bool(row[3]),
        add=TaskAdd(*row[4:11]),
        handed_out_at_us=row[11],
        worker=row[12],
        attempts=row[13],
        finished_at_us=row[14],
        failed=bool(row[15]),
    )


def lifecycle_row_of(row: Row) -> LifecycleRow:
    """Return the record of a row of `lifecycle`."""
    seq, key, kind, at_us, instance_id, name = row
    return LifecycleRow(seq, key, LifecycleAdd(kind, at_us, instance_id, name))


def note_row_of(row: Row) -> NoteRow:
    """Return the record of a row of `notes`."""
    note_row, shelf, key, at_us, body, about = row
    return NoteRow(row=note_row, shelf=shelf, key=key, at_us=at_us, body=body, about=about)
