"""Workflows that run when their store is promoted go on where they were, with a real SDK."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perdure.store.postgres import PostgresStore
from perdure.store.sqlite import SqliteStore
from tests.conformance.store.making import bear, birth
from tests.e2e import venvs
from tests.e2e.conftest import Hire
from tests.e2e.programs import clean_environment
from tests.e2e.serving import Server
from tests.kit.postgres import IMMEDIATE, Postgres, running
from tests.kit.schemas import a_schema
from tests.kit.wholes import fill

pytestmark = pytest.mark.timeout(400)

PASSED = ["first", "held", "went", "child", "last"]
SDK = venvs.DAPR_1_18
PROMOTE_DEADLINE_S = 60


@pytest.fixture(params=["file", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where to promote to."""
    if request.param == "file":
        yield str(tmp_path / "target.db")
        return
    with a_schema() as url:
        yield url


def test_what_runs_goes_on_in_the_new_store(
    server: Server, hire: Hire, tmp_path: Path, target: str
) -> None:
    """One is in an activity, one waits for an event, one has not begun, one has ended."""
    gate = tmp_path / "gate"
    gate.touch()
    worker = hire(SDK, server, "steady")
    server.begin("journey", "ended", str(gate))
    server.raise_event("ended", "go", "went")
    assert server.output("ended") == PASSED
    server.begin("journey", "waiting", str(gate))
    worker.wait_for(step="hold", instance="waiting")
    server.await_state("waiting", lambda state: state["runtimeStatus"] == "RUNNING")
    server.begin("journey", "active", str(tmp_path / "later"))
    worker.wait_for(step="hold", instance="active")
    worker.kill()
    server.begin("journey", "fresh", str(gate))
    server.raise_event("fresh", "go", "went")
    before = server.request("GET", "/v1.0/workflows/journey/ended").json()
    assert server.stop() == 0
    source = server.store.read_bytes()
    run("promote", str(server.store), target)
    assert server.store.read_bytes() == source
    server.options = ("--store", target)  # the last one counts
    server.start()
    assert server.request("GET", "/v1.0/workflows/journey/ended").json() == before
    (tmp_path / "later").touch()
    second = hire(SDK, server, "steady")
    for instance_id in ("waiting", "active"):
        server.raise_event(instance_id, "go", "went")
    for instance_id in ("waiting", "active", "fresh"):
        assert server.output(instance_id) == PASSED
    # Only the activity that was under way runs again; what had been done is known.
    assert second.count(step="first") == 1
    assert second.count(step="hold", instance="active") == 1


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Server]:
    """A server on a database of its own."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    with a_schema() as url:
        made = Server.in_folder(folder, "--store", url)
        made.start()
        try:
            yield made
        finally:
            made.close()


def run(*arguments: str, code: int = 0) -> str:
    """Run the program, and return what it told."""
    done = subprocess.run(
        [sys.executable, "-m", "perdure", *arguments],
        capture_output=True,
        text=True,
        timeout=PROMOTE_DEADLINE_S,
        env=clean_environment({}),
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def test_nothing_is_promoted_under_a_server_that_runs(
    server: Server, elsewhere: Server, tmp_path: Path
) -> None:
    server.begin("journey", "fresh", str(tmp_path / "gate"))
    assert server.stop() == 0
    store = str(elsewhere.options[1])
    assert "Servers run on" in run("promote", str(server.store), store, code=4)
    assert elsewhere.stop() == 0
    assert "1 workflows would be moved" in run("promote", str(server.store), store, "--dry-run")
    elsewhere.start()


def test_what_is_imported_under_a_server_that_runs_goes_on(
    server: Server, elsewhere: Server, hire: Hire, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    server.begin("journey", "fresh", str(gate))
    file = run("export", "fresh", "--store", str(server.store), "--to", str(tmp_path)).strip()
    worker = hire(SDK, elsewhere, "steady")
    run("import", file, "--store", str(elsewhere.options[1]))
    worker.wait_for(step="hold", instance="fresh")
    elsewhere.raise_event("fresh", "go", "went")
    assert elsewhere.output("fresh") == PASSED


# The promotion waits in the middle of a batch, at the instance that is named, until it is cut off.
_HOLD = """
CREATE OR REPLACE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$;
DROP TRIGGER IF EXISTS held ON instances;
CREATE TRIGGER held BEFORE INSERT ON instances FOR EACH ROW
    WHEN (NEW.instance_id = '{}') EXECUTE FUNCTION hold();
"""
_HELD = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"


def promote(store: Path, postgres: Postgres) -> "subprocess.Popen[bytes]":
    """Begin to promote a file."""
    return subprocess.Popen(
        [sys.executable, "-m", "perdure", "promote", str(store), postgres.url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=clean_environment({}),
    )


def test_a_database_that_restarts_again_and_again_gets_everything(tmp_path: Path) -> None:
    """Each run goes on where the one before was cut off, until one comes through."""
    store = SqliteStore(tmp_path / "wf.db")
    fill(store)
    for at in range(3_000):
        bear(store, f"order-{at}", inbox=birth("x").inbox)
    rows = [row for row in store.dump() if row[0] not in {"counters", "note"}]
    store.close()
    with running() as postgres:
        run("migrate", "--store", postgres.url)
        for at in (700, 1_500, 2_900):
            postgres.asked(_HOLD.format(f"order-{at}"))
            promotion = promote(tmp_path / "wf.db", postgres)
            while postgres.asked(_HELD) == "0":
                assert promotion.poll() is None, f"it did not come to order-{at}"
            postgres.restart(IMMEDIATE)
            assert promotion.wait(PROMOTE_DEADLINE_S) != 0
            arrived = int(postgres.asked("SELECT count(*) FROM instances"))
            assert 0 < arrived <= at + len(rows) - 3_000, arrived
        postgres.asked("DROP FUNCTION hold CASCADE")
        assert promote(tmp_path / "wf.db", postgres).wait(PROMOTE_DEADLINE_S) == 0
        target = PostgresStore(postgres.url)
        assert [row for row in target.dump() if row[0] not in {"counters", "note"}] == rows
        target.close()
