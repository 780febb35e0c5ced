"""Deliveries and notes of the embedded component, as promised in `components.deliveries`."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from perdure.base.errors import CallerFault
from perdure.base.limits import PAGE_ROWS_MAX
from perdure.base.observer import Observer, Operation
from perdure.base.time import Clock
from perdure.components.deliveries import KeptEvent, NotePage, ParkedStart
from perdure.core.deliveries import (
    Delivered,
    Delivery,
    Fate,
    RaiseStep,
    StartOrRaiseStep,
    StartStep,
    Step,
)
from perdure.core.notes import ENGINE_SHELVES, NoteRow, Shelf
from perdure.core.requests import Refusal
from perdure.engine.parcels import unpack_event, unpack_start
from perdure.engine.service import Engine
from perdure.store.port import Store

T = TypeVar("T")
_DIGITS_MAX: Final = 18  # every number of so many digits is one that a store can hold


class EmbeddedDeliveries:
    """The engine, as sources of messages ask for it."""

    def __init__(self, engine: Engine, clock: Clock, observer: Observer) -> None:
        """Stand before `engine`."""
        self._engine = engine
        self._clock = clock
        self._observer = observer

    async def deliver(self, delivery: Delivery) -> Delivered | Refusal:
        began_us = self._clock.now_us()
        result = await self._engine.deliveries.deliver(delivery)
        operation = _operation(delivery.step, result)
        if operation is not None:
            self._observer.operation(
                operation,
                app_id=self._engine.settings.app_id,
                succeeded=isinstance(result, Delivered),
                latency_us=max(0, self._clock.now_us() - began_us),
            )
        return result

    # ---- notes

    async def note(self, shelf: str, key: str) -> NoteRow | None:
        return await self._engine.read(lambda store: store.note(shelf, key))

    async def notes(
        self, shelf: str, *, since_us: int = 0, token: str | None = None, limit: int
    ) -> NotePage:
        _check_limit(limit)
        # No note has the row 0, so those of the moment `since_us` come after it.
        after = (since_us, 0) if token is None else _place_of(token)
        rows = await self._engine.read(lambda store: store.notes(shelf, after, limit + 1))
        return _page(rows, limit, lambda row: f"{row.at_us}.{row.row}")

    async def notes_about(
        self, shelf: str, about: str, *, token: str | None = None, limit: int
    ) -> NotePage:
        _check_limit(limit)
        after = 0 if token is None else _number_of(token)
        rows = await self._engine.read(
            lambda store: store.notes_about(shelf, about, after, limit + 1)
        )
        return _page(rows, limit, lambda row: str(row.row))

    async def count_notes(self, shelf: str) -> int:
        return await self._engine.read(lambda store: store.note_count(shelf))

    async def count_notes_about(self, shelf: str) -> dict[str, int]:
        return await self._engine.read(lambda store: store.note_counts(shelf))

    async def forget_notes(self, shelf: str, before_us: int) -> int:
        assert shelf not in ENGINE_SHELVES, f"{shelf} is not a caller's to change"
        return await self._engine.forgetting.forget(shelf, before_us)

    # ---- what waits for instances

    async def mailbox(self, instance_id: str | None, *, limit: int) -> Sequence[KeptEvent]:
        rows = await self._waiting(Shelf.MAILBOX, instance_id, limit)
        return [_kept_event(row) for row in rows]

    async def parked(self, instance_id: str | None, *, limit: int) -> Sequence[ParkedStart]:
        rows = await self._waiting(Shelf.PARKED, instance_id, limit)
        return [_parked_start(row) for row in rows]

    async def discard_kept(self, key: str) -> bool:
        return await self._engine.mailbox.discard(key)

    async def discard_parked(self, key: str) -> bool:
        return await self._engine.parking.discard(key)

    async def _waiting(
        self, shelf: Shelf, instance_id: str | None, limit: int
    ) -> tuple[NoteRow, ...]:
        _check_limit(limit)

        def ask(store: Store) -> tuple[NoteRow, ...]:
            if instance_id is None:
                return store.notes(shelf, (0, 0), limit)
            return store.notes_about(shelf, instance_id, 0, limit)

        return await self._engine.read(ask)


def _operation(step: Step | None, result: Delivered | Refusal) -> Operation | None:
    """Return as what a delivery is counted beside the requests of other doors, if it is."""
    match result, step:
        case Delivered(Fate.STARTED | Fate.RECYCLED), _:
            return "create_workflow"
        case Delivered(Fate.RAISED), _:
            return "add_event"
        case Refusal(), StartStep():
            return "create_workflow"
        case Refusal(), RaiseStep() | StartOrRaiseStep():
            return "add_event"
        case _:
            return None


def _kept_event(row: NoteRow) -> KeptEvent:
    event, kept_at_us = unpack_event(row.body)
    return KeptEvent(
        key=row.key,
        instance_id=event.instance_id,
        name=event.name,
        input=event.input,
        kept_at_us=kept_at_us,
        expires_at_us=row.at_us,
    )


def _parked_start(row: NoteRow) -> ParkedStart:
    start, parked_at_us = unpack_start(row.body)
    return ParkedStart(
        key=row.key,
        instance_id=start.instance_id,
        name=start.name,
        input=start.input,
        parked_at_us=parked_at_us,
    )


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= PAGE_ROWS_MAX:
        msg = f"a page has from 1 to {PAGE_ROWS_MAX} rows"
        raise CallerFault(msg)


def _page(rows: Sequence[NoteRow], limit: int, token_of: Callable[[NoteRow], str]) -> NotePage:
    page = tuple(rows[:limit])
    return NotePage(page, token_of(page[-1]) if len(rows) > limit else None)


def _place_of(token: str) -> tuple[int, int]:
    moment, dot, row = token.partition(".")
    if not dot:
        raise _unknown()
    return _number_of(moment), _number_of(row)


def _number_of(token: str) -> int:
    if not (token.isascii() and token.isdigit() and len(token) <= _DIGITS_MAX):
        raise _unknown()
    return int(token)


def _unknown() -> CallerFault:
    return CallerFault("the continuation token is not one of ours")
