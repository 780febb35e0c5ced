"""One process owns a file: a lock that ends with the process, however that ends.

The lock is `flock` on a side file, `<file>.lock`, which holds the owner's process id for people.
The kernel lets go of it when the owner dies, kill -9 included; the side file itself stays, and
means nothing without the lock. It is not on the database file, because closing any handle of that
would drop the locks that SQLite holds there.

A forked process would hold the lock on when its parent has died, so it closes what it was left.
"""

import errno
import fcntl
import os
import weakref
from pathlib import Path
from typing import Final

from perdure.base.errors import StoreBroken, StoreFailed, StoreLocked

_PERMISSIONS: Final = 0o644
_PASSING: Final = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO}


class Ownership:
    """The holding of one file; `release` may be called twice."""

    def __init__(self, path: Path) -> None:
        """Take the file at `path`, or raise StoreLocked, StoreBroken or StoreFailed."""
        self._path = path
        self._side = path.with_name(path.name + ".lock")
        self._descriptor: int | None = None
        try:
            descriptor = os.open(self._side, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PERMISSIONS)
        except OSError as error:
            raise self._fault(error) from error
        try:
            self._lock(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        _held.add(self)

    @property
    def lock_file(self) -> Path:
        return self._side

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.write(descriptor, b"%d\n" % os.getpid())
        except BlockingIOError as error:
            owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            who = f"process {owner}" if owner.isdecimal() else "another process"
            raise StoreLocked(
                f"{self._path} is in use by {who}: stop that one, or choose another file"
            ) from error
        except OSError as error:
            raise self._fault(error) from error

    def _fault(self, error: OSError) -> StoreBroken | StoreFailed:
        fault = StoreFailed if error.errno in _PASSING else StoreBroken
        return fault(
            f"{self._path}: cannot lock it with {self._side}: {error.strerror}; make the folder "
            "writable for this user, or choose another file"
        )


_held: Final["weakref.WeakSet[Ownership]"] = weakref.WeakSet()


def _leave_to_parent() -> None:
    """In a forked process the files are its parent's; to close a lock there does not unlock it."""
    for ownership in tuple(_held):
        ownership.release()


os.register_at_fork(after_in_child=_leave_to_parent)
