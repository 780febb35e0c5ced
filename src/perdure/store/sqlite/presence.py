"""Whether the files that are written to are the ones that a later start would find.

A file that is deleted or moved away stays open here, and takes whatever is written: only, nobody
would ever read that again. So nothing is committed while the database, its log of changes or the
lock that keeps others out is not where it belongs. When the same file is back, all goes on.
"""

from pathlib import Path

from perdure.base.errors import StoreFailed

_Identity = tuple[int, int]


class Presence:
    """Knows the files of one store, from the moment on at which it is made."""

    def __init__(self, database: Path, lock: Path) -> None:
        """Take the files as they are now; all of them are open."""
        self._database = database
        paths = (database, database.with_name(f"{database.name}-wal"), lock)
        self._known = [(path, _identity(path)) for path in paths]

    def check(self) -> None:
        """Raise StoreFailed if a file is not there, or another is in its place."""
        for path, known in self._known:
            if _identity(path) != known:
                raise StoreFailed(
                    f"{self._database}: {path} was deleted, moved or replaced while it was in use, "
                    "and nothing of this change was kept: put the file back, or stop the server "
                    "and start it with the right file"
                )


def _identity(path: Path) -> _Identity | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
