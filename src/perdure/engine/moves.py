"""Moving an instance on: a closed turn, a terminate or a stall, landed and then made true here.

A move expects the version it was made from. While one is under way the resident is `moving`
and nobody else makes another; what arrives meanwhile goes to the inbox and is looked at after.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from perdure.base.errors import AccessDenied
from perdure.base.records import dataclass
from perdure.core import effects as fx
from perdure.core.applying import Caller
from perdure.core.events import Event
from perdure.core.turn import Closed, ContinuedAsNew, Stalled, TurnResult, terminate
from perdure.engine.aftermath import FORBIDDEN, Aftermath
from perdure.engine.entries import (
    Prepared,
    born_entry,
    closed_entry,
    continued_entry,
    stalled_entry,
)
from perdure.engine.forbidding import forbidden, may_replace, told_others
from perdure.engine.ground import Ground
from perdure.engine.landing import Apply, Fail
from perdure.engine.lookup import Lookup
from perdure.engine.propagating import propagation
from perdure.engine.residents import Resident, Turn
from perdure.engine.rows import NOTHING_FOUND, Found, Newborn
from perdure.store.port import Outcome, Store

# How often holders of wanted ids are looked at that are being terminated, one life after another.
ENDING_HOLDERS_LOOKS_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Follow:
    """What follows a move, each without waiting."""

    told: Callable[[Outcome], None]  # called before anything that follows from the outcome
    done: Callable[[Outcome], None]  # it is true in memory, too
    failed: Callable[[], None]  # it could not be landed at all


NOTHING_FOLLOWS: Final = Follow(lambda _: None, lambda _: None, lambda: None)


class Moves:
    """Lands moves of residents, one at a time each."""

    def __init__(self, ground: Ground, lookup: Lookup, aftermath: Aftermath) -> None:
        """Land moves, and let `aftermath` make them true."""
        self._lookup = lookup
        self._access = ground.settings.access
        self._clock = ground.clock
        self._observer = ground.observer
        self._reader = ground.reader
        self._landing = ground.landing
        self._aftermath = aftermath

    def land(
        self,
        resident: Resident,
        turn: Turn,
        result: TurnResult,
        follow: Follow,
    ) -> "asyncio.Future[Any]":
        """Land what a turn came to. The resident has been marked as moving.

        The future is done when that is on disk and true in memory; whoever awaits it may go away.
        """
        assert resident.moving, "a move is marked before it is made"
        now_us = self._clock.now_us()
        try:
            match result:
                case Closed() | ContinuedAsNew() if self.has_to_read(result.effects):
                    moving = self._read_and_move(resident, turn, result, follow)
                    return asyncio.shield(self._landing.spawn(moving, "landing a turn"))
                case Closed() | ContinuedAsNew():
                    prepared = self._entry(resident, turn, result, now_us, NOTHING_FOUND)
                case Stalled():
                    prepared = stalled_entry(resident, result, now_us)
        except BaseException:
            resident.moving = False
            follow.failed()
            raise
        return self._move(resident, turn, prepared, result, follow)

    def follow(
        self, resident: Resident, turn: Turn, result: Closed | ContinuedAsNew, follow: Follow
    ) -> None:
        """Land what a turn came to as `land` does, where nobody awaits it."""
        if self.has_to_read(result.effects):
            self.land(resident, turn, result, follow)
            return
        assert resident.moving, "a move is marked before it is made"
        try:
            prepared = self._entry(resident, turn, result, self._clock.now_us(), NOTHING_FOUND)
        except BaseException:
            resident.moving = False
            follow.failed()
            raise
        self._landing.follow(prepared.entry, *self._steps(resident, turn, prepared, result, follow))

    async def _read_and_move(
        self, resident: Resident, turn: Turn, result: Closed | ContinuedAsNew, follow: Follow
    ) -> None:
        try:
            prepared = await self._prepare(resident, turn, result, self._clock.now_us())
        except BaseException:
            resident.moving = False
            follow.failed()
            raise
        await self._move(resident, turn, prepared, result, follow)

    async def terminate(self, resident: Resident) -> None:
        """End a resident whose inbox holds a terminate. It has been marked as moving."""
        try:
            prepared, closed = await self.ending(resident)
        except BaseException:
            resident.moving = False
            raise
        await self._move(resident, None, prepared, closed, NOTHING_FOLLOWS)

    async def ending(
        self, resident: Resident, *orders: Event, patiently: bool = True
    ) -> tuple[Prepared, Closed]:
        """Return what ends a resident now, by a terminate in its inbox or else in `orders`.

        It has been marked as moving, or its children would not be all there are. Without
        `patiently` it raises a StoreError if these cannot be read at once.
        """
        assert resident.moving, "a move is marked before it is made"
        now_us = max(self._clock.now_us(), resident.state.last_turn_us)
        caller = Caller(resident.instance_id, resident.identity.app_id, now_us)
        items = sorted(resident.inbox.values(), key=lambda item: (item.add.rank, item.seq))
        events = (*(item.event for item in items), *orders)
        closed = terminate(resident.state, events, caller)
        if patiently:
            return await self._prepare(resident, None, closed, now_us), closed
        found = await self._reader.read(lambda store: _children_of(store, resident.key))
        return self._entry(resident, None, closed, now_us, Found({}, found)), closed

    async def _prepare(
        self, resident: Resident, turn: Turn | None, result: Closed | ContinuedAsNew, now_us: int
    ) -> Prepared:
        found = NOTHING_FOUND
        if _depends_on_others(result.effects):
            found = await self._find(resident, result.effects)
        tells = told_others(self._access, result.effects)
        if tells:
            app_id = resident.identity.app_id
            denied = await forbidden(self._access, self._reader, app_id, tells)
            for why in denied.values():
                self._observer.fault(FORBIDDEN, AccessDenied(why))
            found = replace(found, forbidden=denied)
        return self._entry(resident, turn, result, now_us, found)

    def born(self, resident: Resident, turn: Turn, result: Closed, newborn: Newborn) -> Prepared:
        """Return the entry of a start with its first turn, which depends on nobody else."""
        assert not self.has_to_read(result.effects), "what depends on others is read first"
        given = (self._clock.now_us(), propagation(resident, turn, result))
        return born_entry(resident, turn, result, *given, newborn)

    def has_to_read(self, effects: tuple[fx.Effect, ...]) -> bool:
        """Tell whether what these come to depends on what others are."""
        return _depends_on_others(effects) or bool(told_others(self._access, effects))

    def _entry(
        self,
        resident: Resident,
        turn: Turn | None,
        result: Closed | ContinuedAsNew,
        now_us: int,
        found: Found,
    ) -> Prepared:
        propagate = propagation(resident, turn, result)
        if isinstance(result, Closed):
            return closed_entry(resident, turn, result, now_us, propagate, found)
        assert turn is not None, "only a turn continues as new"
        return continued_entry(resident, turn, result, now_us, propagate, found)

    async def _find(self, resident: Resident, effects: tuple[fx.Effect, ...]) -> Found:
        """Read what the entry depends on: holders of wanted ids, children to be ended.

        A holder that is being terminated needs nobody to come to its end, so that is waited for.
        It is not if this instance is to be terminated, too: two of them could wait for each other.
        """
        wanted = [e.started.instance_id for e in effects if isinstance(e, fx.Birth)]
        app_id = resident.identity.app_id
        ends_children = any(isinstance(effect, fx.EndChildren) for effect in effects)

        def ask(store: Store) -> tuple[Found, set[int]]:
            replaced = {}
            active = set()
            for instance_id in wanted:
                holder = store.snapshot(instance_id)
                if holder is not None and may_replace(self._access, app_id, holder):
                    replaced[instance_id] = holder.key
                elif holder is not None and holder.key != resident.key:
                    active.add(holder.key)
            unfinished = _children_of(store, resident.key) if ends_children else []
            ending = active.intersection(store.terminating()) if active else active
            return Found(replaced, unfinished), ending

        found, ending = await self._reader.surely(ask)
        for _ in range(ENDING_HOLDERS_LOOKS_MAX):
            if not ending or resident.terminating:
                break
            for key in ending:
                await self._lookup.finished(key)
            found, ending = await self._reader.surely(ask)
        return found

    def _move(
        self,
        resident: Resident,
        turn: Turn | None,
        prepared: Prepared,
        result: TurnResult,
        follow: Follow,
    ) -> asyncio.Future[Outcome]:
        apply, fail = self._steps(resident, turn, prepared, result, follow)
        return self._landing.surely(prepared.entry, apply, fail)

    def _steps(
        self,
        resident: Resident,
        turn: Turn | None,
        prepared: Prepared,
        result: TurnResult,
        follow: Follow,
    ) -> tuple[Apply, Fail]:
        """Return what is done when a move has landed, and when it cannot be landed at all."""
        apply = partial(self._landed, resident, turn, prepared, result, follow)
        return apply, partial(self._lost, resident, follow)

    def _landed(
        self,
        resident: Resident,
        turn: Turn | None,
        prepared: Prepared,
        result: TurnResult,
        follow: Follow,
        outcome: Outcome,
    ) -> None:
        try:
            follow.told(outcome)
            self._aftermath.moved(resident, turn, prepared, result, outcome)
        finally:
            # Not before: what is not true in memory yet must not be handed out once more.
            resident.moving = False
        follow.done(outcome)

    def _lost(self, resident: Resident, follow: Follow, error: BaseException) -> None:
        resident.moving = False
        self._observer.fault(f"moving instance '{resident.instance_id}'", error)
        follow.failed()


def _depends_on_others(effects: tuple[fx.Effect, ...]) -> bool:
    return any(isinstance(effect, (fx.Birth, fx.EndChildren)) for effect in effects)


def _children_of(store: Store, key: int) -> list[int]:
    return [child.key for child in store.children(key) if child.head.completed_at_us is None]
