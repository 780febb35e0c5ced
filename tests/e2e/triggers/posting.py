"""Senders of webhooks: they deliver until they are told that it is on disk, whatever happens."""

import threading
import time
from collections.abc import Callable, Sequence

import httpx

from tests.e2e.serving import HOST, Server

DEADLINE_S = 400.0
PAUSE_S = 0.02

# Sends one delivery, given its number, and returns the answer.
Send = Callable[[httpx.Client, int], httpx.Response]


class Senders:
    """Threads that deliver numbers from a common pile, each until it is accepted."""

    def __init__(self, server: Server, send: Send, count: int, threads: int = 4) -> None:
        self._url = f"http://{HOST}:{server.http_port}"
        self._send = send
        self._left = iter(range(count))
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._end = time.monotonic() + DEADLINE_S
        self.accepted: list[int] = []
        self.refused: list[str] = []
        self.attempts = 0
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, count: int) -> None:
        """Return once so many are accepted."""
        with self._changed:
            met = self._changed.wait_for(lambda: len(self.accepted) >= count, DEADLINE_S)
        assert met, f"{len(self.accepted)} of {count} were accepted; refused: {self.refused}"

    def join(self) -> Sequence[int]:
        """Wait for the end; return what was accepted."""
        for thread in self._threads:
            thread.join(DEADLINE_S)
            assert not thread.is_alive(), "a sender does not come to its end"
        assert not self.refused, self.refused
        return self.accepted

    def _run(self) -> None:
        with httpx.Client(base_url=self._url, trust_env=False, timeout=10.0) as client:
            while True:
                with self._lock:
                    number = next(self._left, None)
                if number is None:
                    return
                self._deliver(client, number)

    def _deliver(self, client: httpx.Client, number: int) -> None:
        while time.monotonic() < self._end:
            self.attempts += 1
            try:
                answer = self._send(client, number)
            except httpx.TransportError:
                # The server is dead: what came of this delivery nobody knows.
                time.sleep(PAUSE_S)
                continue
            if answer.status_code == httpx.codes.ACCEPTED:
                with self._changed:
                    self.accepted.append(number)
                    self._changed.notify_all()
                return
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                self.refused.append(f"{number}: {answer.status_code} {answer.text}")
                return
            time.sleep(PAUSE_S)
        self.refused.append(f"{number}: not accepted in time")
