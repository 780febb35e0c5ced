"""Runs activities: async ones on the loop, others in threads, and in processes those that ask.

Rules of this room:
- `done` is told once of each call that was begun, on the loop, and never before `begin` returns;
  only after `close` is nobody told anything.
- When a call's time is over, or it is cancelled, `done` is told at once. What runs is stopped as
  far as that can be done: an async activity is cancelled, a process is killed, and a thread goes
  on until it looks at its context. It keeps its place under the limit of its name until it has
  ended, and when too many threads do not end, its thread is missing to others, which is logged.
- Times count from when the activity really began, not from when it had to wait for a place.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from perdure.authoring.activities import Activity
from perdure.base.errors import CallerFault
from perdure.base.limits import ABANDONED_THREADS_MAX
from perdure.base.time import SECOND_US
from perdure.worker.calls import ActivityCall, Outcome, call, call_async, raised, raised_by
from perdure.worker.gates import Gate
from perdure.worker.processes import Processes
from perdure.worker.runs import Done, Run
from perdure.worker.threads import Job, Threads

_log = logging.getLogger("perdure.worker")

NOT_REGISTERED: Final = "ActivityNotRegisteredError"
TIMED_OUT: Final = "TimeoutError"
CANCELLED: Final = "ActivityCancelled"
GONE: Final = "its workflow was terminated or purged, or another server has it now"
_NAMES_TOLD_MAX: Final = 5  # in a line of the log

Find = Callable[[str], Activity | None]


def no_gate(_: Activity) -> Gate | None:
    """Bound nothing but what an activity itself bounds."""
    return None


@dataclass(frozen=True, slots=True)
class _Way:
    """How an activity of a name is run: through the gates, in their order."""

    activity: Activity
    on_loop: bool
    gates: tuple[Gate, ...]


class ActivityRunner:
    """Runs the activities that `find` knows by name. Made on the loop that it is used on."""

    def __init__(
        self,
        find: Find,
        *,
        threads: int,
        processes: int,
        gate_of: Callable[[Activity], Gate | None] = no_gate,
    ) -> None:
        """Begin with no thread and no process; each is made when it is needed.

        `gate_of` gives the gate that an activity shares with those of other names.
        """
        self._find = find
        self._gate_of = gate_of
        self._loop = asyncio.get_running_loop()
        self._threads: Threads[Outcome] = Threads(threads, name="perdure-activity")
        self._process_count = processes
        self._processes: Processes | None = None
        # What is known of an activity is asked once, as long as it is the same.
        self._ways: dict[str, _Way] = {}
        # What has not come to its end, whether or not anybody still waits for it.
        self._running: set[Run] = set()
        self._closed = False

    def __len__(self) -> int:
        """Return how many calls are wanted and have not come to their end."""
        return sum(not run.over for run in self._running)

    def begin(self, asked: ActivityCall, done: Done) -> Run | None:
        """Run an activity; None if it cannot be begun at all, which `done` is told."""
        name = asked.scheduled.name
        activity = self._find(name)
        if activity is None:
            text = f"Activity function named '{name}' was not registered!"
            self._loop.call_soon(done, raised(NOT_REGISTERED, text))
            return None
        way = self._ways.get(name)
        if way is None or way.activity is not activity:
            way = self._ways[name] = self._way_of(activity)
        try:
            run = Run(activity, asked, done, on_loop=way.on_loop)
        except CallerFault as fault:
            self._loop.call_soon(done, raised_by(fault, (CallerFault,)))
            return None
        self._running.add(run)
        if way.gates:
            self._enter(run, way.gates)
        else:
            self._start(run)
        return run

    def widen(self, threads: int) -> None:
        """Allow for at least so many threads."""
        self._threads.widen(threads)

    def cancel(self, run: Run, why: str) -> None:
        """Stop a call whose result nobody wants; `done` is told that it was cancelled."""
        self._give_up(run, CANCELLED, why)

    def close(self) -> None:
        """Stop everything; nobody is told of anything more."""
        self._closed = True
        for run in self._running:
            run.over = True
            run.cancel("the engine is stopping")
            self._unwatch(run)
            if run.task is not None:
                run.task.cancel()
        self._threads.close()
        if self._processes is not None:
            self._processes.close()

    # ---- a call begins

    def _way_of(self, activity: Activity) -> _Way:
        # Those who are within the gate of one that had the name before stay there.
        most, shared = activity.concurrency_max, self._gate_of(activity)
        own = () if most is None else (Gate(most),)
        return _Way(
            activity,
            on_loop=activity.is_async and not activity.process,
            gates=own if shared is None else (*own, shared),
        )

    def _enter(self, run: Run, gates: tuple[Gate, ...]) -> None:
        """Have a run begin once it is through all gates; the shared one is the last."""
        gates[0].enter(partial(self._inside, run, gates))

    def _inside(self, run: Run, gates: tuple[Gate, ...]) -> bool:
        if run.over or self._closed:
            self._leave(run)
            return False
        run.gates = (*run.gates, gates[0])
        if len(gates) > 1:
            self._enter(run, gates[1:])
        else:
            self._start(run)
        return True

    def _leave(self, run: Run) -> None:
        """Give the places of a run to others."""
        self._running.discard(run)
        gates, run.gates = run.gates, ()
        for gate in gates:
            gate.leave()

    def _start(self, run: Run) -> None:
        activity = run.activity
        if run.on_loop:
            run.begin()
            run.task = self._loop.create_task(self._await(run))
        elif activity.process:
            run.job = self._ensured_processes().submit(run, partial(self._came, run))
        else:
            run.job = self._threads.submit(partial(_call, run), partial(self._came, run))
        if activity.timeout_us is not None:
            self._watch(run, activity.timeout_us, self._look_at_time)
        if activity.heartbeat_timeout_us is not None:
            self._watch(run, activity.heartbeat_timeout_us, self._look_at_beat)

    def _ensured_processes(self) -> Processes:
        if self._processes is None:
            self._processes = Processes(self._process_count)
        return self._processes

    async def _await(self, run: Run) -> None:
        try:
            outcome = await call_async(run.activity, run.context, run.call.scheduled.input)
        except asyncio.CancelledError as error:
            # Whoever ends a loop cancels all that is on it; alone, the activity has failed.
            if not run.over and all(task.cancelling() for task in asyncio.all_tasks()):
                raise
            outcome = raised_by(error, run.activity.non_retryable)
        except GeneratorExit as error:
            # Whoever closes a coroutine does it from outside of its task.
            if asyncio.current_task(self._loop) is not run.task:
                raise
            outcome = raised_by(error, run.activity.non_retryable)
        self._came(run, outcome)

    # ---- and ends

    def _came(self, run: Run, outcome: Outcome) -> None:
        self._leave(run)
        if not run.over:
            self._end(run, outcome)
        run.ended()

    def _end(self, run: Run, outcome: Outcome) -> None:
        run.over = True
        self._unwatch(run)
        run.done(outcome)

    def _give_up(self, run: Run, error_type: str, why: str) -> None:
        if run.over:
            return
        run.cancel(why)
        self._end(run, raised(error_type, why))
        if run.task is not None:
            run.task.cancel()
        elif run.job is not None:
            self._stop_job(run, run.job)
        else:
            self._leave(run)  # it has waited for a place

    def _stop_job(self, run: Run, job: Job[Outcome]) -> None:
        if run.activity.process:
            never_begun = self._ensured_processes().end(job, run)
        else:
            never_begun = self._threads.drop(job)
            self._threads.abandon(job)
            if self._threads.abandoned > ABANDONED_THREADS_MAX:
                self._tell_of_threads(run)
        if never_begun:
            self._leave(run)

    def _tell_of_threads(self, last: Run) -> None:
        """Say who holds the threads that others wait for; there is one line for each thread."""
        held = Counter(run.activity.name for run in self._running if run.over and run.job)
        _log.error(
            "activity '%s' was given up and its thread does not end; neither do %d others (%s). No "
            "more are made in their place: %d are left for activities that are not async, which "
            "wait for one. Have it call ctx.heartbeat(), bound what it waits for, or run it with "
            "process=True",
            last.activity.name,
            self._threads.abandoned - 1,
            ", ".join(f"{name}: {count}" for name, count in held.most_common(_NAMES_TOLD_MAX)),
            self._threads.size,
        )

    # ---- time

    def _watch(self, run: Run, after_us: int, look: Callable[[Run], None]) -> None:
        timer = self._loop.call_later(after_us / SECOND_US, look, run)
        run.timers = (*run.timers, timer)

    def _unwatch(self, run: Run) -> None:
        for timer in run.timers:
            timer.cancel()
        run.timers = ()

    def _look_at_time(self, run: Run) -> None:
        timeout_us = run.activity.timeout_us
        assert timeout_us is not None, "it is watched for that"
        left_us = self._left_us(run.begun_s, timeout_us)
        if left_us > 0:
            self._watch(run, left_us, self._look_at_time)
        else:
            text = f"activity '{run.activity.name}' took longer than {timeout_us / SECOND_US:g} s"
            self._give_up(run, TIMED_OUT, text)

    def _look_at_beat(self, run: Run) -> None:
        timeout_us = run.activity.heartbeat_timeout_us
        assert timeout_us is not None, "it is watched for that"
        left_us = self._left_us(run.beat_s, timeout_us)
        if left_us > 0:
            self._watch(run, left_us, self._look_at_beat)
        else:
            text = (
                f"activity '{run.activity.name}' gave no heartbeat for {timeout_us / SECOND_US:g} s"
            )
            self._give_up(run, TIMED_OUT, text)

    def _left_us(self, since_s: float | None, length_us: int) -> int:
        """Return how much of a time is left; all of it for what waits for a place."""
        if since_s is None:
            return length_us
        return int(length_us - (time.monotonic() - since_s) * SECOND_US)


def _call(run: Run) -> Outcome:
    run.begin()
    return call(run.activity, run.context, run.call.scheduled.input)
