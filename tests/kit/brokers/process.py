"""A broker as a process of the test's own, on a free port and in a folder of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.kit.keeper import KEEPER

HOST = "127.0.0.1"
START_DEADLINE_S = 90.0
STOP_DEADLINE_S = 10.0


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class BrokerProcess:
    """One process, which can be stopped, killed and started again with what it keeps on disk."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        ready: str,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        """Take what to start, and the words by which it says that it takes connections."""
        self._command = command
        self._folder = folder
        self._ready = ready
        self._user = user
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[str] | None = None
        self._said: deque[str] = deque(maxlen=60)

    @classmethod
    def absent(cls) -> "BrokerProcess":
        """Return the process of a broker that is none: it cannot be started."""
        return cls((), folder=Path(), ready="")

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        assert self._command, "this broker has no process of its own"
        assert self._process is None, "the broker runs already"
        # A group of its own: some brokers are a shell that starts the broker itself.
        self._process = subprocess.Popen(
            self._command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            env=self._environment,
            user=self._user,
            start_new_session=True,
            text=True,
            errors="replace",
        )
        KEEPER.keep(self._process.pid, group=True)
        # One of its own: the process before may still be saying its last words.
        is_ready = threading.Event()
        threading.Thread(target=self._listen, args=(self._process, is_ready), daemon=True).start()
        if not is_ready.wait(START_DEADLINE_S) or self._process.poll() is not None:
            self.kill()
            raise AssertionError(f"{self._command[0]} was not ready, but said:\n{self.said}")

    @property
    def said(self) -> str:
        """Its last lines, for people."""
        return "".join(self._said)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it in good order, or as a signal of its own tells it to."""
        self._end(how)

    def kill(self) -> None:
        """End it at once."""
        self._end(signal.SIGKILL)

    def _listen(self, process: subprocess.Popen[str], is_ready: threading.Event) -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                self._said.append(line)
                if self._ready in line:
                    is_ready.set()
        is_ready.set()

    def _end(self, with_signal: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        # A second time, for one that was asked before it was able to listen.
        for each in (with_signal, with_signal, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, each)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_DEADLINE_S)
                KEEPER.let_go(process.pid)
                return
        raise AssertionError(f"{self._command[0]} does not end")
