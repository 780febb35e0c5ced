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
- A first turn is early in the same way, while its start is landed (`engine.births`). Its resident
  is unborn until then: it has no key, nobody finds it, and it gives way to any other of its id.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from perdure.core.events import (
    Event,
    EventRaised,
    TaskCompleted,
    TaskFailed,
    TimerFired,
    WorkflowStarted,
)
from perdure.core.turn import TurnResult, takable
from perdure.engine.dispatcher import Dispatcher, Work, WorkStream
from perdure.engine.ground import Ground
from perdure.engine.inboxes import ReadyTurns
from perdure.engine.residents import (
    NOT_LANDED,
    Arrival,
    Held,
    InboxItem,
    Resident,
    Residents,
    Turn,
)
from perdure.engine.together import Together
from perdure.engine.turns_out import TurnsOut
from perdure.store.port import InboxAdd

# A history that comes near to what one message can carry is looked at with the whole inbox.
_SIZE_PERCENT_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class TurnDealings:
    """What is done with turns, by whoever has them all."""

    offer: Callable[[Resident], None]  # hand out the turn of a resident, if a worker has room
    hand_out: Callable[[Resident, Turn, WorkStream], None]  # to this worker, which has room
    land: Callable[[Resident, Turn, TurnResult], "asyncio.Future[Any]"]
    give_up: Callable[[Resident, Turn], None]  # take a turn back that nobody may answer any more
    ended: Callable[[Resident, Turn], None]  # one has landed by other ways than `land`


