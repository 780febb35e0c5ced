"""Rows arrive as they were given, however many go to a statement and whatever of them is None."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from perdure.store.sqlite.opening import open_writer
from perdure.store.sqlite.running import run, run_sparse, run_wide


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    writer = open_writer(tmp_path / "store.db")
    yield writer
    writer.close()


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 31, 32, 33, 40, 75])
def test_any_number_of_rows_arrives_and_leaves(writer: sqlite3.Connection, count: int) -> None:
    rows = [(row, 5, 1, row, "say", "app", b"e", 9, None) for row in range(1, count + 1)]

    assert run_wide(writer, "insert_task", rows) == count

    found = writer.execute("SELECT task_row, task_id, propagated, attempts FROM tasks").fetchall()
    assert found == [(row, row, None, 0) for row in range(1, count + 1)]
    assert run_wide(writer, "delete_task", [(row,) for row in range(1, count + 3)]) == count
    assert writer.execute("SELECT count(*) FROM tasks").fetchone() == (0,)


def test_what_ends_with_a_note_is_logged_with_it(writer: sqlite3.Connection) -> None:
    rows = [(row, 5, 1, row, "say", "app", b"e", 9, None) for row in range(1, 41)]
    run_wide(writer, "insert_task", rows)

    run_wide(writer, "log_noted_task", [(70 + row, "me", 80, row % 2, row) for row in range(1, 41)])

    asked = "SELECT task_row, handed_out_at_us, worker, attempts, failed FROM ended_tasks"
    found = writer.execute(f"{asked} ORDER BY task_row").fetchall()
    assert found == [(row, 70 + row, "me", 1, row % 2) for row in range(1, 41)]


def test_a_row_with_holes_is_the_row_that_was_given(writer: sqlite3.Connection) -> None:
    instance = ("name", "app", "x", None, 1, None, None, None, None, 0, -1, None)
    head = (1, 6, 1, None, 2, None, None, "turn", 3, None, 0, 0, None, None)
    rows = [(row, f"wf-{row}", *instance, *head, 4, None, 0, 0) for row in range(1, 50)]
    run_sparse(writer, "insert_instance", rows)
    later = (2, 0, 1, 7, 8, "custom", None, "activity", 9, 10, 3, 30, None, '["p"]')

    run_sparse(writer, "update_head", [(*later, 5), (*later[:5], None, *later[6:], 6)])

    asked = "SELECT row_version, started_at_us, custom_status, stalled, waits_for, patches"
    found = writer.execute(f"{asked} FROM instances WHERE key IN (5, 6, 7) ORDER BY key").fetchall()
    assert found == [
        (2, 7, "custom", None, "activity", '["p"]'),
        (2, 7, None, None, "activity", '["p"]'),
        (1, None, None, None, "turn", None),
    ]
    assert writer.execute("SELECT count(*) FROM instances").fetchone() == (49,)
    assert run(writer, "update_flags", [(1, None, 5)]) == 1
