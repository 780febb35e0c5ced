"""Whole instances as the rows of the tables that they lie in, and back."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple
from typing import Final, TypeVar

from perdure.store.checks import check_whole
from perdure.store.moving import Whole
from perdure.store.port import HistoryRow, Snapshot, TaskRow, TimerAdd
from perdure.store.records import Row, inbox_row_of, task_row_of

TABLES: Final = ("history", "inbox", "tasks", "ended_tasks", "timers")

_Made = TypeVar("_Made")


def wholes_of(read: Iterable[Snapshot], rows: Mapping[str, Iterable[Row]]) -> tuple[Whole, ...]:
    """Return instances with what hangs on them; `rows` has those of each table, in order.

    Rows begin with the instance's key, those of tasks are as `records.task_row_of` takes them.
    """
    history = _by_key(rows["history"], lambda row: (row[0], HistoryRow(*row[1:])))
    inbox = _by_key(rows["inbox"], lambda row: (row[0], inbox_row_of(row[1:])))
    tasks = _by_key(rows["tasks"], lambda row: (row[1], task_row_of(row)))
    ended_tasks = _by_key(rows["ended_tasks"], lambda row: (row[1], task_row_of(row)))
    timers = _by_key(rows["timers"], lambda row: (row[0], TimerAdd(*row[1:])))
    found: list[Whole] = []
    for each in read:
        whole = Whole(
            key=each.key,
            version=each.version,
            identity=each.identity,
            head=each.head,
            suspended=each.suspended,
            held=each.held,
            history=tuple(history[each.key]),
            inbox=tuple(inbox[each.key]),
            tasks=tuple(tasks[each.key]),
            ended_tasks=tuple(ended_tasks[each.key]),
            timers=tuple(timers[each.key]),
        )
        check_whole(whole)
        found.append(whole)
    return tuple(found)


def _by_key(
    rows: Iterable[Row], made_of: Callable[[Row], tuple[int, _Made]]
) -> defaultdict[int, list[_Made]]:
    found: defaultdict[int, list[_Made]] = defaultdict(list)
    for key, made in map(made_of, rows):
        found[key].append(made)
    return found


def task_values(row: TaskRow) -> Row:
    """Return the values of an activity that has not ended, as it is put in."""
    given_out = (row.handed_out_at_us, row.worker, row.attempts)
    return (row.row, row.key, *astuple(row.add), *given_out)


def ended_task_values(row: TaskRow) -> Row:
    """Return the values of an activity that has ended, as it is put in."""
    add = row.add
    named = (add.generation, add.task_id, add.name, add.app_id, add.scheduled_at_us)
    given_out = (row.handed_out_at_us, row.worker, row.attempts)
    return (row.row, row.key, *named, *given_out, row.finished_at_us, row.failed)
