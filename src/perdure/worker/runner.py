"""A worker: takes work items from a place, has them done, and hands the answers in."""

import asyncio
import logging
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

from perdure.base.limits import STREAM_ITEMS_MAX
from perdure.transport.client.call import CallFailed
from perdure.wire.answers import activity_answer
from perdure.wire.fields import failure_bytes
from perdure.wire.generated import work_pb2 as pb
from perdure.worker.activities import GONE, ActivityRunner
from perdure.worker.calls import Outcome, Raised
from perdure.worker.gates import Gate
from perdure.worker.items import call_of
from perdure.worker.places import Place
from perdure.worker.runs import Run
from perdure.worker.turns import HistoryMissing, Turns, not_now, too_large

_log = logging.getLogger("perdure.worker")

# So many items are begun before anything else on the loop has its turn.
_AT_ONCE_MAX: Final = 32


class Runner:
    """One worker of one place. Made on the loop that it is used on."""

    def __init__(
        self,
        place: Place,
        turns: Turns,
        activities: ActivityRunner,
        *,
        items_max: int = STREAM_ITEMS_MAX,
        turns_max: int | None = None,
        answer_bytes_max: int | None = None,
    ) -> None:
        """Hold at most `items_max` items at a time; what comes beyond that waits at its place.

        Of turns `turns_max` are decided and handed in at a time, the others wait here. An activity
        whose answer is larger than `answer_bytes_max` has failed.
        """
        self._place = place
        self._turns = turns
        self._activities = activities
        self._items_max = items_max
        self._turn_gate = None if turns_max is None else Gate(turns_max)
        self._answer_bytes_max = answer_bytes_max
        self._held = 0
        self._resting = False
        self._room = asyncio.Event()
        self._runs: dict[str, Run] = {}  # of activities, by the tokens that they came with
        self._answering: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until the place has no more items; what is in hand then is still done."""
        at_once = 0
        async for data in self._place.items():
            if self._resting:
                continue  # it is handed out again when the stream ends
            self._take(pb.WorkItem.FromString(data))
            at_once += 1
            if at_once >= _AT_ONCE_MAX:
                at_once = 0
                await asyncio.sleep(0)
            while self._held >= self._items_max:
                self._room.clear()
                await self._room.wait()

    def rest(self) -> None:
        """Begin nothing more; what is in hand comes to its end, and its answers are handed in."""
        self._resting = True

    async def drained(self) -> None:
        """Return once nothing is in hand, and every answer has been handed in."""
        while self._held:
            self._room.clear()
            await self._room.wait()

    def _take(self, item: pb.WorkItem) -> None:
        match item.WhichOneof("request"):
            case "turn":
                self._held += 1
                turn = partial(self._turn, pb.TurnRequest.FromString(item.turn), item.token)
                if self._turn_gate is None:
                    turn()
                else:
                    self._turn_gate.enter(turn)
            case "activity":
                self._held += 1
                self._activity(pb.ActivityRequest.FromString(item.activity), item.token)
            case "recall":
                self._recall(item.recall)
            case _:
                pass  # a ping, or what nobody here asked for

    # ---- turns

    def _turn(self, request: pb.TurnRequest, token: str) -> bool:
        try:
            answer = self._turns.answer(request, token)
        except HistoryMissing:
            task = self._spawn(self._turn_with_history(request, token))
        else:
            task = self._spawn(self._place.answer_turn(answer))
        if self._turn_gate is not None:
            task.add_done_callback(self._turn_is_over)
        return True

    def _turn_is_over(self, _: "asyncio.Task[None]") -> None:
        assert self._turn_gate is not None, "it has let the turn in"
        self._turn_gate.leave()

    async def _turn_with_history(self, request: pb.TurnRequest, token: str) -> None:
        count = request.cached.event_count
        try:
            events = await self._place.history(request.instance_id, count)
        except CallFailed as error:
            # Without an answer the instance would be at this worker for ever.
            _log.error("%s stalls: its history is not given: %s", request.instance_id, error)
            await self._place.answer_turn(not_now(request, token))
            return
        if len(events) < count:
            # It has begun anew meanwhile: this turn is nobody's any more.
            _log.info("a turn of %s is out of date", request.instance_id)
            return
        await self._place.answer_turn(self._turns.answer(request, token, events[:count]))

    # ---- activities

    def _activity(self, request: pb.ActivityRequest, token: str) -> None:
        run = self._activities.begin(call_of(request), partial(self._ended, request, token))
        if run is not None:
            self._runs[token] = run

    def _recall(self, token: str) -> None:
        """Stop an activity that nobody wants any more; its answer is dropped."""
        run = self._runs.get(token)
        if run is not None:
            self._activities.cancel(run, GONE)

    def _ended(self, request: pb.ActivityRequest, token: str, outcome: Outcome) -> None:
        self._runs.pop(token, None)
        answer = _answer(request, token, outcome)
        most = self._answer_bytes_max
        if most is not None and len(answer) > most:
            failed = too_large("the activity's result", len(answer), most)
            _log.error("activity '%s' fails: %s", request.name, failed.message)
            answer = _answer(request, token, Raised(failed))
        self._spawn(self._place.answer_activity(answer))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._answering.add(task)
        task.add_done_callback(self._answered)
        return task

    def _answered(self, task: "asyncio.Task[None]") -> None:
        self._answering.discard(task)
        self._held -= 1
        self._room.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("an answer could not be handed in", exc_info=error)


def _answer(request: pb.ActivityRequest, token: str, outcome: Outcome) -> bytes:
    return activity_answer(
        request.instance.instance_id,
        request.task_id,
        token,
        result=None if isinstance(outcome, Raised) else outcome.result,
        failure=failure_bytes(outcome.failure) if isinstance(outcome, Raised) else None,
    )