class EarlyTurns:
    """Begins turns early, and lets them land or voids them."""

    def __init__(
        self,
        ground: Ground,
        residents: Residents,
        ready: ReadyTurns,
        dispatcher: Dispatcher,
        out: TurnsOut,
        dealings: TurnDealings,
    ) -> None:
        """Look at `residents`, and have turns handed out and landed by `dealings`."""
        self._settings = ground.settings
        self._owner = ground.owner
        self._out = out
        self._clock = ground.clock
        self._residents = residents
        self._ready = ready
        self._dispatcher = dispatcher
        self._dealings = dealings
        self.together = Together(ground, residents, self.begin_with, dealings.land)

    def begin(self, key: int, add: InboxAdd, event: Event) -> InboxItem | None:
        """Hand out the turn of an event that is being landed, if it can be; its item if it was."""
        item = InboxItem(NOT_LANDED, add, event)
        return None if self.begin_with(key, item) is None else item

    def begin_with(
        self, key: int, item: InboxItem, arrivals: tuple[Arrival, ...] = ()
    ) -> Turn | None:
        """Hand out the turn of an event, if it can be, with which `arrivals` may land."""
        resident, event = self._residents.peek(key), item.event
        if resident is None or not self._is_idle(resident, item.add):
            return None
        if not self._begins_alone(resident, event) or takable(resident.state, [event]) != [True]:
            return None
        at_us = max(self._clock.now_us(), resident.state.last_turn_us)
        turn = resident.turn = Turn(WorkflowStarted(at_us=at_us), (item,), (), arrivals=arrivals)
        self._dealings.offer(resident)
        if turn.token or resident.moving:
            return turn
        resident.turn = None
        return None

    def hold(self, resident: Resident, turn: Turn, result: TurnResult) -> "asyncio.Future[Any]":
        """Keep what a turn came to until its cause has landed; the future tells of its own end.

        If its cause waits for it, both land now.
        """
        landing = self.together.answered(resident, turn, result)
        if landing is not None:
            return landing
        assert turn.held is None, "an answer is held once"
        resident.moving = True
        turn.held = Held(result, asyncio.get_running_loop().create_future())
        landed = turn.held.landed
        self.together.told(turn)
        return landed

    def landed(self, key: int, item: InboxItem, seq: int) -> bool:
        """Take note that the item of an early turn is on disk; False if the turn is gone."""
        item.seq = seq
        resident = self._residents.do(key, lambda resident: resident.add_inbox(item))
        turn = None if resident is None else resident.turn
        if resident is None or turn is None or not _is_of(item, turn):
            return False
        self._land_held(resident, turn)
        return True

    def lost(self, key: int, item: InboxItem) -> None:
        """Take note that the item of an early turn will not land: the turn never was."""
        resident = self._residents.peek(key)
        turn = None if resident is None else resident.turn
        if resident is None or turn is None or not _is_of(item, turn):
            return
        self._take_back(resident)
        self._ready.consider(resident)

    # ---- first turns

    def begin_first(
        self, resident: Resident, item: InboxItem, replaces: int | None
    ) -> WorkStream | None:
        """Hand out the first turn of one that is unborn, if it can be; to whom it was.

        `item` is its start, which is being landed; it `replaces` a finished instance, or nobody.
        """
        identity = resident.identity
        bearer = self._residents.peek(identity.instance_id)
        if bearer is not None and bearer.key != replaces:
            return None  # it will be refused
        if not self._has_a_place(resident) or not self._is_small(resident, item.add):
            return None
        resident.term = self._owner.term_of(identity.app_id, identity.instance_id)
        stream = self._dispatcher.pick(identity.app_id, Work.TURN)
        if stream is None:
            return None
        turn = Turn(WorkflowStarted(at_us=self._clock.now_us()), (item,), ())
        self._dealings.hand_out(resident, turn, stream)
        if not turn.token:
            return None
        resident.turn = turn
        return stream

    def born(self, resident: Resident, *, ours: bool) -> None:
        """Take note that one that was unborn is on disk, and whether it is to be done here."""
        if not ours:
            self.never_born(resident)
        elif resident.turn is not None:
            self._land_held(resident, resident.turn)

    def born_with_it(self, resident: Resident, turn: Turn) -> None:
        """Take note that one that was unborn is on disk with its first turn: that has ended."""
        resident.moving = False
        self._dealings.ended(resident, turn)
        let_go(turn)

    def never_born(self, resident: Resident) -> None:
        """Take note that one that was unborn will not come: its turn never was."""
        self._take_back(resident)
        resident.gone = True

    def make_way(self, resident: Resident) -> None:
        """Take the turn of one that is unborn back for that of another of the same id.

        It is refused, or handed out once more when it is born.
        """
        out = self._out.find(resident.instance_id)
        if out is not None and out.resident.unborn and out.resident is not resident:
            self._take_back(out.resident)

    def _has_a_place(self, resident: Resident) -> bool:
        """Tell whether a turn may be handed out at once, and passes nobody by who waits."""
        identity, slots = resident.identity, self._out.slots
        if not self._owner.owns(identity.app_id, identity.instance_id):
            return False
        if self._out.find(identity.instance_id) is not None:
            return False
        if not self._owner.may_hand_out() or len(self._ready.of(identity.app_id)):
            return False
        return not self._is_here(identity.app_id) and not (
            slots.refuses() or slots.refuses_for(identity.name)
        )

    # ---- either way

    def _land_held(self, resident: Resident, turn: Turn) -> None:
        held, turn.held = turn.held, None
        if held is not None:
            landing = self._dealings.land(resident, turn, held.result)
            landing.add_done_callback(lambda done: pass_on(done, held.landed))

    def _take_back(self, resident: Resident) -> None:
        turn = resident.turn
        if turn is None:
            return
        resident.turn = None
        if turn.held is not None:
            resident.moving = False
        let_go(turn)
        self._dealings.give_up(resident, turn)

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
        if not self._is_small(resident, add):
            return False
        app_id = resident.identity.app_id
        return not self._is_here(app_id) and self._dispatcher.has_room(app_id, Work.TURN)

    def _is_small(self, resident: Resident, add: InboxAdd) -> bool:
        size = len(resident.past) + len(add.event) + len(resident.identity.propagated or b"")
        return size * 100 <= self._settings.message_bytes_max * _SIZE_PERCENT_MAX

    def _is_here(self, app_id: str) -> bool:
        # What is decided in this process is decided when it lands: with its cause, in one entry.
        return self._dispatcher.here(app_id) is not None


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


def pass_on(landing: "asyncio.Future[Any]", landed: "asyncio.Future[None]") -> None:
    """Tell of the end of one future by another, if that is still waited for."""
    if landed.done():
        return
    error = None if landing.cancelled() else landing.exception()
    if error is None:
        landed.set_result(None)
    else:
        landed.set_exception(error)
