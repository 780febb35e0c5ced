"""Being the running loop of a thread for a while, also where another one runs already.

A test that is itself a coroutine runs on a loop; within it a simulated one may be run to its end.
The outer loop stands still meanwhile, and knows nothing of it.
"""

import asyncio
from asyncio.events import _get_running_loop, _set_running_loop
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def running(loop: asyncio.AbstractEventLoop | None) -> Iterator[None]:
    """Let `loop` be the one that runs on this thread, or with None, let there be none."""
    outer = _get_running_loop()
    # What asyncio knows of the outer loop's task must not be in the way of the inner one's.
    task = None if outer is None else _swap_task(outer, None)
    _set_running_loop(loop)
    try:
        yield
    finally:
        _set_running_loop(outer)
        if outer is not None:
            _swap_task(outer, task)


def _swap_task(
    loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any] | None
) -> asyncio.Task[Any] | None:
    """Say which of a loop's tasks is the present one; return which one was."""
    swap = getattr(asyncio.tasks, "_swap_current_task", None)
    if swap is None:
        return None  # before Python 3.12 each loop has a present task of its own
    before: asyncio.Task[Any] | None = swap(loop, task)
    return before
