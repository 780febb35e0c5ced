"""The reads that an engine lives on touch only rows that they return."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from perdure.store.sqlite.opening import open_writer
from perdure.store.sqlite.statements import statements

# What sorts the rows of one instance, or counts everything because that is the question.
SORTS_ONE_INSTANCE = {"tasks_of"}
LOOKS_AT_ALL = {"counts", "name_counts"}
SORTS_WHAT_SHOULD_NOT_BE = {"stuck"}


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    writer = open_writer(Path(tmp_path_factory.mktemp("store")) / "store.db")
    yield writer
    writer.close()


def _plan(writer: sqlite3.Connection, sql: str) -> list[str]:
    numbered = [int(number) for number in re.findall(r"\?(\d)", sql)]
    values = (1,) * max(numbered, default=sql.count("?"))
    return [row[3] for row in writer.execute(f"EXPLAIN QUERY PLAN {sql}", values)]


@pytest.mark.parametrize("name", sorted(statements("reading").keys() - LOOKS_AT_ALL))
def test_a_read_is_a_search(writer: sqlite3.Connection, name: str) -> None:
    sql = statements("reading")[name]
    plan = _plan(writer, f"{sql} WHERE key = ?" if name == "snapshot_columns" else sql)
    scans = [
        step
        for step in plan
        if step.startswith("SCAN") and not step.startswith(("SCAN (subquery", "SCAN inbox USING"))
    ]
    assert not scans, plan
    if name not in SORTS_ONE_INSTANCE | SORTS_WHAT_SHOULD_NOT_BE:
        assert not [step for step in plan if "TEMP B-TREE" in step], plan


@pytest.mark.parametrize("name", sorted(LOOKS_AT_ALL))
def test_counting_reads_an_index_alone(writer: sqlite3.Connection, name: str) -> None:
    (step,) = _plan(writer, statements("reading")[name])
    assert step.startswith("SCAN instances USING ")


@pytest.mark.parametrize("name", statements("noting"))
def test_notes_are_found_along_an_index(writer: sqlite3.Connection, name: str) -> None:
    plan = _plan(writer, statements("noting")[name])
    assert not [step for step in plan if "SCAN" in step or "TEMP B-TREE" in step], plan


@pytest.mark.parametrize("name", statements("writing"))
def test_a_write_is_a_search(writer: sqlite3.Connection, name: str) -> None:
    plan = _plan(writer, statements("writing")[name])
    given = r"SCAN (counters|json_each|CONSTANT ROW|\(subquery)"
    scans = [step for step in plan if step.startswith("SCAN") and not re.search(given, step)]
    assert not scans, plan
