"""Point-in-time recovery: a base backup and the archived log bring back any moment, row by row."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from perdure.store.postgres.store import PostgresStore
from tests.conformance.store.making import bear, birth, land
from tests.e2e.polling import until
from tests.kit.brokers.process import HOST
from tests.kit.postgres import IMMEDIATE, USER, Postgres, owner, program, running
from tests.kit.wholes import fill

pytestmark = pytest.mark.timeout(300)

_DEADLINE_S = 60.0
_POLL_S = 0.05


@contextmanager
def _folder_of_postgres() -> Iterator[Path]:
    """Lend a folder that Postgres, which may run as another user, can write to."""
    folder = Path(tempfile.mkdtemp(prefix="perdure-archive-"))
    folder.chmod(0o755)
    user = owner()
    if user is not None:
        shutil.chown(folder, user)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _rows(url: str) -> list[tuple[object, ...]]:
    store = PostgresStore(url)
    rows = [row for row in store.dump() if row[0] != "counters"]
    store.close()
    return rows


def _written_out(server: Postgres) -> str:
    """Return the present moment, with the log up to it archived."""
    moment = server.asked("SELECT clock_timestamp()")
    # A transaction after the moment, by whose time the recovery knows that it has come far enough.
    server.asked("CREATE TABLE marks (at timestamptz)")
    segment = server.asked("SELECT pg_walfile_name(pg_switch_wal())")
    archived = f"'{segment}' <= last_archived_wal"
    _await(server, f"SELECT {archived} FROM pg_stat_archiver")  # noqa: S608 - its own name
    return moment


def _back_up(server: Postgres, folder: Path) -> None:
    asked = ("-h", HOST, "-p", str(server.port), "-U", USER, "-D", str(folder))
    done = subprocess.run(
        [program("pg_basebackup"), *asked, "--checkpoint=fast"],
        capture_output=True,
        text=True,
        user=owner(),
        cwd=folder.parent,
        timeout=_DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _await(server: Postgres, question: str) -> None:
    """Return once a server answers a question with yes."""
    until(
        lambda: server.asked(question),
        lambda answer: answer == "t",
        deadline_s=_DEADLINE_S,
        what=question,
        poll_s=_POLL_S,
    )


def test_a_moment_before_a_mistake_comes_back(tmp_path: Path) -> None:
    with _folder_of_postgres() as folder:
        archive = folder / "archive"
        settings = {
            "wal_level": "replica",
            "archive_mode": "on",
            "archive_command": f"mkdir -p {archive} && cp %p {archive}/%f",
            "max_wal_senders": "3",
        }
        with running(settings) as server:
            store = PostgresStore(server.url)
            fill(store)
            _back_up(server, folder / "data")
            bear(store, "after the backup", inbox=birth("x").inbox)
            before = [row for row in store.dump() if row[0] != "counters"]
            moment = _written_out(server)
            land(store, key=2, purge=True)
            bear(store, "too late")
            store.close()
        (folder / "data" / "recovery.signal").touch()
        recovery = {
            "restore_command": f"cp {archive}/%f %p",
            "recovery_target_time": moment,
            "recovery_target_action": "promote",
        }
        restored = Postgres(folder, recovery)
        try:
            restored.start()
            _await(restored, "SELECT NOT pg_is_in_recovery()")
            assert _rows(restored.url) == before
            # It is a store like any other: numbers go on growing, and what ran is there to be run.
            again = PostgresStore(restored.url)
            born = bear(again, "new")
            assert born > max(key for key, _ in again.list_ids(0, 99) if key != born)
            assert {row.instance_id for row in again.tasks(0, 9)} == {"full"}
            again.close()
        finally:
            restored.stop(IMMEDIATE)
