"""A node that is halted in the middle of a transaction: what it has locked is free soon after."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Final

import httpx
import pytest

from perdure.base.limits import TRANSACTION_IDLE_US
from perdure.base.time import SECOND_US
from tests.e2e.cluster.nodes import Cluster, Node
from tests.e2e.cluster.plan import TAKEN_OVER_S
from tests.e2e.polling import until
from tests.e2e.serving import Answer
from tests.kit.postgres import Postgres, program

DEADLINE_S: Final = 60.0
LOCKING: Final = "BEGIN; SELECT count(*) FROM (SELECT FROM perdure.writers FOR UPDATE) AS rows;\n"
WAITS: Final = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'perdure' AND wait_event_type = 'Lock'
"""
IDLES: Final = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'perdure' AND state = 'idle in transaction'
"""


@contextmanager
def commits_locked(postgres: Postgres) -> Iterator[None]:
    """Have a session of the test's own lock the rows in which nodes count their commits."""
    session = subprocess.Popen(
        [program("psql"), "-X", "-At", postgres.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert session.stdin is not None
    assert session.stdout is not None
    with session:
        session.stdin.write(LOCKING)
        session.stdin.flush()
        assert session.stdout.readline() == "BEGIN\n"
        assert int(session.stdout.readline()) > 0
        yield
        session.stdin.write("ROLLBACK;\n")


def await_count(postgres: Postgres, query: str) -> None:
    until(
        lambda: postgres.asked(query),
        lambda count: count != "0",
        deadline_s=DEADLINE_S,
        what=f"some are counted by {query}",
    )


def raised_at(node: Node, instance_id: str) -> Answer:
    path = f"/v1.0/workflows/dapr/{instance_id}/raiseEvent/go"
    return node.server.request("POST", path, "1", timeout_s=DEADLINE_S)


def raise_at(node: Node, instance_id: str) -> None:
    """Raise an event at a node that will be halted; it may be gone before it answers."""
    with suppress(httpx.TransportError):
        raised_at(node, instance_id)


@pytest.mark.timeout(300)
def test_what_a_halted_node_has_locked_is_free_in_time(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, 2)
    ann, ben = cluster.nodes
    try:
        cluster.start()
        path = "/v1.0/workflows/dapr/nobody/start?instanceID=a"
        assert ann.server.request("POST", path).status == httpx.codes.ACCEPTED
        assert raised_at(ben, "a").status == httpx.codes.ACCEPTED
        with commits_locked(cluster.postgres):
            # The last statement of its commit waits, and everything before it is done and locked.
            Thread(target=raise_at, args=(ann, "a"), daemon=True).start()
            await_count(cluster.postgres, WAITS)
            ann.halt()
        halted_s = time.monotonic()
        await_count(cluster.postgres, IDLES)
        answer = raised_at(ben, "a")
        waited_s = time.monotonic() - halted_s
        assert answer.status == httpx.codes.ACCEPTED, answer
        assert TRANSACTION_IDLE_US / SECOND_US / 2 < waited_s < TAKEN_OVER_S, waited_s
        ann.go_on()
        until(
            lambda: cluster.postgres.asked("SELECT count(*) FROM perdure.inbox"),
            lambda count: count == "4",
            deadline_s=DEADLINE_S,
            what="what ann was asked is done in the end, and once",
        )
    finally:
        cluster.close()
