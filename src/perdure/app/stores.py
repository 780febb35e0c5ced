"""Which stores there are, and how each is opened: a SQLite file, or a Postgres database."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, runtime_checkable
from urllib.parse import urlsplit

from perdure.base.errors import ConfigurationError
from perdure.store.moving import Target
from perdure.store.port import Store
from perdure.store.sqlite.store import SqliteStore

_SCHEMES: Final = frozenset({"postgres", "postgresql"})
# All up to the last @ before the path: a password may have one that nobody has escaped.
_SECRETS: Final = re.compile(r"(?<=//)[^/?#]*@")


def without_secrets(place: str) -> str:
    """Return where a store is, as it may be shown and logged."""
    shown, _, options = _SECRETS.sub("", place).partition("?")
    schema = [each for each in options.split("&") if each.startswith("schema=")]
    return "?".join([shown, *schema[:1]]) if "://" in place else place


@dataclass(frozen=True, slots=True)
class Database:
    """The address of a Postgres database. It holds a password, and does not show it."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        return without_secrets(self.url)


Place = Path | Database


def place_of(value: object) -> "Place":
    """Return the place that a text means, as it is otherwise. Raises ValueError for no store."""
    scheme = urlsplit(value).scheme if isinstance(value, str) and "://" in value else ""
    if isinstance(value, str) and scheme in _SCHEMES:
        return Database(value)
    if scheme:
        raise ValueError(
            f"there is no store {scheme}://; give a file path, such as perdure.db, or "
            "postgres://host/database"
        )
    assert isinstance(value, str | Path), value
    return Path(value)


class Movable(Store, Target, Protocol):
    """A store, from which and to which instances can be moved."""


@runtime_checkable
class Kept(Protocol):
    """A store that a server of its own keeps."""

    @property
    def version(self) -> str:
        """The server's version."""
        ...

    @property
    def warnings(self) -> Sequence[str]:
        """What about that server puts workflows in danger."""
        ...


def open_place(place: Place, *, may_migrate: bool = True) -> Movable:
    """Open a store, or raise a StoreError that says why not, or a ConfigurationError."""
    match place:
        case Database(url):
            return _open_database(url, may_migrate=may_migrate)
        case Path():
            return SqliteStore(place)


def _open_database(url: str, *, may_migrate: bool) -> Movable:
    try:
        # An optional family of libraries is loaded only when it is configured.
        from perdure.store.postgres.store import PostgresStore
    except ModuleNotFoundError as error:
        raise _not_installed(error) from error
    return PostgresStore(url, migrate=may_migrate)


def _not_installed(error: ModuleNotFoundError) -> ConfigurationError:
    return ConfigurationError(
        f"a store in Postgres needs {error.name}, which is not installed: install perdure[postgres]"
    )


@dataclass(frozen=True, slots=True)
class Migrated:
    """How far the tables of a database had come, how far this program goes, and what was done."""

    version: int
    known: int
    taken: tuple[int, ...]

    @property
    def missing(self) -> int:
        """How many steps there are still to go; none if the tables are of a later program."""
        return max(0, self.known - max(self.version, *self.taken, 0))


def migrate_place(place: Place, *, only_check: bool) -> Migrated:
    """Bring a database's tables up to date, or only look; return what was found and done.

    Raises ConfigurationError for a file, which needs no such thing, and StoreErrors.
    """
    if not isinstance(place, Database):
        raise ConfigurationError(
            f"{place} is a file: it is brought up to date whenever a server opens it"
        )
    try:
        from perdure.store.postgres.migrating import migrate_database
    except ModuleNotFoundError as error:
        raise _not_installed(error) from error
    return Migrated(*migrate_database(place.url, only_check=only_check))


def warnings_of(store: Store | None) -> tuple[str, ...]:
    """Return what a person should know of a store that is open."""
    return tuple(store.warnings) if isinstance(store, Kept) else ()


def keeping_of(place: Place, store: Store | None) -> dict[str, str]:
    """Return what keeps the workflows, and how, for people."""
    match place:
        case Database():
            server = f"Postgres {store.version}" if isinstance(store, Kept) else "Postgres"
            how = "every commit is flushed to its disk (synchronous_commit)"
            return {"database": str(place), "server": server, "durability": how}
        case Path():
            how = "every commit is flushed to disk (WAL, synchronous=FULL)"
            return {"file": str(place.resolve()), "durability": how}
