"""What a commit has to know before its entries are applied, read for all of them at once.

First the rows of all instances that they name are locked, in the order of their keys; whoever else
would change something of these waits. Then one more statement asks for all the rest. It sees what
those did who were waited for, since a statement of a transaction (READ COMMITTED) sees what was
committed when it began.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from perdure.store.gathering import Known, Name
from perdure.store.leases import Term
from perdure.store.partitions import Partition
from perdure.store.port import Entry
from perdure.store.postgres.composing import Part, asked_at_once
from perdure.store.postgres.connections import Link
from perdure.store.postgres.leasing import term_columns
from perdure.store.postgres.noting import NoteName
from perdure.store.postgres.numbering import KINDS
from perdure.store.postgres.statements import statements
from perdure.store.records import Row

T = TypeVar("T")

_SQL: Final = statements("learning")
# Lies beneath the numbers of the advisory locks that mark the lifecycle table (`horizon`).
LIFECYCLE_MARK: Final = 0x7064 << 48


class Overtaken(Exception):
    """Others have changed what was read before it was locked."""


Place = tuple[str, int]  # the app of an instance, and the number of its partition


@dataclass(slots=True)
class Asked:
    """What the entries of a commit name."""

    keys: set[int] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    tasks: dict[Name, None] = field(default_factory=dict)
    timers: dict[Name, None] = field(default_factory=dict)
    notes: dict[NoteName, None] = field(default_factory=dict)
    terms: dict[Term, None] = field(default_factory=dict)
    tells_lifecycle: bool = False

    def take(self, entry: Entry) -> None:
        """Take in what an entry names."""
        if entry.key is not None:
            self._take_own(entry.key, entry)
        self.ids.update([birth.identity.instance_id for birth in entry.births])
        for message in entry.messages:
            if isinstance(message.to, int):
                self.keys.add(message.to)
            else:
                self.ids.add(message.to)
        if entry.notes or entry.ended_notes:
            self.notes |= dict.fromkeys([(note.shelf, note.key) for note in entry.notes])
            self.notes |= dict.fromkeys([(note.shelf, note.key) for note in entry.ended_notes])
        if entry.term is not None:
            self.terms[entry.term] = None
        self.tells_lifecycle = bool(self.tells_lifecycle or entry.lifecycle or entry.epitaph)

    def _take_own(self, key: int, entry: Entry) -> None:
        self.keys.add(key)
        for end in entry.ended_tasks:
            self.tasks[key, end.generation, end.task_id] = None
        for note in entry.handed_out:
            self.tasks[key, note.generation, note.task_id] = None
        for timer in entry.ended_timers:
            self.timers[key, timer.generation, timer.timer_id] = None
        # That none of these is open yet is asserted.
        self.tasks |= dict.fromkeys([(key, add.generation, add.task_id) for add in entry.tasks])
        self.timers |= dict.fromkeys([(key, add.generation, add.timer_id) for add in entry.timers])


@dataclass(slots=True, kw_only=True)
class Learned:
    """What is known by then."""

    rows: Sequence[Row]  # of instances, as `Known` takes them
    bearers: dict[str, int]
    places: dict[int, Place]
    open_tasks: Sequence[Name] = ()
    open_timers: Sequence[Name] = ()
    notes: frozenset[NoteName] = frozenset()
    terms: frozenset[Term] = frozenset()
    counters: Sequence[int] = ()

    def instances(self) -> dict[int, Known]:
        """Return what is known of each instance, nothing of it changed yet."""
        return {row[0]: Known(*row) for row in self.rows}


async def learn(link: Link, entries: Iterable[Entry]) -> Learned:
    """Lock and read, in a transaction that has begun. Raises Overtaken if it has to begin anew."""
    asked = Asked()
    for entry in entries:
        asked.take(entry)
    learned = await _lock(link, asked)
    free = [each for each in asked.ids if each not in learned.bearers]
    found = await _answers(link, list(_questions(asked, free)))
    if found.get("born"):
        raise Overtaken
    learned.counters = found["counters"]
    learned.open_tasks = _named(asked.tasks, found.get("open_tasks", ()))
    learned.open_timers = _named(asked.timers, found.get("open_timers", ()))
    learned.notes = frozenset(_named(asked.notes, found.get("notes", ())))
    learned.terms = frozenset(_named(_in_order(asked.terms), found.get("terms", ())))
    return learned


def _questions(asked: Asked, free: list[str]) -> Iterator[Part]:
    """Yield what is asked once the instances are locked, of which `free` ids have no bearer."""
    yield Part("counters", _SQL["counters"])
    if free:
        yield Part("born", _SQL["born"], (free,))
    for name, named in (("open_tasks", asked.tasks), ("open_timers", asked.timers)):
        if named:
            yield Part(name, _SQL[name], _columns(named))
    if asked.notes:
        yield Part("notes", _SQL["notes"], _columns(asked.notes))
    if asked.terms:
        yield Part("terms", _SQL["terms"], tuple(term_columns(asked.terms)))
    if asked.tells_lifecycle:
        yield Part("lifecycle_mark", _SQL["lifecycle_mark"], (LIFECYCLE_MARK,))


def _in_order(terms: Iterable[Term]) -> list[Term]:
    """Return terms as `term_columns` orders them."""
    return sorted(terms, key=lambda term: term.partition)


async def tasks_of_all(link: Link, keys: Iterable[int]) -> list[tuple[Name, str]]:
    """Return the activities of some instances that have not ended, and who runs each."""
    rows = await link.rows(_SQL["tasks_of_all"], list(keys))
    return [((key, generation, task_id), app_id) for key, generation, task_id, app_id in rows]


async def drawn(
    link: Link, needed: Sequence[int], held: Sequence[Term]
) -> tuple[list[Sequence[int]], set[Partition]]:
    """Return new numbers, as many of each kind as are needed, and where the terms still run."""
    parts = [
        Part(name, _SQL[name], (count,)) for name, count in zip(KINDS, needed, strict=True) if count
    ]
    ordered = _in_order(held)
    if ordered:
        parts.append(Part("held", _SQL["held"], tuple(term_columns(ordered))))
    if not parts:
        return [()] * len(KINDS), set()
    found = await _answers(link, parts)
    running = _named(ordered, found.get("held", ()))
    return [found.get(name, ()) for name in KINDS], {term.partition for term in running}


async def _lock(link: Link, asked: Asked) -> Learned:
    learned = Learned(rows=(), bearers={}, places={})
    if asked.keys or asked.ids:
        ids = list(asked.ids)
        rows = await link.rows(_SQL["lock_instances"], list(asked.keys), ids)
        learned.rows = [row[:6] for row in rows]
        learned.places = {row[0]: (row[8], row[6]) for row in rows}
        learned.bearers = {row[7]: row[0] for row in rows}
    return learned


async def _answers(link: Link, parts: Sequence[Part]) -> dict[str, Any]:
    sql, values = asked_at_once(parts)
    row = await link.row(sql, *values)
    assert row is not None, "a SELECT without FROM has one row"
    return {part.name: value for part, value in zip(parts, row, strict=True)}


def _columns(names: Iterable[tuple[object, ...]]) -> tuple[object, ...]:
    return tuple([list(column) for column in zip(*names, strict=True)])


def _named(names: Iterable[T], places: Sequence[int]) -> list[T]:
    """Return the names at some places, which count from 1."""
    named = list(names) if places else []
    return [named[place - 1] for place in places]
