"""Turns: frozen from an inbox, handed out, and landed when the worker has decided.

An instance has at most one turn out. Its batch stays as it was frozen until the turn lands,
even if it is handed out again; each hand-out has a fresh token. An answer counts if its token
is the present one's, or if it carries none (older SDKs echo none) and is not that of an earlier
turn (`engine.ghosts`); every other is dropped.
"""

import asyncio
from collections.abc import Callable, Container
from typing import Any, Final

from perdure.base.errors import WorkerFault
from perdure.base.limits import WORK_ITEM_PERCENT_MAX
from perdure.base.observer import WORKER_GONE
from perdure.core.applying import Caller
from perdure.core.events import StallReason
from perdure.core.turn import stall
from perdure.engine.claims import Claims
from perdure.engine.deciding import Deciding, LocalTurns
from perdure.engine.dialects import answers_in_microsofts
from perdure.engine.dispatcher import Dispatcher, Work, WorkStream
from perdure.engine.early import EarlyTurns, TurnDealings, is_early, let_go
from perdure.engine.ground import Ground
from perdure.engine.inboxes import ReadyTurns
from perdure.engine.loads import Loads
from perdure.engine.local import LocalApp
from perdure.engine.moves import Moves
from perdure.engine.reports import subject_of
from perdure.engine.residents import Resident, Residents, Turn
from perdure.engine.slots import Slots
from perdure.engine.turn_ends import TurnEnds
from perdure.engine.turn_items import freeze, history_sent, too_large_text, turn_work_item
from perdure.engine.turns_out import TurnOut, TurnsOut
from perdure.store.leases import Term
from perdure.store.port import Entry
from perdure.wire.actions import decision_of, parse_turn_answer

HERE: Final = "here"  # the token of a turn that is decided in this process
_MAY_BE_LATE: Final = "an answer without a token may be to an earlier turn"


