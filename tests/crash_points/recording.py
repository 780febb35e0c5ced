"""The writes of a life, in order, as `disk.c` records them."""

import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HEAD: Final = struct.Struct("=qQ")
_SOURCE: Final = Path(__file__).parent / "disk.c"
_RUN_S: Final = 100
_ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done to one file: W(rite), S(ync), T(runcate) or U(nlink)."""

    kind: str
    name: str
    offset: int  # of a write, -1 for the end of the file; of a truncation its new size
    data: bytes


def build(folder: Path) -> Path:
    """Compile the recorder. It needs a C compiler, and fails without one."""
    library = folder / "disk.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCE), "-ldl", "-lpthread"],
        check=True,
        timeout=_RUN_S,
    )
    return library


def record(library: Path, life: str, folder: Path) -> tuple[Step, ...]:
    """Run a life in a process of its own, and return what it did to its files."""
    disk, log = folder / "disk", folder / "steps"
    disk.mkdir()
    environment = {
        **os.environ,
        "LD_PRELOAD": str(library),
        "PERDURE_DISK_FOLDER": str(disk),
        "PERDURE_DISK_LOG": str(log),
    }
    subprocess.run(
        [sys.executable, "-m", "tests.crash_points.scenarios", life, str(disk)],
        check=True,
        cwd=_ROOT,
        env=environment,
        timeout=_RUN_S,
    )
    steps = tuple(_parsed(log.read_bytes()))
    log.unlink()
    return steps


def _parsed(log: bytes) -> Iterator[Step]:
    at = 0
    while at < len(log):
        size = log[at + 1]
        begin = at + 2 + size
        name = log[at + 2 : begin].decode()
        offset, length = _HEAD.unpack_from(log, begin)
        kind = chr(log[at])
        at = begin + _HEAD.size
        data = log[at : at + length] if kind == "W" else b""
        at += len(data)
        # Memory that processes share, and the lock's text: neither outlives the process.
        if not name.endswith(("-shm", ".lock")):
            yield Step(kind, name, offset, data)
