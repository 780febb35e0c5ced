"""Results and starts that wait a moment, to land with the turns that they bring about.

Theory of operation. A result and the turn that takes it are two commits, one behind the other.
Where nothing else is under way the second is what is waited for. So if a worker has nothing else to
do, its result is not handed in at once: the turn is handed out (`engine.early`), and when it is
answered in time both land as one entry, as where the app is in this process (`engine.deciding`).
The activity's answer is acknowledged when that is on disk.
A start waits in the same way for its first turn, if its caller's request can wait for a worker
that has nothing to do (`engine.births`).
- It is worth it where a commit takes about as long as the worker's turn, or longer: how long they
  take is measured all the time. A result that is on disk before its turn is answered has cost
  nobody anything, with a quick disk and a worker that is not.
- The wait is short and has an end: then the result is handed in by itself, and the turn is one that
  was handed out early. So it is, too, if the turn comes to a stall or does not land.
- A worker that was not in time may be one that does one thing after another, and waits for the
  reply to its activity before it decides: for a while it is not waited for.
Nobody is told and nothing begins before the entry is on disk. If the process dies meanwhile the
activity is run again, as if it had died before the worker answered.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from perdure.base.time import SECOND_US
from perdure.core.turn import Stalled, TurnResult
from perdure.engine.dispatcher import Work, WorkStream
from perdure.engine.ground import Ground
from perdure.engine.residents import Arrival, InboxItem, Resident, Residents, Turn
from perdure.store.leases import Term
from perdure.store.port import Outcome, Verdict

# How many results of a worker that was too late do not wait: one, then twice as many each time, up
# to so many.
_HURRIED_RESULTS_MAX: Final = 256

# Of how many measurements a mean is made, by which the latest counts for one of so many.
_MEASURED: Final = 4

Begin: TypeAlias = Callable[[int, InboxItem, tuple[Arrival, ...]], Turn | None]
Land: TypeAlias = Callable[[Resident, Turn, TurnResult], "asyncio.Future[Any]"]


class Together:
    """Lets results wait."""

    def __init__(self, ground: Ground, residents: Residents, begin: Begin, land: Land) -> None:
        """Hand out turns by `begin`, and land what they come to by `land`."""
        self._wait_us = ground.settings.result_waits_us
        self._turn_percent_max = ground.settings.turn_percent_max
        self._clock = ground.clock
        self._commit_us = 0  # what one takes of late; 0 is not known yet
        self._loop = asyncio.get_running_loop()
        self._residents = residents
        self._begin = begin
        self._land = land
        self._waiting: dict[Turn, tuple[asyncio.TimerHandle, WorkStream]] = {}
        self._starts: dict[Turn, asyncio.Future[bool]] = {}

    def may_wait(self, stream: WorkStream) -> bool:
        """Tell whether a worker's result may be worth a wait at all."""
        if not self._wait_us or not _has_nothing_else(stream):
            return False
        return stream.turn_us * 100 <= self._commit_us * self._turn_percent_max

    def came(self, turn: Turn, stream: WorkStream | None) -> None:
        """Measure how long a worker has taken for a turn."""
        if stream is not None:
            took_us = self._clock.now_us() - turn.handed_out_at_us
            stream.turn_us = _mean_us(stream.turn_us, took_us)

    def timed(self, landing: "asyncio.Future[Outcome]") -> "asyncio.Future[Outcome]":
        """Measure how long what has just been handed in takes to land."""
        began_us = self._clock.now_us()

        def landed(done: "asyncio.Future[Outcome]") -> None:
            if not done.cancelled() and done.exception() is None:
                self._commit_us = _mean_us(self._commit_us, self._clock.now_us() - began_us)

        landing.add_done_callback(landed)
        return landing

    def arrive(self, key: int, arrival: Arrival, term: Term | None, stream: WorkStream) -> bool:
        """Let a result wait for its turn; False if it has to be handed in by itself.

        `term` is that under which its row is held: one entry carries one.
        """
        if not self.may_wait(stream) or _is_to_hurry(stream):
            return False
        resident = self._residents.peek(key)
        if resident is None or resident.term != term:
            return False
        turn = self._begin(key, arrival.item, (arrival,))
        if turn is None:
            return False
        late = self._loop.call_later(self._wait_us / SECOND_US, self._late, turn)
        self._waiting[turn] = late, stream
        return True

    def answered(
        self, resident: Resident, turn: Turn, result: TurnResult
    ) -> "asyncio.Future[Any] | None":
        """Land what a turn came to with its cause; None if that is by itself on its way."""
        if turn not in self._waiting:
            return None
        if isinstance(result, Stalled):
            self._alone(turn)
            return None
        late, stream = self._waiting.pop(turn)
        late.cancel()
        stream.late_results = 0
        return self.timed(self._land(resident, turn, result))

    async def first(self, turn: Turn, stream: WorkStream) -> None:
        """Return when a first turn has been answered, or is not to be waited for any longer."""
        if not self._wait_us or len(stream.held[Work.TURN]) > 1 or stream.held[Work.ACTIVITY]:
            return
        if _is_to_hurry(stream):
            return
        answered = self._starts[turn] = self._loop.create_future()
        late = self._loop.call_later(self._wait_us / SECOND_US, self.told, turn, False)
        try:
            if await answered:
                stream.late_results = 0
            else:
                _was_late(stream)
        finally:
            late.cancel()
            del self._starts[turn]

    def told(self, turn: Turn, in_time: bool = True) -> None:
        """Wake whoever waits for the answer to a first turn."""
        answered = self._starts.get(turn)
        if answered is not None and not answered.done():
            answered.set_result(in_time)

    def hurry(self) -> None:
        """Let nothing wait, now or later."""
        self._wait_us = 0
        for turn in self._starts:
            self.told(turn)
        for turn in list(self._waiting):
            self._alone(turn)

    def _late(self, turn: Turn) -> None:
        _was_late(self._waiting[turn][1])
        self._alone(turn)

    def _alone(self, turn: Turn) -> None:
        late, _ = self._waiting.pop(turn)
        late.cancel()
        go_alone(turn)


def tell_of(turn: Turn, outcome: Outcome) -> None:
    """Tell those who landed with a turn."""
    if outcome.verdict is Verdict.LANDED:
        arrivals, turn.arrivals = turn.arrivals, ()
        for arrival in arrivals:
            arrival.landed()


def go_alone(turn: Turn) -> bool:
    """Have what was to land with a turn, and has not, handed in by itself; whether any was."""
    arrivals, turn.arrivals = turn.arrivals, ()
    for arrival in arrivals:
        arrival.alone()
    return bool(arrivals)


def _is_to_hurry(stream: WorkStream) -> bool:
    """Tell whether a worker was too late lately; counts down until it is tried again."""
    if not stream.results_to_hurry:
        return False
    stream.results_to_hurry -= 1
    return True


def _was_late(stream: WorkStream) -> None:
    stream.results_to_hurry = min(1 << stream.late_results, _HURRIED_RESULTS_MAX)
    stream.late_results = min(stream.late_results + 1, _HURRIED_RESULTS_MAX)


def _has_nothing_else(stream: WorkStream) -> bool:
    """Tell whether a worker has nothing in hand but the activity that it has just answered."""
    return len(stream.held[Work.ACTIVITY]) <= 1 and not stream.held[Work.TURN]


def _mean_us(before_us: int, latest_us: int) -> int:
    if not before_us:
        return latest_us
    return before_us + (latest_us - before_us) // _MEASURED
