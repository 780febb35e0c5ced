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


def arrived(postgres: Postgres) -> int:
    """Return how many instances have arrived."""
    if postgres.asked("SELECT to_regclass('instances') IS NULL") == "t":
        return 0
    return int(postgres.asked("SELECT count(*) FROM instances"))


def test_a_database_that_restarts_again_and_again_gets_everything(tmp_path: Path) -> None:
    """Each run goes on where the one before was cut off, until one comes through."""
    store = SqliteStore(tmp_path / "wf.db")
    fill(store)
    for at in range(3_000):
        bear(store, f"order-{at}", inbox=birth("x").inbox)
    rows = [row for row in store.dump() if row[0] not in {"counters", "note"}]
    store.close()
    with running() as postgres:
        cut_off = 0
        for restarts in range(4):
            before = arrived(postgres)
            promotion = subprocess.Popen(
                [sys.executable, "-m", "perdure", "promote", str(tmp_path / "wf.db"), postgres.url],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=clean_environment({}),
            )
            if restarts < 3:
                # Cut off once more has arrived than before, and not everything.
                while promotion.poll() is None and arrived(postgres) == before:
                    continue
                postgres.restart(IMMEDIATE)
            if promotion.wait(PROMOTE_DEADLINE_S) == 0:
                break
            cut_off += 1
        assert promotion.returncode == 0
        assert cut_off, "it was never cut off"
        target = PostgresStore(postgres.url)
        assert [row for row in target.dump() if row[0] not in {"counters", "note"}] == rows
        target.close()
