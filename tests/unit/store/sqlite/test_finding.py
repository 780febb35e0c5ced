"""A page is found along an index: nothing is scanned whole, and only few rows are sorted."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from perdure.core.status import Status
from perdure.store.port import Entry
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
from perdure.store.sqlite.finding import find
from perdure.store.sqlite.opening import open_reader
from tests.conformance.store.making import birth

MANY = 2_500  # more than are ever fetched and sorted
EVERYTHING = AllOf(())
NEWEST = (Order(Field.CREATED, descending=True),)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("store") / "store.db"
    store = SqliteStore(path)
    births = [
        birth(
            f"i{n:06}",
            Status.COMPLETED if n % 50 else Status.FAILED,
            name="rare" if n % 500 == 0 else "order",
            created_at_us=n,
            completed_at_us=2 * MANY - n,
            updated_at_us=n,
            parent_id="parent",
            tags=(("all", "x"), ("one", str(n))),
        )
        for n in range(MANY)
    ]
    store.commit([Entry(key=None, births=(each,)) for each in births])
    store.close()
    reader = open_reader(Path(path))
    yield reader
    reader.close()


def _plan(reader: sqlite3.Connection, query: InstanceQuery) -> list[str]:
    """How SQLite goes about the last statement that a listing runs."""
    ran: list[str] = []
    reader.set_trace_callback(ran.append)
    find(reader, query)
    reader.set_trace_callback(None)
    return [row[3] for row in reader.execute(f"EXPLAIN QUERY PLAN {ran[-1]}")]


def _both_pages(reader: sqlite3.Connection, query: InstanceQuery) -> Iterator[list[str]]:
    yield _plan(reader, query)
    token = find(reader, query).next_token
    assert token is not None
    yield _plan(reader, replace(query, token=token))


def _compare(field: str, operator: Operator, *values: str | int) -> Compare:
    return Compare(field, operator, values)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    ("where", "field", "index"),
    [
        (EVERYTHING, Field.CREATED, "instances_by_created"),
        (EVERYTHING, Field.UPDATED, "instances_by_updated"),
        (EVERYTHING, Field.COMPLETED, "instances_by_completed"),
        (EVERYTHING, Field.ID, "instances_by_id"),
        (_compare(Field.STATUS, Operator.EQ, 1), Field.CREATED, "instances_by_status"),
        (_compare(Field.NAME, Operator.EQ, "order"), Field.CREATED, "instances_by_name"),
        (_compare(Field.PARENT, Operator.EQ, "parent"), Field.CREATED, "instances_by_parent"),
        (_compare(Field.ID, Operator.PREFIX, "i"), Field.ID, "instances_by_id"),
        (_compare(Field.ID, Operator.PREFIX, "i"), Field.CREATED, "instances_by_created"),
        (_compare(Field.CREATED, Operator.GT, 3), Field.CREATED, "instances_by_created"),
        (_compare(Field.COMPLETED, Operator.LT, 9_999), Field.COMPLETED, "instances_by_completed"),
        (_compare("tags.all", Operator.EQ, "x"), Field.CREATED, "instances_by_created"),
        (_compare("tags.all", Operator.EQ, "x"), Field.COMPLETED, "instances_by_completed"),
        (_compare(Field.STATUS, Operator.IN, 0, 1), Field.UPDATED, "instances_by_updated"),
        (
            AllOf(
                (
                    _compare("tags.all", Operator.EQ, "x"),
                    _compare(Field.NAME, Operator.EQ, "order"),
                    AnyOf((_compare(Field.APP, Operator.EQ, "shop"),)),
                )
            ),
            Field.CREATED,
            "instances_by_name",
        ),
    ],
)
def test_a_page_walks_an_index(
    reader: sqlite3.Connection, where: Filter, field: Field, index: str, *, descending: bool
) -> None:
    query = InstanceQuery(where, (Order(field, descending),))
    for plan in _both_pages(reader, query):
        assert f"USING INDEX {index}" in plan[0], plan
        assert not [step for step in plan if "TEMP B-TREE" in step], plan


def test_the_order_of_birth_is_the_table_itself(reader: sqlite3.Connection) -> None:
    first, second = _both_pages(reader, InstanceQuery(order=()))
    assert first[0] == "SCAN instances"
    assert second[0] == "SEARCH instances USING INTEGER PRIMARY KEY (rowid>?)"
    assert not [step for step in (*first, *second) if "TEMP B-TREE" in step]


@pytest.mark.parametrize(
    "where",
    [
        _compare(Field.NAME, Operator.EQ, "rare"),
        _compare(Field.STATUS, Operator.IN, int(Status.FAILED), 7),
        _compare(Field.ID, Operator.PREFIX, "i00001"),
        _compare(Field.ID, Operator.IN, "i000001", "i000007"),
        _compare(Field.CREATED, Operator.LT, 20),
        _compare("tags.one", Operator.EQ, "77"),
        _compare("tags.one", Operator.PREFIX, "77"),
        _compare("tags.none", Operator.EQ, "x"),
        AllOf((_compare(Field.NAME, Operator.NEQ, "x"), _compare("tags.one", Operator.EQ, "7"))),
    ],
)
@pytest.mark.parametrize("field", [Field.COMPLETED, Field.WAITS_FOR])
def test_few_rows_are_fetched_by_what_leaves_them(
    reader: sqlite3.Connection, where: Filter, field: Field
) -> None:
    plan = _plan(reader, InstanceQuery(where, (Order(field),)))
    assert plan[0] == "SEARCH instances USING INTEGER PRIMARY KEY (rowid=?)", plan
    assert not [step for step in plan if "SCAN" in step], plan


def test_what_leaves_nothing_costs_nothing(reader: sqlite3.Connection) -> None:
    where = AllOf((_compare("tags.all", Operator.EQ, "x"), _compare("tags.one", Operator.EQ, "x")))
    assert find(reader, InstanceQuery(where, NEWEST)).rows == ()
    assert (
        "SEARCH instances USING INTEGER PRIMARY KEY"
        in _plan(reader, InstanceQuery(where, NEWEST))[0]
    )
