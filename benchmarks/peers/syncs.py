"""How often programs make the kernel flush to disk, as strace tells.

Programs are started under strace with a filter in the kernel, so that they stop at these calls
alone. One that strace attaches to stops at every call that it makes, and behaves like another
program: what takes a millisecond takes three, and who waits for that a moment waits in vain.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

CALLS: Final = ("fsync", "fdatasync", "msync", "sync_file_range", "syncfs")
PROBE_DEADLINE_S: Final = 15.0
# What programs are started under; it tells on their standard error.
TRACER: Final = (
    *("strace", "-f", "--seccomp-bpf", "--quiet=all"),
    *("-e", "signal=none", "-e", f"trace={','.join(CALLS)}"),
)
_BEGUN: Final = re.compile(rf"\b(?:{'|'.join(CALLS)})\(\d")


def can_trace() -> bool:
    """Whether strace is there, knows such filters, and is permitted."""
    if shutil.which(TRACER[0]) is None:
        return False
    probe = [*TRACER, "true"]
    try:
        done = subprocess.run(probe, check=False, capture_output=True, timeout=PROBE_DEADLINE_S)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def count_in(logs: Iterable[Path]) -> int:
    """Return how many such calls the logs of traced programs tell of."""
    return sum(len(_BEGUN.findall(log.read_text("utf-8", errors="replace"))) for log in logs)
