"""How often a group of processes makes the kernel flush to disk, as strace counts it."""

import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

CALLS: Final = ("fsync", "fdatasync", "msync", "sync_file_range", "syncfs")
ATTACH_DEADLINE_S: Final = 15.0
_TRACED: Final = re.compile(r"Process (\d+) attached")
_REFUSED: Final = re.compile(r"ptrace\(PTRACE_\w+, (\d+)")


def counted(pids: Sequence[int], folder: Path, work: Callable[[], None]) -> int | None:
    """Return how many such calls these processes made during `work`; None if nobody can count."""
    program = shutil.which("strace")
    if program is None:
        return None
    summary = folder / "syncs.txt"
    options = ["-f", "-c", "-U", "calls,name", "-e", f"trace={','.join(CALLS)}"]
    attach = [part for pid in pids for part in ("-p", str(pid))]
    tracer = subprocess.Popen(
        [program, *options, "-o", str(summary), *attach],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        if not _attached(tracer, set(pids)):
            return None
        work()
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
    return count_in(summary.read_text("utf-8"))


def _attached(tracer: subprocess.Popen[str], pids: set[int]) -> bool:
    """Return once those that still run are traced; False if that is not permitted."""
    assert tracer.stderr is not None
    output = tracer.stderr
    done = threading.Event()
    traced: set[int] = set()
    refused: set[int] = set()

    def read() -> None:
        for line in output:
            traced.update(int(pid) for pid in _TRACED.findall(line))
            refused.update(int(pid) for pid in _REFUSED.findall(line))
            if pids <= traced | refused:
                done.set()
        done.set()

    threading.Thread(target=read, daemon=True).start()
    in_time = done.wait(ATTACH_DEADLINE_S)
    # One that has ended meanwhile is refused too; when none is permitted, none is traced.
    return in_time and bool(pids & traced) and pids <= traced | refused


def count_in(summary: str) -> int:
    """Return the number of calls that a summary of strace tells."""
    found = re.findall(rf"^\s*(\d+)\s+(?:{'|'.join(CALLS)})\s*$", summary, re.MULTILINE)
    return sum(int(number) for number in found)
