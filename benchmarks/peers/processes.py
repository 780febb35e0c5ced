"""The processes of one engine: started, watched, measured, and all ended whatever happens."""

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.e2e.programs import clean_environment, tail

READY_DEADLINE_S: Final = 60.0
ORDER_DEADLINE_S: Final = 90.0
STOP_DEADLINE_S: Final = 10.0
POLL_S: Final = 0.02
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
# The fields of a process's `stat`, counted from the one that follows its name.
_PARENT, _USER_TICKS, _SYSTEM_TICKS = 1, 11, 12


class GaveUpError(Exception):
    """An engine did not do in time what it was asked to do, or ended."""


class Program:
    """A program that says "ready" and then, if it is a load, answers orders in JSON lines."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        """Read what the process prints."""
        self.process = process
        self._log = log
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self._lines.put(line)
        self._lines.put(b"")

    def _line(self, deadline_s: float) -> bytes:
        try:
            line = self._lines.get(timeout=deadline_s)
        except queue.Empty:
            raise GaveUpError(f"no answer within {deadline_s:g} s") from None
        if not line:
            raise GaveUpError(f"ended:\n{tail(self._log, 15)}")
        return line

    def await_ready(self) -> None:
        """Return once it has said that it is ready."""
        while b"ready" not in self._line(READY_DEADLINE_S):
            pass

    def order(self, *, deadline_s: float = ORDER_DEADLINE_S, **order: object) -> dict[str, Any]:
        """Give an order and return the answer; GaveUpError if there is none in time."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()
        while not (line := self._line(deadline_s)).startswith(b"{"):
            pass
        answer: dict[str, Any] = json.loads(line)
        return answer


class Processes:
    """All that was started for one engine, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        """Start with nothing."""
        self.folder = folder
        # The program by which one of some name is started, if any is.
        self.under: Callable[[str], Sequence[str]] = lambda name: ()  # noqa: ARG005 - the signature
        self._running: list[subprocess.Popen[bytes]] = []
        self._tracers: set[int] = set()
        self._named: dict[str, int] = {}

    def pid_of(self, name: str) -> int | None:
        """The process that was started last under a name, if any was."""
        return self._named.get(name)

    def server(
        self, name: str, command: Sequence[str], ready: Callable[[], bool], **more: Any
    ) -> None:
        """Start a server and return once it is `ready`."""
        process = self._start(name, command, subprocess.DEVNULL, **more)
        end = time.monotonic() + READY_DEADLINE_S
        while not ready():
            if process.poll() is not None:
                raise GaveUpError(f"{name} ended:\n{tail(self._log(name), 15)}")
            if time.monotonic() > end:
                raise GaveUpError(f"{name} was not ready within {READY_DEADLINE_S:g} s")
            time.sleep(POLL_S)

    def program(self, name: str, command: Sequence[str], **more: Any) -> Program:
        """Start a program and return once it says that it is ready."""
        process = self._start(name, command, subprocess.PIPE, **more)
        program = Program(process, self._log(name))
        program.await_ready()
        return program

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _start(
        self,
        name: str,
        command: Sequence[str],
        pipe: int,
        *,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> subprocess.Popen[bytes]:
        tracer = self.under(name)
        with self._log(name).open("ab") as log:
            process = subprocess.Popen(
                [*tracer, *command],
                stdin=pipe,
                stdout=pipe if pipe == subprocess.PIPE else log,
                stderr=log,
                cwd=self.folder,
                env=clean_environment(environment or {}),
                user=user,
                start_new_session=True,  # Ctrl-C is for us: we end them ourselves, in order
            )
        self._running.append(process)
        if tracer:
            self._tracers.add(process.pid)
        self._named[name] = process.pid
        return process

    def tree(self, without: Program | None = None) -> list[int]:
        """Every process that runs for the engine, with all that these have started."""
        left_out = None if without is None else without.process
        roots = [each.pid for each in self._running if each is not left_out]
        return [pid for pid in _with_children(roots) if _fields(pid) is not None]

    def kill(self) -> None:
        """Kill all of it at once, as a power cut does."""
        for pid in self.tree():
            if pid not in self._tracers:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue  # it has ended by itself meanwhile
        # A tracer ends when what it traces has ended, and has then seen to it that nothing of that
        # is left: to Postgres, a dead process of its own that nobody has waited for still runs.
        for process in self._running:
            process.wait(STOP_DEADLINE_S)
        self._running.clear()
        self._tracers.clear()

    def stop(self) -> None:
        """End all of it, the last one started first, politely and then not."""
        for process in reversed(self._running):
            process.terminate()
            try:
                process.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                continue  # it is killed below
        self.kill()


def _fields(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


def _with_children(roots: Sequence[int]) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _fields(int(entry.name))) is not None:
            children.setdefault(int(fields[_PARENT]), []).append(int(entry.name))
    found = list(roots)
    for pid in found:  # it grows while it is walked
        found += children.get(pid, [])
    return found


def cpu_s(pids: Sequence[int]) -> float:
    """CPU seconds that these processes have used so far."""
    all_fields = [fields for pid in pids if (fields := _fields(pid)) is not None]
    ticks = sum(int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS]) for fields in all_fields)
    return ticks / _TICKS_PER_S


def memory_bytes(pids: Sequence[int]) -> int:
    """Memory of these processes, with each shared page counted once (proportional set size)."""
    return sum(_pss_kib(pid) for pid in pids) * 1024


def _pss_kib(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has ended
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
