"""Connections to the server: how each is set up, and those that reads borrow."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from perdure.base.errors import StoreUnavailable
from perdure.store.postgres.faults import LOST, TROUBLE, fault_of
from perdure.store.postgres.statements import statements
from perdure.store.postgres.texts import bound, plain_row
from perdure.store.postgres.url import Address
from perdure.store.records import Row

T = TypeVar("T")

_SQL: Final = statements("connecting")
CONNECT_TIMEOUT_S: Final = 10.0
# Beyond it a server, or the way to it, is taken for gone.
STATEMENT_TIMEOUT_S: Final = 30.0
# What others wait for ends on the server soon after its client has gone, or stopped.
LOCK_TIMEOUT_MS: Final = 10_000
SILENT_TIMEOUT_MS: Final = 15_000
READS_AT_ONCE_MAX: Final = 8
_WAIT_FOR_A_TURN_S: Final = 30.0
_STATEMENTS_CACHED: Final = 500


class Link:
    """One connection, on the loop that it was made on. Texts go in and come out as they are."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.is_fresh = True  # nothing was asked over it yet

    async def rows(self, sql: str, *values: object) -> list[Row]:
        """Return what a statement returns."""
        found = await self._connection.fetch(sql, *map(bound, values))
        return [plain_row(row) for row in found]

    async def row(self, sql: str, *values: object) -> Row | None:
        """Return the first row, None if there is none."""
        found = await self._connection.fetchrow(sql, *map(bound, values))
        return None if found is None else plain_row(found)

    async def value(self, sql: str, *values: object) -> Any:
        """Return the first column of the first row."""
        found = await self.row(sql, *values)
        return None if found is None else found[0]

    async def run(self, sql: str) -> None:
        """Run statements without values."""
        await self._connection.execute(sql)

    async def write(self, sql: str, values: Sequence[object]) -> None:
        """Run a statement whose values are bound already."""
        await self._connection.fetch(sql, *values)

    @property
    def raw(self) -> Any:
        """The connection itself, for listening."""
        return self._connection

    @property
    def is_usable(self) -> bool:
        return not self._connection.is_closed()

    @property
    def in_transaction(self) -> bool:
        return self.is_usable and bool(self._connection.is_in_transaction())

    async def close(self) -> None:
        """Say farewell to the server; without its answer if it gives none."""
        try:
            await self._connection.close(timeout=1.0)
        except LOST:
            self.drop()

    def drop(self) -> None:
        """Let go of it at once."""
        self._connection.terminate()


async def connect(
    address: Address,
    *,
    statement_timeout_s: float | None = STATEMENT_TIMEOUT_S,
    silent_timeout_ms: int = SILENT_TIMEOUT_MS,
) -> Link:
    """Return a connection that is set up; raises what asyncpg and the system raise.

    The server ends it if nothing is heard of its client for so long, in the middle of a transaction
    or of an answer.
    """
    connection = await asyncpg.connect(
        address.dsn,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=statement_timeout_s,
        statement_cache_size=_STATEMENTS_CACHED,
        max_cached_statement_lifetime=0,
        max_cacheable_statement_size=0,
        target_session_attrs=None if address.names_session else SessionAttribute.read_write,
    )
    link = Link(connection)
    try:
        await link.row(
            _SQL["set_up"],
            address.schema,
            str(LOCK_TIMEOUT_MS),
            str(silent_timeout_ms),
        )
    except BaseException:
        link.drop()
        raise
    return link


class Pool:
    """As many connections as there are reads at one time. The last one used is lent first."""

    def __init__(self, address: Address) -> None:
        """Begin without any, on a loop that runs."""
        self._address = address
        self._idle: list[Link] = []
        self._turns = asyncio.Semaphore(READS_AT_ONCE_MAX)
        self._closed = False

    async def ask(self, read: Callable[[Link], Awaitable[T]], *, one_moment: bool = False) -> T:
        """Return what a read returns, all of it as of one moment if need be.

        A connection that turns out to be lost is replaced once. Postgres' errors come out as ours.
        """
        try:
            try:
                return await self._ask(read, one_moment=one_moment)
            except _StaleError:
                return await self._ask(read, one_moment=one_moment)
        except TROUBLE as error:
            raise fault_of(error, str(self._address)) from error
        except _StaleError as error:
            raise fault_of(error.error, str(self._address)) from error.error

    async def _ask(self, read: Callable[[Link], Awaitable[T]], *, one_moment: bool) -> T:
        async with self._lend() as link:
            was_fresh, link.is_fresh = link.is_fresh, False
            try:
                if one_moment:
                    await link.run("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                found = await read(link)
                if one_moment:
                    await link.run("COMMIT")
            except LOST as error:
                link.drop()
                self._drop_idle()
                if was_fresh:
                    raise
                raise _StaleError(error) from error
            except BaseException:
                if one_moment and link.is_usable:
                    await link.run("ROLLBACK")
                raise
            return found

    @asynccontextmanager
    async def _lend(self) -> AsyncIterator[Link]:
        async with asyncio.timeout(_WAIT_FOR_A_TURN_S):
            await self._turns.acquire()
        try:
            link = await self._take()
            try:
                yield link
            finally:
                self._give_back(link)
        finally:
            self._turns.release()

    async def _take(self) -> Link:
        if self._closed:
            raise StoreUnavailable(f"{self._address}: the store is closed")
        while self._idle:
            link = self._idle.pop()
            if link.is_usable:
                return link
        return await connect(self._address)

    def _give_back(self, link: Link) -> None:
        if not link.is_usable:
            return
        if self._closed or link.in_transaction:
            link.drop()
        else:
            self._idle.append(link)

    def _drop_idle(self) -> None:
        idle, self._idle = self._idle, []
        for link in idle:
            link.drop()

    async def close(self) -> None:
        """Close what is idle; what is lent is dropped when it comes back."""
        self._closed = True
        idle, self._idle = self._idle, []
        for link in idle:
            await link.close()


class _StaleError(Exception):
    """A connection that had been good was lost."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error