class Turns:
    """Hands out turns and takes their answers."""

    def __init__(
        self,
        ground: Ground,
        residents: Residents,
        ready: ReadyTurns,
        dispatcher: Dispatcher,
        moves: Moves,
    ) -> None:
        """Stand between the ready instances and the workers.

        `on_room`, set by whoever composes the engine, is told of an app whose workers may take
        more again: a place, and a place among the loads, may be wanted by either kind of work.
        """
        self.on_room: Callable[[str], None] = lambda app_id: None  # noqa: ARG005 - the signature
        settings = self._settings = ground.settings
        self._clock = ground.clock
        self._observer = ground.observer
        self._landing = ground.landing
        self._owner = ground.owner
        self._crew = ground.crew
        self._residents = residents
        self._ready = ready
        self._dispatcher = dispatcher
        self._slots = Slots("turns", settings.turns_max, settings.turns_max_by_name, ground.owner)
        self._out = TurnsOut(ready, self._slots)
        self._claims = Claims(self._out, residents, ground.clock, ground.observer)
        self._loads = Loads(residents, ground.landing, self._loaded)
        self.deciding = Deciding(ground, dispatcher)
        self._ends = ends = TurnEnds(ground, ready, moves, self.deciding, self.release)
        dealings = TurnDealings(self._offer, self._hand_out, ends.land, self._give_up, ends.landed)
        self.local = LocalTurns(ground, residents, ready, self.deciding, moves)
        self.early = EarlyTurns(ground, residents, ready, dispatcher, self._out, dealings)

    @property
    def outstanding(self) -> int:
        """How many turns are at workers."""
        return self._slots.total

    def pump(self, app_id: str) -> None:
        """Hand out ready turns of an app for as long as its workers have room."""
        queue = self._ready.of(app_id)
        if not (len(queue) or self._out.blocked) or not self._owner.may_hand_out():
            return
        while (len(queue) or self._out.blocked) and not self._slots.refuses():
            if not self._dispatcher.has_room(app_id, Work.TURN):
                return
            popped = None
            # What is being read may be for the place that has come free.
            if self._loads.idle:
                popped = self._out.blocked.take(app_id, self._slots.refuses_for)
            popped = popped or queue.pop()
            if popped is None:
                return
            resident = self._residents.peek(popped[0])
            if resident is not None:
                self._offer(resident)
            elif not self._loads.full:
                self._loads.begin(popped[0], app_id)
            else:
                queue.push(popped[0], None, first=True)
                return

    def _loaded(self, resident: Resident | None, app_id: str, *, was_full: bool) -> None:
        if resident is not None:
            self._offer(resident)
        for each in self._ready.apps() if was_full or self._out.blocked else [app_id]:
            self.on_room(each)

    def _offer(self, resident: Resident) -> None:
        turn = resident.turn
        if resident.gone or resident.finished or resident.moving or (turn and turn.token):
            return
        if resident.terminating:
            self._ready.consider(resident)  # it ends by itself: no worker is asked
            return
        stays = resident.suspended or resident.held or not self._owner.goes_on(resident.term)
        if stays or not (resident.inbox or turn):
            return
        self.early.make_way(resident)
        app_id = resident.identity.app_id
        refused = self._slots.refuses()  # the wider limit comes first (`engine.quotas`)
        if not refused and self._slots.refuses_for(resident.identity.name):
            self._out.block(resident)
            return
        preferred = resident.stream if isinstance(resident.stream, WorkStream) else None
        stream = None if refused else self._dispatcher.pick(app_id, Work.TURN, preferred)
        if stream is None:
            self._ready.of(app_id).push(resident.key, None, first=True)
            return
        turn = turn or self._freeze(resident)
        if turn is None:
            return
        if isinstance(stream, LocalApp):
            self._decide_here(resident, turn, stream)
        else:
            self._hand_out(resident, turn, stream)

    def _freeze(self, resident: Resident) -> Turn | None:
        """Take the batch of the next turn; None if nothing in the inbox is for any turn."""
        turn = freeze(resident, self._clock.now_us(), self._settings.message_bytes_max)
        if not turn.batch:
            self._discard(resident, turn.dropped)
            return None
        resident.turn = turn
        self._claims.ghosts.frozen(resident.instance_id, turn)
        return turn

    def _discard(self, resident: Resident, dropped: tuple[int, ...]) -> None:
        for seq in dropped:
            resident.inbox.pop(seq, None)
        if dropped:
            self._landing.note(Entry(key=resident.key, term=resident.term, taken=dropped))

    def _hand_out(self, resident: Resident, turn: Turn, stream: WorkStream) -> None:
        token = self._crew.fresh_id()
        item = turn_work_item(resident, turn, stream, token)
        ratio = len(item) / self._settings.message_bytes_max
        self._observer.payload_size(subject_of(resident.identity), activity=None, ratio=ratio)
        if ratio * 100 > WORK_ITEM_PERCENT_MAX:
            text = too_large_text(resident, len(item), self._settings.message_bytes_max)
            self._too_large(resident, turn, text)
            return
        now_us = self._clock.now_us()
        turn.token = token
        turn.handed_out_at_us = now_us
        turn.attempts += 1
        turn.losses.size_bytes = len(item)
        self._out.went_out(resident, turn, stream)
        resident.stream = stream
        stream.remember(resident.instance_id, history_sent(resident))
        stream.send(Work.TURN, turn, item)
        self._observer.turn_handed_out(
            subject_of(resident.identity), waited_us=max(0, now_us - turn.started.at_us)
        )

    def _decide_here(self, resident: Resident, turn: Turn, app: LocalApp) -> None:
        """Have a turn decided at once; it is out for as long as it takes to land."""
        now_us = self._clock.now_us()
        turn.token = HERE
        turn.handed_out_at_us = now_us
        turn.attempts += 1
        self._out.went_out(resident, turn, app)
        waited_us = max(0, now_us - turn.started.at_us)
        self._observer.turn_handed_out(subject_of(resident.identity), waited_us=waited_us)
        try:
            result = self.deciding.decide(resident, turn, app)
        except WorkerFault as fault:
            self.deciding.forget(resident)
            self._ends.at_fault(resident, turn, fault)
            return
        self._ends.land_here(resident, turn, result)

    def _too_large(self, resident: Resident, turn: Turn, text: str) -> None:
        if resident.unborn:
            return  # it is told when it is born
        reason = StallReason.PAYLOAD_SIZE_EXCEEDED
        self._ends.land(resident, turn, stall(resident.state, reason, text, self._clock.now_us()))

    def complete(self, answer_bytes: bytes) -> "asyncio.Future[Any] | None":
        """Take a worker's answer to a turn (see `engine.work.Workplace`).

        Returns the future of its landing, or None if it was dropped.
        """
        answer = parse_turn_answer(answer_bytes)
        out = self._claims.find(answer)
        if out is None:
            return None
        if not self._claims.holds(answer, out):
            self._ask_again(out)
            return None
        resident, turn, stream = out.resident, out.turn, out.stream
        self.early.together.came(turn, stream)
        microsoft = stream is not None and answers_in_microsofts(stream, answer)
        caller = Caller(
            resident.instance_id,
            resident.identity.app_id,
            max(self._clock.now_us(), turn.started.at_us),
            self._settings.access,
        )
        try:
            decision = decision_of(answer, microsoft=microsoft)
            result = self.deciding.close(resident, turn, decision, caller)
        except WorkerFault as fault:
            self._ends.at_fault(resident, turn, fault)
            raise
        if is_early(turn):
            return self.early.hold(resident, turn, result)
        return self._ends.land(resident, turn, result)

    def _ask_again(self, out: TurnOut) -> None:
        """Have a turn decided once more: the answer that came may be to an earlier one."""
        self.release(out.resident)
        subject = subject_of(out.resident.identity)
        self._observer.turn_retried(subject, attempt=out.turn.attempts, reason=_MAY_BE_LATE)
        self._push_first(out.resident)

    def _push_first(self, resident: Resident) -> None:
        if not resident.unborn:  # else it is looked at when it is born
            self._ready.push(resident.key, resident.identity.app_id, first=True)

    def release(self, resident: Resident) -> None:
        """Take a turn back from its worker, if it is at one; the batch stays frozen."""
        for app_id in self._out.came_back(resident):
            self.on_room(app_id)

    def left(self, stream: WorkStream) -> None:
        """Hand out again what a stream that has ended still held."""
        for out in self._out.left(stream):
            self._claims.lost(out)
            self.release(out.resident)
            subject = subject_of(out.resident.identity)
            self._observer.turn_retried(subject, attempt=out.turn.attempts, reason=WORKER_GONE)
            self._again(out.resident, out.turn)

    def _again(self, resident: Resident, turn: Turn) -> None:
        losses = turn.losses
        losses.count += 1
        if losses.drives_workers_away:
            self._too_large(resident, turn, losses.text)
        elif losses.pause_attempt:
            self._ends.delay(resident, losses.pause_attempt)
        else:
            self._push_first(resident)

    def joined(self, app_id: str) -> None:
        """Try an app's stalled instances again: a worker has come, perhaps a fitting one."""
        for key in self._ends.stalls.wake(app_id):
            self._ready.push(key, app_id)
        self.pump(app_id)

    def _give_up(self, resident: Resident, turn: Turn | None) -> None:
        self._claims.given_up(resident, turn)
        self.release(resident)

    def took_over(self) -> None:
        """Reckon with answers to turns that whoever owned them before has handed out."""
        self._claims.ghosts.took_over()

    def let_go(self, resident: Resident) -> None:
        """Drop what is under way of an instance that is another's from now on."""
        self.forget(resident)
        resident.turn = None

    def out_under(self, terms: Container[Term | None]) -> bool:
        """Tell whether a turn is out, or being landed, of anything that is held under these."""
        return self._out.any_under(terms)

    def forget(self, resident: Resident) -> None:
        """Drop everything about an instance that is gone, or will not have its turn answered."""
        if resident.turn is not None:
            let_go(resident.turn)
        self._give_up(resident, resident.turn)
        self._ends.stalls.over(resident.key)
        self._ready.delays.end(resident.key)
        self._ready.of(resident.identity.app_id).discard(resident.key)
