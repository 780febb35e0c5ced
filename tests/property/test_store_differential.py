"""The stores that keep tables do what the memory store does, whatever they are asked.

Random programs are run on both, with the store closed and opened again in between; outcomes, every
row of every table and the answers to all reads are compared. Each verdict must come up.
"""

import tempfile
from abc import abstractmethod
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar, Protocol

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from perdure.store.memory import MemoryStore
from perdure.store.moving import Target
from perdure.store.port import Store, Verdict
from perdure.store.postgres import PostgresStore
from perdure.store.query import (
    AllOf,
    AnyOf,
    Compare,
    Field,
    Filter,
    InstanceQuery,
    Operator,
    Order,
)
from perdure.store.sqlite import SqliteStore
from tests.kit.schemas import a_schema
from tests.kit.wholes import move
from tests.property.store_programs import IDS, NAMES, SHELVES, Author

LIFECYCLE_ROWS_MAX = 7

_values = st.sampled_from((None, -1, 0, 2, 5, 7, 1 << 70, "", "a", "o", "t", "v", *NAMES, "\ud800"))
_fields = st.sampled_from([*Field, "tags.k", "tags.none"])


def _compares() -> st.SearchStrategy[Filter]:
    one = st.builds(
        lambda field, operator, value: Compare(field, operator, (value,)),
        _fields,
        st.sampled_from([each for each in Operator if each is not Operator.IN]),
        _values,
    )
    many = st.builds(
        lambda field, values: Compare(field, Operator.IN, tuple(values)),
        _fields,
        st.lists(_values, max_size=3),
    )
    return one | many


def _nested(filters: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    terms = st.lists(filters, max_size=3).map(tuple)
    return st.builds(AllOf, terms) | st.builds(AnyOf, terms)


filters = st.recursive(_compares(), _nested, max_leaves=5)
orders = st.lists(st.builds(Order, st.sampled_from(Field), st.booleans()), max_size=3)


class TableStore(Store, Target, Protocol):
    """A store that keeps tables."""


class TwoStores(RuleBasedStateMachine):
    """The same program on both stores."""

    verdicts: ClassVar[Counter[Verdict]]
    reopened: ClassVar[int]

    def __init__(self) -> None:
        super().__init__()
        self.closing = ExitStack()
        self.memory = MemoryStore(lifecycle_rows_max=LIFECYCLE_ROWS_MAX)
        self.place = self.make()
        self.tables = self.open()
        self.author = Author(MemoryStore(lifecycle_rows_max=LIFECYCLE_ROWS_MAX))

    @abstractmethod
    def make(self) -> str:
        """Return the place of an empty store."""

    @abstractmethod
    def open(self) -> TableStore:
        """Open the store there."""

    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        entries = self.author.entries(data.draw)
        outcomes = self.memory.commit(entries)
        assert self.tables.commit(entries) == outcomes
        type(self).verdicts.update(outcome.verdict for outcome in outcomes)
        held = list(self.memory.dump())
        assert list(self.author.ahead.dump()) == held, "one commit of many is many of one"
        assert list(self.tables.dump()) == held

    @rule()
    def reopen(self) -> None:
        self.tables.close()
        self.tables = self.open()
        type(self).reopened += 1
        assert list(self.tables.dump()) == list(self.memory.dump())

    @rule(limit=st.integers(1, 4), after=st.integers(0, 5), most=st.integers(0, 20))
    def move(self, limit: int, after: int, most: int) -> None:
        assert self.tables.wholes(after, limit, most) == self.memory.wholes(after, limit, most)
        assert self.tables.notes_by_row(after, limit) == self.memory.notes_by_row(after, limit)
        moved = MemoryStore()
        move(self.tables, moved)
        assert list(moved.dump()) == list(self.memory.dump())

    @rule(limit=st.integers(1, 4), after=st.integers(0, 5), moment=st.integers(0, 8))
    def read(self, limit: int, after: int, moment: int) -> None:
        assert _answers(self.tables, limit, after, moment) == _answers(
            self.memory, limit, after, moment
        )

    @rule(where=filters, order=orders, limit=st.integers(1, 4))
    def find(self, where: Filter, order: list[Order], limit: int) -> None:
        query = InstanceQuery(where, tuple(order), limit)
        for _ in range(20):
            page = self.memory.find(query)
            assert self.tables.find(query) == page
            if page.next_token is None:
                return
            query = InstanceQuery(where, tuple(order), limit, page.next_token)

    def teardown(self) -> None:
        self.tables.close()
        self.closing.close()


class SqliteBesideMemory(TwoStores):
    """In a file."""

    verdicts: ClassVar[Counter[Verdict]] = Counter()
    reopened: ClassVar[int] = 0

    def make(self) -> str:
        folder = self.closing.enter_context(tempfile.TemporaryDirectory())
        return str(Path(folder) / "store.db")

    def open(self) -> TableStore:
        return SqliteStore(self.place, lifecycle_rows_max=LIFECYCLE_ROWS_MAX)


class PostgresBesideMemory(TwoStores):
    """In a schema."""

    verdicts: ClassVar[Counter[Verdict]] = Counter()
    reopened: ClassVar[int] = 0

    def make(self) -> str:
        return self.closing.enter_context(a_schema())

    def open(self) -> TableStore:
        return PostgresStore(self.place, lifecycle_rows_max=LIFECYCLE_ROWS_MAX)


def _answers(store: Store, limit: int, after: int, moment: int) -> list[object]:
    named: list[object] = [
        answer
        for name in (*IDS, *range(1, 12))
        for answer in (store.snapshot(name), store.load(name))
    ]
    keyed: list[object] = [
        answer
        for key in range(12)
        for answer in (
            store.history(key, after, limit),
            store.payload_events(key),
            store.children(key),
            store.tasks_of(key),
        )
    ]
    ended: list[object] = [
        answer
        for phase in (1, 3, 5)
        for answer in (store.expired(phase, moment, limit), store.oldest_completed_us(phase))
    ]
    noted: list[object] = [
        answer
        for shelf in SHELVES
        for answer in (
            *(store.note(shelf, key) for key in IDS),
            store.notes(shelf, (moment, after), limit),
            *(store.notes_about(shelf, about, after, limit) for about in ("", "t", "u")),
            store.notes_before(shelf, moment, limit),
            store.oldest_note_us(shelf),
            store.note_count(shelf),
            store.note_counts(shelf),
        )
    ]
    return [
        *named,
        *keyed,
        *ended,
        *noted,
        store.list_ids(after, limit),
        store.ready(after, limit),
        store.tasks(after, limit),
        store.due_timers(moment, limit),
        store.next_timer_us(),
        store.counts(),
        store.name_counts(),
        store.stuck(limit),
        store.terminating(),
        store.lifecycle(after, limit),
    ]


def _run(machine: type[TwoStores], examples: int | None = None) -> None:
    asked = settings(stateful_step_count=30, suppress_health_check=list(HealthCheck))
    if examples is not None:
        asked = settings(asked, max_examples=min(examples, asked.max_examples))
    run_state_machine_as_test(machine, settings=asked)
    reached = f"{dict(machine.verdicts)}, reopened {machine.reopened} times"
    # Who owns a store alone has no leases that could be over.
    every = set(Verdict) - {Verdict.FENCED}
    assert set(machine.verdicts) == every, f"a verdict never came up: {reached}"
    assert machine.reopened > 0


def test_sqlite_does_what_memory_does() -> None:
    _run(SqliteBesideMemory)


@pytest.mark.timeout(400)
def test_postgres_does_what_memory_does() -> None:
    _run(PostgresBesideMemory, examples=40)
