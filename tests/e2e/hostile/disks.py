"""Disks that are full or cannot be written, made with what the machine allows."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.e2e.serving import Server

MIB: Final = 1024 * 1024
_CHUNK: Final = b"x" * 4096


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Path | None]:
    """A disk of its own of this size; None if this user cannot make one."""
    folder.mkdir()
    options = f"size={size_bytes}"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if done.returncode != 0:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Use up what is left of a disk; deleting the file that this returns gives it back."""
    filler = folder / "filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        while os.write(descriptor, _CHUNK):
            continue
    except OSError:
        return filler
    finally:
        os.close(descriptor)
    raise AssertionError("a disk without an end")


@contextmanager
def full(disk: Path) -> Iterator[Callable[[], None]]:
    """Use up what is left of a disk, until that is given back."""
    filler = fill(disk)
    try:
        yield filler.unlink
    finally:
        filler.unlink(missing_ok=True)


@contextmanager
def no_file_may_grow(server: Server) -> Iterator[Callable[[], None]]:
    """Let no file of the server's grow beyond what its log of changes has now, until lifted."""
    before = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    size = Path(f"{server.store}-wal").stat().st_size
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size, before[1]))

    def lift() -> None:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, before)

    try:
        yield lift
    finally:
        lift()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nobody write below a folder that is a disk of its own, or that this user owns."""
    if os.path.ismount(folder):
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        try:
            yield
        finally:
            subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
        return
    paths = [folder, *folder.iterdir()]
    modes = {path: path.stat().st_mode for path in paths}
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
