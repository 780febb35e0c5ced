"""Everything of one instance as the rows of a dump, table by table."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple
from typing import Final

from perdure.store.memory.shelf import Instance
from perdure.store.port import TaskRow

Rows = Iterator[tuple[object, ...]]


def _instance(each: Instance) -> Rows:
    flags = (each.suspended, each.held, each.status)
    yield ("instance", each.key, each.version, *flags, each.identity, each.head)


def _tags(each: Instance) -> Rows:
    for tag in sorted(each.identity.tags):
        yield ("tag", each.key, *tag)


def _history(each: Instance) -> Rows:
    for row in each.history:
        yield ("history", each.key, *astuple(row))


def _inbox(each: Instance) -> Rows:
    for row in each.inbox:
        yield ("inbox", each.key, row.seq, *astuple(row.add))


def _tasks(each: Instance) -> Rows:
    return _task_rows("task", each.tasks)


def _ended_tasks(each: Instance) -> Rows:
    return _task_rows("ended task", each.ended_tasks)


def _task_rows(name: str, rows: Iterable[TaskRow]) -> Rows:
    for row in sorted(rows, key=lambda row: row.row):
        told = (row.handed_out_at_us, row.worker, row.attempts, row.finished_at_us, row.failed)
        yield (name, row.key, row.row, *astuple(row.add), *told)


def _timers(each: Instance) -> Rows:
    for row in sorted(each.timers, key=lambda row: (row.generation, row.timer_id)):
        yield ("timer", row.key, row.generation, row.timer_id, row.fire_at_us)


DUMPED: Final[tuple[Callable[[Instance], Rows], ...]] = (
    _instance,
    _tags,
    _history,
    _inbox,
    _tasks,
    _ended_tasks,
    _timers,
)
