"""The store in one SQLite file, owned by one process."""

from perdure.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
