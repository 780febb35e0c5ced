"""Waits of clients: how long one call may last, and what is tried again while a server is away."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import grpc

from perdure.workflow.faults import WorkflowRpcError

_log = logging.getLogger("perdure.worker")

_PAUSE_FIRST_S: Final = 0.5
_PAUSE_LONGEST_S: Final = 5.0
# For how long a server may be away at a stretch while somebody waits without a limit.
_AWAY_MAX_S: Final = 30.0
# A server that starts or moves answers so; it is there again in a moment.
_PASSING: Final = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.FAILED_PRECONDITION}


@dataclass(slots=True)
class Wait:
    """One wait, of so many seconds; 0 and None are no limit. It begins when it is made."""

    what: str
    limit_s: float | None
    now_s: Callable[[], float] = time.monotonic
    _end_s: float | None = field(init=False)
    # Since when the server is away, when a call has failed last, and what to wait after the next.
    _away_since_s: float = field(init=False, default=-math.inf)
    _failed_s: float = field(init=False, default=-math.inf)
    _pause_s: float = field(init=False, default=_PAUSE_FIRST_S)

    def __post_init__(self) -> None:
        """Begin now."""
        self._end_s = self.now_s() + self.limit_s if self.limit_s else None

    def left_s(self) -> float | None:
        """Return how long the next call may last. Raises TimeoutError when the time is up."""
        if self._end_s is None:
            return None
        left_s = self._end_s - self.now_s()
        if left_s <= 0:
            raise self.timed_out()
        return left_s

    def timed_out(self) -> TimeoutError:
        """Return what is raised when the time is up."""
        return TimeoutError(f"Timed-out waiting for the orchestration to {self.what}")

    def pause_after(self, error: WorkflowRpcError) -> float:
        """Return how long to wait before the call is made again.

        Raises the error if it is not to be, and TimeoutError if it was the time that was up.
        """
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            raise self.timed_out() from error
        if error.code() not in _PASSING:
            raise error
        now_s = self.now_s()
        if now_s - self._failed_s > _AWAY_MAX_S:
            # A call that has lasted so long was answered by somebody: they are away anew.
            self._away_since_s, self._pause_s = now_s, _PAUSE_FIRST_S
        elif self._end_s is None and now_s - self._away_since_s >= _AWAY_MAX_S:
            raise error
        self._failed_s = now_s
        pause_s, self._pause_s = self._pause_s, min(self._pause_s * 2, _PAUSE_LONGEST_S)
        left_s = self.left_s()
        pause_s = pause_s if left_s is None else min(pause_s, left_s)
        _log.warning("waiting for a workflow to %s: %s; again in %g s", self.what, error, pause_s)
        return pause_s
