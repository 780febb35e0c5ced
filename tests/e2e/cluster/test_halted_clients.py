"""A client that stands still: the server lets go of it, in a transaction and in an answer."""

import os
import signal
import subprocess
import sys
from typing import Final

import pytest

from tests.e2e.polling import until
from tests.kit.postgres import Postgres
from tests.kit.schemas import shared_server

TIMEOUT_MS: Final = 1_000
DEADLINE_S: Final = 60.0
# It says what its backend is, locks something, and takes what it is answered, if it is let.
CLIENT: Final = """
import asyncio, sys
from perdure.store.postgres.connections import connect
from perdure.store.postgres.url import address_of

async def main():
    link = await connect(address_of(sys.argv[1]), silent_timeout_ms=int(sys.argv[2]))
    await link.run("BEGIN")
    await link.value("SELECT pg_advisory_xact_lock(7077)")
    print(await link.value("SELECT pg_backend_pid()"), flush=True)
    sys.stdin.readline()
    await link.rows(sys.argv[3])

asyncio.run(main())
"""
LOCKS: Final = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = {}"
STATE: Final = "SELECT state, wait_event FROM pg_stat_activity WHERE pid = {}"


def await_answer(server: Postgres, query: str, answer: str) -> None:
    until(
        lambda: server.asked(query),
        lambda last: last == answer,
        deadline_s=DEADLINE_S,
        what=f"{query} says {answer}",
    )


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("query", "when", "state"),
    [
        ("SELECT pg_sleep(2)", "active|PgSleep", "idle in transaction|ClientRead"),
        (
            "SELECT repeat('x', 1000) FROM generate_series(1, 300000)",
            "active|ClientWrite",
            "active|ClientWrite",
        ),
    ],
    ids=["between-statements", "in-an-answer"],
)
def test_what_a_halted_client_has_locked_is_free_after_a_while(
    query: str, when: str, state: str
) -> None:
    server = shared_server()
    with subprocess.Popen(
        [sys.executable, "-c", CLIENT, server.url, str(TIMEOUT_MS), query],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as client:
        try:
            assert client.stdin is not None
            assert client.stdout is not None
            backend = client.stdout.readline().strip()
            assert server.asked(LOCKS.format(backend)) == "1"
            client.stdin.write("\n")
            client.stdin.flush()
            await_answer(server, STATE.format(backend), when)
            os.kill(client.pid, signal.SIGSTOP)
            await_answer(server, STATE.format(backend), state)
            await_answer(server, LOCKS.format(backend), "0")
        finally:
            client.kill()
