"""The store in a Postgres database, which several nodes may share.

Theory of operation. The port is synchronous, and asyncpg is not: everything is done on a loop in a
thread of its own (`errands`). One connection writes, and only `commit` uses it (`writing`); reads
borrow others, see what was committed, and wait for nobody. Connections that are lost are replaced
when they are next needed, so a store outlives every restart of its server.
"""

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from threading import Lock
from typing import TypeVar

from perdure.base.limits import LIFECYCLE_ROWS_MAX
from perdure.store.checks import check_entry, check_shipment
from perdure.store.leases import News, NodeReport, Standing, Term
from perdure.store.moving import Numbers, Shipment, Whole
from perdure.store.partitions import Partition
from perdure.store.port import (
    Entry,
    HistoryRow,
    LifecycleRow,
    Loaded,
    NoteRow,
    Outcome,
    Page,
    ReadyRow,
    Snapshot,
    TaskRow,
    TimerRow,
    Within,
)
from perdure.store.postgres import leasing, moving, reading
from perdure.store.postgres.connections import Link, Pool
from perdure.store.postgres.errands import Errands
from perdure.store.postgres.faults import TROUBLE, fault_of
from perdure.store.postgres.finding import find
from perdure.store.postgres.listening import Listener, channel_of
from perdure.store.postgres.messages import written
from perdure.store.postgres.opening import Opened, open_database
from perdure.store.postgres.url import Address, address_of
from perdure.store.postgres.writing import SETTLE_TIMEOUT_S, Writer
from perdure.store.query import InstanceQuery

T = TypeVar("T")


