"""Processes for activities that compute: one activity at a time each, and ended when it must be.

A process is begun when there is work for it and kept for the next. It is a fresh Python
(`spawn`): threads and locks of this process do not come along. What is sent to it is the name of a
function, which it imports, and the call; back come heartbeats and, at last, what came of it. A
process that dies by itself fails the activity that it had, and no other.
"""

import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Final

from perdure.wire.fields import failure_of
from perdure.worker.calls import Outcome, Raised, Returned, raised, raised_by
from perdure.worker.process_side import Assignment, Told, assignment_of, serve
from perdure.worker.runs import Run
from perdure.worker.threads import Job, Threads

PROCESS_DIED: Final = "ProcessDied"
# How long a process that speaks no more may take to end by itself.
_END_S: Final = 5.0


class Processes:
    """Up to `size` processes, each looked after by a thread of its own."""

    def __init__(self, size: int) -> None:
        """Begin without any."""
        self._threads: Threads[Outcome] = Threads(size, name="perdure-process")
        self._own = threading.local()
        self._lock = threading.Lock()
        self._at: dict[Run, _Hand] = {}
        self._hands: set[_Hand] = set()
        self._closed = False

    def submit(self, run: Run, done: Callable[[Outcome], None]) -> Job[Outcome]:
        """Run a call in a process as soon as one is free; `done` is called on the loop."""
        return self._threads.submit(lambda: self._run(run), done)

    def end(self, job: Job[Outcome], run: Run) -> bool:
        """End a call that is cancelled; tells whether it had never begun.

        If it had, its process is killed, and `done` is called soon.
        """
        if self._threads.drop(job):
            return True
        with self._lock:
            hand = self._at.get(run)
            if hand is not None:
                hand.kill()
        return False

    def close(self) -> None:
        """Kill what still runs, and let go of every process."""
        with self._lock:
            self._closed = True
            for hand in self._hands:
                hand.kill()
        self._threads.close()

    def _run(self, run: Run) -> Outcome:
        try:
            assignment = assignment_of(run.activity, run.call)
            hand = self._hand()
        except Exception as error:  # noqa: BLE001 - a thread that raised would leave it for ever
            return raised_by(error, (ValueError,))
        with self._lock:
            if self._closed or run.cancelled_because is not None:
                return raised(PROCESS_DIED, "it was cancelled before it began")
            self._at[run] = hand
        try:
            return hand.run(assignment, run)
        finally:
            with self._lock:
                del self._at[run]

    def _hand(self) -> "_Hand":
        """Return the process of this thread, a new one if it has none that lives."""
        hand: _Hand | None = getattr(self._own, "hand", None)
        if hand is None or not hand.is_alive:
            if hand is not None:
                with self._lock:
                    self._hands.discard(hand)
                hand.close()
            hand = self._own.hand = _Hand()
            with self._lock:
                self._hands.add(hand)
        return hand


def _outcome(told: Told) -> Outcome:
    result, failure = told
    return Returned(result) if failure is None else Raised(failure_of(failure))


class _Hand:
    """One process and the way to it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self.is_alive = True

    def run(self, assignment: Assignment, run: Run) -> Outcome:
        connection: Connection = self._connection
        try:
            connection.send(assignment)
            while True:
                match connection.recv():
                    case "begun":
                        # Only now: a fresh process takes a while to import what it is to call.
                        run.begin()
                    case "beat":
                        run.beat()
                    case told:
                        return _outcome(told)
        except (EOFError, OSError):
            self.is_alive = False
            self._process.join(_END_S)
            if self._process.exitcode is None:  # something of the activity's keeps it
                self._process.kill()
                self._process.join()
            code = self._process.exitcode
            return raised(PROCESS_DIED, f"the process of the activity ended with code {code}")
        except Exception as error:  # noqa: BLE001 - such as a class that cannot be sent
            return raised_by(error)

    def kill(self) -> None:
        self.is_alive = False
        self._process.kill()

    def close(self) -> None:
        self._connection.close()
        self._process.join()
