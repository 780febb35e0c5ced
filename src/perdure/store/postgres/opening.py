"""Opening a database: what it has to be, and what a person is told of one that will not do."""

from dataclasses import dataclass
from typing import Final

from perdure.base.errors import StoreBroken
from perdure.store.postgres.connections import Link, connect
from perdure.store.postgres.faults import TROUBLE, fault_of
from perdure.store.postgres.migrating import make_fit
from perdure.store.postgres.statements import statements
from perdure.store.postgres.url import Address

_SQL: Final = statements("connecting")
_WRITING: Final = statements("writing")
VERSION_MIN: Final = 13
_VERSION_PARTS: Final = 10_000
_POOLER_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Opened:
    """What is known of a database that can be used."""

    partitions: int
    version: str
    warnings: tuple[str, ...]
    migrated: tuple[int, ...]


async def open_database(address: Address, *, may_migrate: bool) -> Opened:
    """Check the server and the schema; raises StoreUnavailable, StoreFailed or StoreBroken."""
    try:
        link = await connect(address, statement_timeout_s=None)  # a migration may take its time
        try:
            return await _opened(link, address, may_migrate=may_migrate)
        finally:
            await link.close()
    except TROUBLE as error:
        raise fault_of(error, str(address)) from error


async def _opened(link: Link, address: Address, *, may_migrate: bool) -> Opened:
    row = await link.row(_SQL["server"])
    assert row is not None, "a SELECT without FROM has one row"
    number, encoding, fsync, full_pages, backend, version = row
    if number < VERSION_MIN * _VERSION_PARTS:
        raise StoreBroken(f"{address} is Postgres {version}: {VERSION_MIN} or later is needed")
    if encoding != "UTF8":
        raise StoreBroken(
            f"{address}: the database is encoded as {encoding}: create one with ENCODING 'UTF8'"
        )
    await _check_pooler(link, address, backend)
    migrated = await make_fit(link, address, may_migrate=may_migrate)
    await link.write(_WRITING["forget_writers"], ())
    partitions = await link.value("SELECT partitions FROM store")
    warnings = [
        f"{address}: the server runs with {name} = off; what was acknowledged can be lost, and the "
        "database damaged, when its machine fails"
        for name, setting in (("fsync", fsync), ("full_page_writes", full_pages))
        if setting == "off"
    ]
    return Opened(partitions, version, tuple(warnings), tuple(migrated))


async def _check_pooler(link: Link, address: Address, backend: int) -> None:
    """Raise StoreBroken if what is behind the address changes with every transaction."""
    if link.raw.get_server_pid() == backend:
        return
    # Somebody stands in between. If two connections are open and yet are served by one backend, a
    # connection is not its own from one transaction to the next.
    other = await connect(address)
    try:
        for _ in range(_POOLER_TRIES):
            first, second = (await link.value(_SQL["backend"]), await other.value(_SQL["backend"]))
            if first == second:
                raise StoreBroken(
                    f"{address}: a pooler (PgBouncer?) hands every transaction to another "
                    "connection, and what perdure has set, prepared and listens to is lost with "
                    "it: set pool_mode = session for this database, or connect to Postgres itself"
                )
    finally:
        await other.close()