class PostgresStore:
    """A `SharedStore` in the database at `url`, whose tables are made if there are none.

    Opening it raises StoreUnavailable if it cannot be reached and StoreBroken if it cannot be used.
    Without `migrate` the tables have to be there already, up to date or one step behind. A commit
    whose reply is lost raises StoreUnsure if no server tells within `settle_timeout_s` what became
    of it.
    """

    def __init__(
        self,
        url: str,
        *,
        lifecycle_rows_max: int = LIFECYCLE_ROWS_MAX,
        migrate: bool = True,
        settle_timeout_s: float = SETTLE_TIMEOUT_S,
    ) -> None:
        self._address = address_of(url)
        self._errands = Errands("postgres")
        self._committing = Lock()
        try:
            self._opened: Opened = self._errands.run(
                open_database(self._address, may_migrate=migrate)
            )
        except BaseException:
            self._errands.stop()
            raise
        self._listener: Listener | None = None
        self._has_stood = False
        self._pool = Pool(self._address)
        self._writer = Writer(
            self._address,
            self._opened.partitions,
            lifecycle_rows_max=lifecycle_rows_max,
            settle_timeout_s=settle_timeout_s,
        )

    @property
    def address(self) -> Address:
        """Where it is."""
        return self._address

    @property
    def partitions(self) -> int:
        """How many partitions each app has."""
        return self._opened.partitions

    @property
    def warnings(self) -> tuple[str, ...]:
        """What about the server puts workflows in danger, for people."""
        return self._opened.warnings

    @property
    def version(self) -> str:
        """The server's version, for people."""
        return self._opened.version

    def commit(self, entries: Sequence[Entry]) -> list[Outcome]:
        for entry in entries:
            check_entry(entry, shared=True)
        with self._committing:
            return self._errands.run(self._writer.commit(entries))

    def reserve(self, wanted: Numbers) -> Numbers:
        with self._committing:
            return self._errands.run(self._writer.reserve(wanted))

    def receive(self, shipment: Shipment) -> tuple[str, ...]:
        check_shipment(shipment)
        with self._committing:
            return self._errands.run(self._writer.receive(shipment))

    def stand(self, report: NodeReport) -> Standing:
        heard = self._writer.others_heard
        standing = self._ask(lambda link: leasing.stand(link, report))
        if not self._has_stood:
            self._has_stood = True
            self._ask(lambda link: leasing.notify(link, self._told(News())))
        self._writer.held = {term.partition: term for term in standing.renewed}
        self._writer.is_alone = [each.node for each in standing.members] == [report.node]
        if heard != self._writer.others_heard:
            self._writer.is_alone = False  # somebody has come since the members were read
        return standing

    def claim(self, node: str, partitions: Collection[Partition], ttl_us: int) -> tuple[Term, ...]:
        terms = self._ask(lambda link: leasing.claim(link, node, partitions, ttl_us))
        self._writer.held = {**self._writer.held, **{term.partition: term for term in terms}}
        return terms

    def release(self, node: str, terms: Collection[Term]) -> None:
        self._forget(terms)
        self._ask(lambda link: leasing.release(link, node, terms, self._told(News(leases=True))))

    def leave(self, node: str) -> None:
        self._forget(self._writer.held.values())
        self._writer.is_alone = False
        self._ask(lambda link: leasing.leave(link, node, self._told(News(leases=True))))

    def _forget(self, terms: Collection[Term]) -> None:
        over = set(terms)
        held = self._writer.held.items()
        self._writer.held = {where: term for where, term in held if term not in over}

    def _told(self, news: News) -> tuple[str, str]:
        """Return the channel, and what tells others; of nothing, it tells that we are there."""
        return channel_of(self._address), written(news, str(self._writer.teller))

    def listen(self, hear: Callable[[News], None]) -> None:
        self._errands.run(self._listen(hear))

    async def _listen(self, hear: Callable[[News], None]) -> None:
        if self._listener is not None:
            await self._listener.stop()
        self._listener = Listener(
            self._address, str(self._writer.teller), hear, self._writer.hear_of_others
        )
        try:
            await self._listener.start()
            await self._pool.ask(lambda link: leasing.notify(link, self._told(News())))
        except TROUBLE as error:
            raise fault_of(error, str(self._address)) from error

    def close(self) -> None:
        """Close every connection. A commit that is under way lands first."""
        with self._committing:
            if self._errands.stopped:
                return
            try:
                self._errands.run(self._close())
            finally:
                self._errands.stop()

    async def _close(self) -> None:
        try:
            if self._listener is not None:
                await self._listener.stop()
        finally:
            await self._writer.close()
            await self._pool.close()

    def _ask(self, read: Callable[[Link], Awaitable[T]]) -> T:
        return self._errands.run(self._pool.ask(read))

    def _ask_moment(self, read: Callable[[Link], Awaitable[T]]) -> T:
        return self._errands.run(self._pool.ask(read, one_moment=True))

    def snapshot(self, instance: str | int) -> Snapshot | None:
        return self._ask(lambda link: reading.snapshot(link, instance))

    def load(self, instance: str | int) -> Loaded | None:
        return self._ask_moment(lambda link: reading.load(link, instance))

    def load_inbox(self, key: int) -> Loaded | None:
        return self._ask_moment(lambda link: reading.load_inbox(link, key))

    def history(self, key: int, after_seq: int, limit: int) -> tuple[HistoryRow, ...]:
        return self._ask(lambda link: reading.history(link, key, after_seq, limit))

    def payload_events(self, key: int) -> tuple[bytes | None, bytes | None]:
        return self._ask_moment(lambda link: reading.payload_events(link, key))

    def find(self, query: InstanceQuery) -> Page:
        return self._ask(lambda link: find(link, query))

    def list_ids(self, after_key: int, limit: int) -> tuple[tuple[int, str], ...]:
        return self._ask(lambda link: reading.ids(link, after_key, limit))

    def children(self, key: int) -> tuple[Snapshot, ...]:
        return self._ask(lambda link: reading.children(link, key))

    def ready(self, after_key: int, limit: int, within: Within = None) -> tuple[ReadyRow, ...]:
        return self._ask(lambda link: reading.ready(link, after_key, limit, within))

    def terminating(self, within: Within = None) -> tuple[int, ...]:
        return self._ask(lambda link: reading.terminating(link, within))

    def tasks(self, after_row: int, limit: int, within: Within = None) -> tuple[TaskRow, ...]:
        return self._ask(lambda link: reading.tasks(link, after_row, limit, within))

    def tasks_of(self, key: int) -> tuple[TaskRow, ...]:
        return self._ask(lambda link: reading.tasks_of(link, key))

    def due_timers(self, now_us: int, limit: int, within: Within = None) -> tuple[TimerRow, ...]:
        return self._ask(lambda link: reading.due_timers(link, now_us, limit, within))

    def next_timer_us(self, within: Within = None) -> int | None:
        return self._ask(lambda link: reading.next_timer_us(link, within))

    def expired(self, phase: int, completed_before_us: int, limit: int) -> tuple[int, ...]:
        return self._ask(lambda link: reading.expired(link, phase, completed_before_us, limit))

    def oldest_completed_us(self, phase: int) -> int | None:
        return self._ask(lambda link: reading.oldest_completed_us(link, phase))

    def counts(self) -> dict[int, int]:
        return self._ask(reading.counts)

    def stuck(self, limit: int) -> tuple[ReadyRow, ...]:
        return self._ask(lambda link: reading.stuck(link, limit))

    def lifecycle(self, after_seq: int, limit: int) -> tuple[LifecycleRow, ...]:
        return self._ask(lambda link: reading.lifecycle(link, after_seq, limit))

    def name_counts(self) -> dict[str, int]:
        return self._ask(reading.name_counts)

    def note(self, shelf: str, key: str) -> NoteRow | None:
        return self._ask(lambda link: reading.note(link, shelf, key))

    def notes(self, shelf: str, after: tuple[int, int], limit: int) -> tuple[NoteRow, ...]:
        return self._ask(lambda link: reading.notes(link, shelf, after, limit))

    def notes_about(
        self, shelf: str, about: str, after_row: int, limit: int
    ) -> tuple[NoteRow, ...]:
        return self._ask(lambda link: reading.notes_about(link, shelf, about, after_row, limit))

    def notes_before(
        self, shelf: str, before_us: int, limit: int
    ) -> tuple[tuple[str, str | None], ...]:
        return self._ask(lambda link: reading.notes_before(link, shelf, before_us, limit))

    def oldest_note_us(self, shelf: str) -> int | None:
        return self._ask(lambda link: reading.oldest_note_us(link, shelf))

    def note_count(self, shelf: str) -> int:
        return self._ask(lambda link: reading.note_count(link, shelf))

    def note_counts(self, shelf: str) -> dict[str, int]:
        return self._ask(lambda link: reading.note_counts(link, shelf))

    def numbers(self) -> Numbers:
        return self._ask(moving.numbers)

    def wholes(self, after_key: int, limit: int, history_bytes_max: int) -> tuple[Whole, ...]:
        return self._ask_moment(
            lambda link: moving.wholes(link, after_key, limit, history_bytes_max)
        )

    def notes_by_row(self, after_row: int, limit: int) -> tuple[NoteRow, ...]:
        return self._ask(lambda link: moving.notes_by_row(link, after_row, limit))

    def in_use_by(self) -> tuple[str, ...]:
        return self._ask(leasing.there)

    def ids_in_use(self, ids: Sequence[str]) -> tuple[str, ...]:
        return self._ask(lambda link: moving.ids_in_use(link, ids))

    def dump(self) -> Iterator[tuple[object, ...]]:
        yield from self._ask_moment(reading.dump)
