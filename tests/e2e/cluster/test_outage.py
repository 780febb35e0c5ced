"""A Postgres that goes away and comes back: one line says so, one says that it is over."""

import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e.cluster.nodes import Cluster
from tests.e2e.polling import until
from tests.e2e.programs import Program, tail
from tests.e2e.venvs import REPOSITORY
from tests.kit.postgres import IMMEDIATE

DEADLINE_S = 60.0
# So many requests are made meanwhile; each is refused, and none of them makes a line.
REQUESTS = 20


def said(log: Path, text: str) -> list[str]:
    return [line for line in log.read_text().splitlines() if text in line]


def await_said(log: Path, text: str) -> None:
    until(
        lambda: (said(log, text), tail(log)),
        lambda seen: bool(seen[0]),
        deadline_s=DEADLINE_S,
        what=f"it says '{text}'",
    )


@pytest.mark.timeout(300)
def test_an_outage_is_told_in_one_line_and_its_end_in_another(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, 1)
    (node,) = cluster.nodes
    gate = tmp_path / "gate"
    program: Program | None = None
    try:
        cluster.start()
        program = Program(
            [sys.executable, "-m", "tests.e2e.workers.perdure_python.slow", str(gate)],
            log=tmp_path / "program.log",
            folder=REPOSITORY,
            environment=node.server.worker_environment,
        )
        program.wait_for(step="holds")
        cluster.postgres.stop(IMMEDIATE)
        gate.touch()  # what the worker has done is to be landed meanwhile
        for number in range(REQUESTS):
            answer = node.server.request(
                "POST", f"/v1.0/workflows/dapr/nobody/start?instanceID=i{number}"
            )
            assert answer.status == httpx.codes.SERVICE_UNAVAILABLE, answer
        await_said(node.server.log, "partitions lost")
        cluster.postgres.start()
        program.wait_for(output='"held"', deadline_s=DEADLINE_S)
        await_said(node.server.log, "the store is back")
        lines = node.server.log.read_text()
        (away,) = said(node.server.log, "the store is away")
        assert "the database cannot be reached just now" in away
        (back,) = said(node.server.log, "the store is back")
        assert "away_seconds=" in back
        assert "Traceback" not in lines, lines
        assert not said(node.server.log, "fault"), lines
    finally:
        if program is not None:
            program.kill()
        cluster.close()
