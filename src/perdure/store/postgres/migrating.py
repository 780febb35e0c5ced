"""The schema and its version: how a database is brought up to date, and who may run on which.

Each migration has a number, counted from 1; the table `migrations` has a row of each that the
schema has been through. A program knows the migrations that it was shipped with. The rule of skew:
- a new program runs on the schema of the release before it, so that it can be there first;
- the program of the release before runs on a new schema, so that it can be there still.
So every release brings one migration at most, which takes away or changes nothing that the release
before it uses; what falls out of use goes with a later one. A migration says which programs may run
on what it leaves behind: those that know at least so many migrations (`runs_from`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from perdure.base.errors import StoreBroken
from perdure.store.postgres.connections import Link, connect
from perdure.store.postgres.errands import Errands
from perdure.store.postgres.faults import TROUBLE, fault_of
from perdure.store.postgres.statements import migrations, statements
from perdure.store.postgres.url import Address, address_of

_SQL: Final = statements("migrating")


class Fit(Enum):
    """How a program and a schema go together."""

    GOOD = auto()
    EMPTY = auto()  # there is no schema yet
    BEHIND = auto()  # the schema is one step older: the program runs on it, and may migrate it
    TOO_OLD = auto()  # the schema is older than that
    TOO_NEW = auto()  # the schema is one that the program may not run on


@dataclass(frozen=True, slots=True)
class Schema:
    """How far a schema has come, and how many migrations a program has to know to run on it."""

    version: int
    runs_from: int = 0

    def fits(self, known: int) -> Fit:
        """Tell how it goes together with a program that knows so many migrations."""
        if self.version == 0:
            return Fit.EMPTY
        if self.version > known:
            return Fit.GOOD if known >= self.runs_from else Fit.TOO_NEW
        if self.version == known:
            return Fit.GOOD
        return Fit.BEHIND if self.version == known - 1 else Fit.TOO_OLD


async def schema_of(link: Link, address: Address) -> Schema:
    """Return what the store's schema is now."""
    if not await link.value(_SQL["is_there"], address.schema):
        return Schema(0)
    row = await link.row(_SQL["version"])
    assert row is not None, "an aggregate has one row"
    return Schema(*row)


async def migrate(
    link: Link, address: Address, scripts: Mapping[int, str] | None = None
) -> list[int]:
    """Bring the schema up to date, each step whole or not at all; return the steps it took.

    Who else migrates is waited for. Raises what asyncpg raises, and StoreBroken if the schema is
    too new.
    """
    scripts = migrations() if scripts is None else scripts
    taken: list[int] = []
    while True:
        await link.run("BEGIN")
        try:
            await link.row(_SQL["lock"], address.schema)
            schema = await schema_of(link, address)
            check_not_too_new(schema, address, len(scripts))
            if schema.version >= len(scripts):
                await link.run("ROLLBACK")
                return taken
            number = schema.version + 1
            if schema.version == 0:
                await link.run(_SQL["create"].format(schema=address.schema))
            await link.run(scripts[number])
            await link.row(_SQL["done"], number, max(1, number - 1))
            await link.run("COMMIT")
        except BaseException:
            if link.is_usable and link.in_transaction:
                await link.run("ROLLBACK")
            raise
        taken.append(number)


def check_not_too_new(schema: Schema, address: Address, known: int) -> None:
    """Raise StoreBroken if a program that knows so many migrations may not run."""
    if schema.fits(known) is Fit.TOO_NEW:
        raise StoreBroken(
            f"{address} was migrated by a later version of perdure (its schema is "
            f"{schema.version}, this version knows up to {known}): install that version"
        )


def migrate_database(url: str, *, only_check: bool) -> tuple[int, int, tuple[int, ...]]:
    """Return how far a schema had come, how far this program goes, and the steps it took.

    Raises StoreErrors.
    """
    address, errands = address_of(url), Errands("migrating")
    try:
        return errands.run(_checked_and_migrated(address, only_check=only_check))
    finally:
        errands.stop()


async def _checked_and_migrated(
    address: Address, *, only_check: bool
) -> tuple[int, int, tuple[int, ...]]:
    known = len(migrations())
    try:
        link = await connect(address, statement_timeout_s=None)
        try:
            schema = await schema_of(link, address)
            check_not_too_new(schema, address, known)
            taken = [] if only_check else await migrate(link, address)
        finally:
            await link.close()
    except TROUBLE as error:
        raise fault_of(error, str(address)) from error
    return schema.version, known, tuple(taken)


async def make_fit(link: Link, address: Address, *, may_migrate: bool) -> list[int]:
    """Check the schema, and migrate it if it is not up to date and that is wished.

    Returns the steps taken. Raises StoreBroken if this program may not run on it.
    """
    known = len(migrations())
    schema = await schema_of(link, address)
    check_not_too_new(schema, address, known)
    fit = schema.fits(known)
    if fit is Fit.GOOD or (fit is Fit.BEHIND and not may_migrate):
        return []
    if may_migrate:
        return await migrate(link, address)
    found = "there is nothing in it yet" if fit is Fit.EMPTY else f"its schema is {schema.version}"
    raise StoreBroken(f"{address} is not ready for this version ({found}): run `perdure migrate`")
