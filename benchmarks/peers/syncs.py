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
        if not _attached(tracer, len(pids)):
            return None
        work()
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
    return count_in(summary.read_text("utf-8"))


def _attached(tracer: subprocess.Popen[str], count: int) -> bool:
    """Return once all are traced; False if that is not permitted."""
    assert tracer.stderr is not None
    output = tracer.stderr
    done = threading.Event()
    attached = 0

    def read() -> None:
        nonlocal attached
        for line in output:
            if " attached" in line:
                attached += 1
            if attached == count:
                done.set()
        done.set()

    threading.Thread(target=read, daemon=True).start()
    return done.wait(ATTACH_DEADLINE_S) and attached >= count


def count_in(summary: str) -> int:
    """Return the number of calls that a summary of strace tells."""
    found = re.findall(rf"^\s*(\d+)\s+(?:{'|'.join(CALLS)})\s*$", summary, re.MULTILINE)
    return sum(int(number) for number in found)
