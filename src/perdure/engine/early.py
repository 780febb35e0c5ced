"""Turns that are handed out while the event they are about is still on its way to the disk.

Theory of operation. A workflow that waits for one activity, timer or event has nothing to do but
that: when it comes, the next turn is known before it is on disk. The turn is handed out at once,
with it as its whole batch, and the worker decides while the disk writes. Workflow code has no side
effects, so nothing is lost if the cause never lands (promise P8 has this exception).
- The turn is early as long as its item has no number of the store's. Its answer is checked at once
  and landed only after the event has: the commit of a turn never precedes its cause.
- If the event does not land (its activity is gone, or the store will not have it) the turn is
  void: whatever the worker answers is dropped, and the instance goes on from what is on disk.
- Only an instance that is idle in every respect has early turns. Whoever comes meanwhile finds a
  turn out, as always, and waits in the inbox.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from perdure.core.events import (
    Event,
    EventRaised,
    TaskCompleted,
    TaskFailed,
    TimerFired,
    WorkflowStarted,
)
from perdure.core.turn import Closed, ContinuedAsNew, Stalled, takable
from perdure.engine.dispatcher import Dispatcher, Work
from perdure.engine.ground import Ground
from perdure.engine.inboxes import ReadyTurns
from perdure.engine.residents import NOT_LANDED, Held, InboxItem, Resident, Residents, Turn
from perdure.store.port import InboxAdd

# A history that comes near to what one message can carry is looked at with the whole inbox.
_SIZE_PERCENT_MAX: Final = 50

Result: TypeAlias = Closed | ContinuedAsNew | Stalled


@dataclass(frozen=True, slots=True)
class Hands:
    """What is done with turns, by whoever has them all."""

    offer: Callable[[Resident], None]  # hand out the turn of a resident, if a worker has room
    land: Callable[[Resident, Turn, Result], "asyncio.Future[Any]"]
    give_up: Callable[[Resident, Turn], None]  # take a turn back that nobody may answer any more


class EarlyTurns:
    """Begins turns early, and lets them land or voids them."""

    def __init__(
        self,
        ground: Ground,
        residents: Residents,
        ready: ReadyTurns,
        dispatcher: Dispatcher,
        hands: Hands,
    ) -> None:
        """Look at `residents`, and have turns handed out and landed by `hands`."""
        self._settings = ground.settings
        self._clock = ground.clock
        self._residents = residents
        self._ready = ready
        self._dispatcher = dispatcher
        self._hands = hands

    def begin(self, key: int, add: InboxAdd, event: Event) -> InboxItem | None:
        """Hand out the turn of an event that is being landed, if it can be; its item if it was."""
        resident = self._residents.peek(key)
        if resident is None or not self._is_idle(resident, add):
            return None
        if not self._begins_alone(resident, event) or takable(resident.state, [event]) != [True]:
            return None
        item = InboxItem(NOT_LANDED, add, event)
        at_us = max(self._clock.now_us(), resident.state.last_turn_us)
        turn = resident.turn = Turn(WorkflowStarted(at_us=at_us), (item,), ())
        self._hands.offer(resident)
        if turn.token or resident.moving:
            return item
        resident.turn = None
        return None

    def hold(self, resident: Resident, turn: Turn, result: Result) -> "asyncio.Future[None]":
        """Keep what a turn came to until its cause has landed; the future tells of its own end."""
        assert turn.held is None, "an answer is held once"
        resident.moving = True
        turn.held = Held(result, asyncio.get_running_loop().create_future())
        return turn.held.landed

    def landed(self, key: int, item: InboxItem, seq: int) -> bool:
        """Take note that the item of an early turn is on disk; False if the turn is gone."""
        item.seq = seq
        resident = self._residents.do(key, lambda resident: resident.add_inbox(item))
        turn = None if resident is None else resident.turn
        if resident is None or turn is None or not _is_of(item, turn):
            return False
        held, turn.held = turn.held, None
        if held is not None:
            landing = self._hands.land(resident, turn, held.result)
            landing.add_done_callback(lambda done: _pass_on(done, held.landed))
        return True

    def lost(self, key: int, item: InboxItem) -> None:
        """Take note that the item of an early turn will not land: the turn never was."""
        resident = self._residents.peek(key)
        turn = None if resident is None else resident.turn
        if resident is None or turn is None or not _is_of(item, turn):
            return
        resident.turn = None
        if turn.held is not None:
            resident.moving = False
        let_go(turn)
        self._hands.give_up(resident, turn)
        self._ready.consider(resident)

    def _begins_alone(self, resident: Resident, event: Event) -> bool:
        """Tell whether a workflow waits for this event and for nothing else.

        The results of activities that run side by side make one turn, if they come together.
        """
        state = resident.state
        match event:
            case TaskCompleted(task_id=one) | TaskFailed(task_id=one) | TimerFired(timer_id=one):
                return state.open_ids == {one}
            case EventRaised():
                # Timers that are open beside it are how long events are waited for.
                return state.started is not None and not (state.open_tasks or state.open_children)
            case _:
                return False

    def _is_idle(self, resident: Resident, add: InboxAdd) -> bool:
        if resident.turn is not None or resident.inbox or not resident.idle:
            return False
        if resident.gone or resident.finished or resident.suspended or resident.held:
            return False
        if resident.head.stalled is not None or resident.key in self._ready.delays:
            return False
        if add.generation not in {0, resident.state.generation}:
            return False
        size = len(resident.past) + len(add.event) + len(resident.identity.propagated or b"")
        if size * 100 > self._settings.message_bytes_max * _SIZE_PERCENT_MAX:
            return False
        app_id = resident.identity.app_id
        # What is decided in this process is decided when it lands: with its cause, in one entry.
        here = self._dispatcher.here(app_id) is not None
        return not here and self._dispatcher.has_room(app_id, Work.TURN)


def is_early(turn: Turn) -> bool:
    """Tell whether the cause of a turn is still on its way to the disk."""
    return any(item.seq == NOT_LANDED for item in turn.batch)


def let_go(turn: Turn) -> None:
    """Let go of what a turn came to; whoever waited for that to land waits no more."""
    held, turn.held = turn.held, None
    if held is not None and not held.landed.done():
        held.landed.set_result(None)


def _is_of(item: InboxItem, turn: Turn) -> bool:
    return any(each is item for each in turn.batch)


def _pass_on(landing: "asyncio.Future[Any]", landed: "asyncio.Future[None]") -> None:
    if landed.done():
        return
    error = None if landing.cancelled() else landing.exception()
    if error is None:
        landed.set_result(None)
    else:
        landed.set_exception(error)
