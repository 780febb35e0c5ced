"""The processes that are measured, and what the kernel says they have used."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.programs import clean_environment
from tests.e2e.serving import Server
from tests.e2e.venvs import DAPR_1_18, ensure

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_WORKERS = Path(__file__).parent / "workers"
DAPR, LEAN, OWN = "dapr", "lean", "perdure"
WORKERS = {
    DAPR: "dapr 1.18.3 with dapr-ext-workflow 1.18.3",
    LEAN: "a lean worker on our own transport, which keeps its generators",
    OWN: "perdure.workflow at an address, coroutines and async activities",
}


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds since the process began, and resident bytes now."""

    cpu_s: float
    rss_bytes: int


def usage(pid: int) -> Usage:
    """Return what a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    cpu_s = (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    rss_kib = next(int(line.split()[1]) for line in status.splitlines() if line[:6] == "VmRSS:")
    return Usage(cpu_s, rss_kib * 1024)


@contextmanager
def worker(server: Server, kind: str) -> Iterator[int]:
    """Run one of `WORKERS` against a server, and give its process id."""
    program = {
        DAPR: [str(ensure(DAPR_1_18)), str(_WORKERS / "dapr_python.py")],
        LEAN: [sys.executable, str(_WORKERS / "lean.py")],
        OWN: [sys.executable, str(_WORKERS / "perdure_python.py")],
    }
    process = subprocess.Popen(
        program[kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=clean_environment(server.worker_environment),
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.strip() == b"ready", f"the worker did not come up: {line!r}"
        yield process.pid
    finally:
        process.kill()
        process.wait()
