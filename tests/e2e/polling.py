"""Looking again until a deadline: a process gives no signal to another."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

Seen = TypeVar("Seen")
POLL_S: Final = 0.03


def until(
    look: Callable[[], Seen],
    wanted: Callable[[Seen], bool],
    *,
    deadline_s: float,
    what: str,
    poll_s: float = POLL_S,
) -> Seen:
    """Return what `look` sees once it is as wanted; `what` tells what that is if it never is.

    `poll_s` is the pause between two looks that cost somebody else something.
    """
    end = time.monotonic() + deadline_s
    while not wanted(seen := look()):
        assert time.monotonic() < end, f"{what}; it is {seen} after {deadline_s} s"
        time.sleep(poll_s)
    return seen
