"""The commit: learn, apply, draw numbers, write, and be sure of what became of it.

Theory of operation. One commit is one transaction (READ COMMITTED) on the one connection that
writes. Several nodes commit at once, so:
- All instances that the entries name are locked before anything of them is read, and until the end.
  Nothing that the entries' expectations are about can change meanwhile, save that an id or the name
  of a note which was free is taken by another. Then the insertion violates an index.
- That, a deadlock or a serialization failure undoes the whole transaction, and the batch is run
  again from the start, a bounded number of times, with pauses in between.
- A commit whose reply is lost is settled: each counts itself in a row of its writer's, so a new
  connection can tell by that row whether it has landed. Reading the row waits for the old
  transaction if the server still has it. It is only where no server answers for too long that the
  caller has to be told StoreUnsure.
- A node that stands still in the middle of a commit keeps what is locked. The server ends such a
  transaction before the node's leases are over, so that others wait no longer for its locks than
  for its leases; if the node goes on, it finds its connection lost, and begins the batch anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar
from uuid import UUID, uuid4

from perdure.base.errors import StoreUnavailable, StoreUnsure
from perdure.base.limits import TRANSACTION_IDLE_US
from perdure.store.leases import ANYTHING, News, Term
from perdure.store.moving import Numbers, Shipment
from perdure.store.partitions import Partition
from perdure.store.port import Entry, Outcome
from perdure.store.postgres import moving
from perdure.store.postgres.applied import applied
from perdure.store.postgres.composing import NOTHING_MORE, Part, written_at_once
from perdure.store.postgres.connections import Link, connect
from perdure.store.postgres.faults import IN_THE_WAY, LOST, TROUBLE, fault_of
from perdure.store.postgres.learning import Overtaken, drawn, learn, tasks_of_all
from perdure.store.postgres.listening import channel_of
from perdure.store.postgres.messages import written
from perdure.store.postgres.numbering import NumberSeries, counting, drawn_numbers
from perdure.store.postgres.statements import statements
from perdure.store.postgres.telling import keys_of_all
from perdure.store.postgres.url import Address
from perdure.store.records import Row

T = TypeVar("T")

_SQL: Final = statements("writing")
_CONNECTING: Final = statements("connecting")
_LEASING: Final = statements("leasing")
_BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE"

_SILENT_TIMEOUT_MS: Final = TRANSACTION_IDLE_US // 1_000
_ATTEMPTS_MAX: Final = 12
_PAUSE_FIRST_S: Final = 0.002
_PAUSE_LONGEST_S: Final = 0.25
SETTLE_TIMEOUT_S: Final = 25.0  # longer than a server keeps a transaction whose client has gone
_SETTLE_PAUSE_S: Final = 0.2
# So many times in all that are kept, the lifecycle table is pruned.
_PRUNINGS: Final = 1_000


class Writer:
    """The one connection that writes, made when it is needed. On the store's loop."""

    def __init__(
        self,
        address: Address,
        partitions: int,
        *,
        lifecycle_rows_max: int,
        settle_timeout_s: float,
    ) -> None:
        """Begin without a connection."""
        self._address = address
        self._partitions = partitions
        self._lifecycle_rows_max = lifecycle_rows_max
        self._settle_timeout_s = settle_timeout_s
        self._channel = channel_of(address)
        self.teller = uuid4()  # whom others hear
        # What this node has leases on, as far as it knows. Changed by another thread, as a whole.
        self.held: Mapping[Partition, Term] = {}
        # That nobody else was there when this node stood up last, and nobody has been heard of
        # since: then nobody is told. Who comes says so.
        self.is_alone = False
        self.others_heard = 0
        self._link: Link | None = None
        self._backend: Row | None = None  # what serves it, or did so last
        self._begin_anew()
        self._closed = False

    def hear_of_others(self) -> None:
        """Tell others from now on: somebody is there."""
        # Counted first: whoever is about to find this node alone, in another thread, looks again.
        self.others_heard += 1
        self.is_alone = False

    def _begin_anew(self) -> None:
        self._name: UUID = uuid4()
        self._commits = 0

    async def commit(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Land all entries; raises what the port says."""
        return await self.land(lambda link: self._write(link, entries))

    async def reserve(self, wanted: Numbers) -> Numbers:
        """Reserve numbers; return the last ones before them."""
        return await self.land(lambda link: moving.reserve(link, wanted))

    async def receive(self, shipment: Shipment) -> tuple[str, ...]:
        """Put rows in; return the ids that are in use."""
        return await self.land(lambda link: self._receive(link, shipment))

    async def _receive(self, link: Link, shipment: Shipment) -> tuple[tuple[str, ...], bool]:
        taken, wrote = await moving.put_in(link, shipment, self._partitions)
        if wrote:
            await link.write(*written_at_once([self._count()], self._told(ANYTHING)))
        return taken, wrote

    async def land(self, write: Callable[[Link], Awaitable[tuple[T, bool]]]) -> T:
        """Return what `write` does, in a transaction that lands; it tells whether it has counted.

        Raises what the port says of a commit.
        """
        for attempt in range(1, _ATTEMPTS_MAX + 1):
            try:
                return await self._attempt(write)
            except (*IN_THE_WAY, Overtaken) as error:
                if attempt == _ATTEMPTS_MAX:
                    raise self._fault_of(error) from error
                await asyncio.sleep(self._pause_s(attempt))
            except _LostError as lost:
                if lost.was_fresh or attempt == _ATTEMPTS_MAX:
                    raise self._fault_of(lost.error) from lost.error
            except TROUBLE as error:
                raise self._fault_of(error) from error
        raise AssertionError("the last attempt returns or raises")

    def _fault_of(self, error: BaseException) -> BaseException:
        if isinstance(error, Overtaken):
            return StoreUnavailable(f"{self._address}: others are faster again and again")
        return fault_of(error, str(self._address))

    def _pause_s(self, attempt: int) -> float:
        """Return a pause that grows, and is another one for each writer."""
        longest_s: float = min(_PAUSE_LONGEST_S, _PAUSE_FIRST_S * (1 << attempt))
        return longest_s * (0.5 + (self._name.int >> attempt) % 64 / 128)

    async def _attempt(self, write: Callable[[Link], Awaitable[tuple[T, bool]]]) -> T:
        link = await self._connected()
        was_fresh, link.is_fresh = link.is_fresh, False
        try:
            await link.run(_BEGIN)
            done, wrote = await write(link)
        except LOST as error:
            self._drop()
            raise _LostError(error, was_fresh=was_fresh) from error
        except BaseException:
            await self._roll_back(link)
            raise
        try:
            await link.run("COMMIT")
        except LOST as error:
            self._drop()
            if not wrote:
                raise _LostError(error, was_fresh=was_fresh) from error
            if not await self._has_landed(error):
                raise _LostError(error, was_fresh=False) from error
        self._commits += wrote
        return done

    def _count(self) -> Part:
        return Part("count_commit", _SQL["count_commit"], (self._name, self._commits + 1))

    async def _write(self, link: Link, entries: Sequence[Entry]) -> tuple[list[Outcome], bool]:
        learned = await learn(link, entries)
        tells = not self.is_alone
        told_whole = keys_of_all(entries) if tells else set()
        open_tasks = await tasks_of_all(link, told_whole) if told_whole else []
        apply = partial(applied, learned, self._partitions, entries, open_tasks, tells=tells)
        done = apply(counting(learned.counters))
        needed = done.batch.numbers.given()
        held = [self.held[each] for each in done.telling.touched() if each in self.held]
        numbers, running = await drawn(link, needed, held)
        if not done.batch.numbers.are(numbers):
            given = drawn_numbers(learned.counters, numbers)
            done = apply(given)
            assert given.given() == needed, "numbers decide nothing"
        steps = list(done.batch.statements())
        if not steps:
            return done.outcomes, False
        for parts in steps[:-1]:
            await link.write(*written_at_once(parts))
        told = self._told(done.telling.news(running))
        await link.write(*written_at_once([*steps[-1], self._count()], told))
        await self._prune(link, done.batch.numbers)
        return done.outcomes, True

    def _told(self, news: News) -> Part:
        """Return what tells others, which they hear once the commit has landed."""
        if news == News():
            return NOTHING_MORE
        return Part("", _LEASING["notify"], (self._channel, written(news, str(self.teller))))

    async def _prune(self, link: Link, numbers: NumberSeries) -> None:
        series, kept = numbers.lifecycle_seq, self._lifecycle_rows_max
        step = max(1, kept // _PRUNINGS)
        if series.last > kept and series.last // step > series.before // step:
            await link.write(_SQL["prune_lifecycle"], (series.last - kept,))

    async def _connected(self) -> Link:
        if self._closed:
            raise StoreUnavailable(f"{self._address}: the store is closed")
        if self._link is None or not self._link.is_usable:
            self._link = await self._replacement()
        return self._link

    async def _replacement(self) -> Link:
        """Return a new connection; the server is rid of the one before it."""
        link = await connect(self._address, silent_timeout_ms=_SILENT_TIMEOUT_MS)
        try:
            if self._backend is not None:
                await link.row(_CONNECTING["end_backend"], *self._backend)
            self._backend = await link.row(_CONNECTING["this_backend"])
        except BaseException:
            link.drop()
            raise
        return link

    async def _roll_back(self, link: Link) -> None:
        try:
            if link.in_transaction:
                await link.run("ROLLBACK")
        except (*LOST, asyncio.CancelledError):
            self._drop()

    async def _has_landed(self, error: BaseException) -> bool:
        """Tell what became of a commit whose reply was lost; raises StoreUnsure."""
        wanted = self._commits + 1
        try:
            async with asyncio.timeout(self._settle_timeout_s):
                while True:
                    try:
                        link = await self._connected()
                        commits = await link.value(_SQL["commits_of"], self._name)
                    except TROUBLE:
                        self._drop()
                        await asyncio.sleep(_SETTLE_PAUSE_S)
                    else:
                        assert commits in {wanted - 1, wanted}, (commits, wanted)
                        return bool(commits == wanted)
        except TimeoutError:
            # Whatever comes of it must not be taken for a later commit's.
            self._begin_anew()
            raise StoreUnsure(
                f"{self._address}: the database went away while it was committing ({error}); "
                "whether it has kept the changes is unknown"
            ) from error

    def _drop(self) -> None:
        if self._link is not None:
            self._link.drop()
            self._link = None

    async def close(self) -> None:
        """Close the connection; nothing is committed any more."""
        self._closed = True
        link, self._link = self._link, None
        if link is not None:
            await link.close()


class _LostError(Exception):
    """The connection was lost, and nothing was kept."""

    def __init__(self, error: BaseException, *, was_fresh: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.was_fresh = was_fresh
