"""Programs that a test starts and watches: worker processes that print one JSON object a line."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.kit.keeper import KEEPER

Line = dict[str, Any]

STOP_DEADLINE_S = 10.0


def tail(log: Path, lines: int = 40) -> str:
    """The last lines of a log, for a person who must find out why a test failed."""
    if not log.exists():
        return f"({log.name} was never written)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


class Program:
    """A running program: its output is read as it comes, its standard error goes to a log."""

    def __init__(
        self, command: Sequence[str], *, log: Path, folder: Path, environment: Mapping[str, str]
    ) -> None:
        self.log = log
        self.lines: list[Line] = []
        self._changed = threading.Condition()
        self._ended = False
        with log.open("ab") as trouble:
            self._process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=trouble,
                cwd=folder,
                env=clean_environment(environment),
                text=True,
            )
        KEEPER.keep(self._process.pid)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for text in output:
                with self._changed:
                    self.lines.append(_line(text))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, deadline_s: float = 30.0, **wanted: object) -> Line:
        """Return the first line that has all the wanted keys and values."""
        found = self.wait_until(lambda lines: _matching(lines, wanted), deadline_s)
        if not found:
            raise AssertionError(
                f"the program said no {wanted} within {deadline_s} s, but:\n{self.lines[-20:]}\n"
                f"and its log ends with:\n{tail(self.log)}"
            )
        return found[0]

    def wait_until(self, met: Callable[[list[Line]], list[Line]], deadline_s: float) -> list[Line]:
        """Wait until `met` finds something, the program ends or the time is up; return the find."""
        end = time.monotonic() + deadline_s
        with self._changed:
            while not (found := met(self.lines)) and not self._ended:
                remaining = end - time.monotonic()
                if remaining <= 0:
                    break
                self._changed.wait(remaining)
            return found

    def count(self, **wanted: object) -> int:
        with self._changed:
            return len(_matching(self.lines, wanted))

    def wait_end(self, deadline_s: float) -> int | None:
        """Wait until the program has ended and return its exit code; None if it still runs."""
        try:
            code = self._process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            return None
        self._forget()
        return code

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """Kill it at once, as a crash would, and forget about its unfinished work."""
        self._process.kill()
        self._process.wait(STOP_DEADLINE_S)
        self._forget()

    def _forget(self) -> None:
        KEEPER.let_go(self._process.pid)
        self._reader.join(STOP_DEADLINE_S)


def _line(text: str) -> Line:
    # An SDK prints words of its own now and then; they are kept, and mean nothing to a test.
    line: Line = json.loads(text) if text.startswith("{") else {"text": text}
    return line


def _matching(lines: list[Line], wanted: Mapping[str, object]) -> list[Line]:
    return [line for line in lines if wanted.items() <= line.items()]


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of this process without what would leak a setting of its own into an SDK."""
    dropped = ("DAPR_", "PERDURE_", "PYTEST_", "VIRTUAL_ENV", "PYTHONPATH", "GRPC_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "PYTHONUNBUFFERED": "1", **extra}
