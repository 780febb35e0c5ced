"""Calls that wait, and how the server's stopping ends them."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from perdure.base.errors import ShuttingDown

Result = TypeVar("Result")

STOPPING: Final = "the server is stopping; try again"


class Waits:
    """The calls that wait for something that may be long in coming."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._tasks: set[asyncio.Task[object]] = set()
        self._ended = False

    async def until(self, outcome: Coroutine[Any, Any, Result]) -> Result:
        """Return the outcome. Raises ShuttingDown if the server stops before it is there.

        The waiting call's own task is told, which costs nothing until it happens; a client that
        goes away cancels the same task, and then that cancellation goes on.
        """
        if self._ended:
            outcome.close()
            raise ShuttingDown(STOPPING)
        task = asyncio.current_task()
        assert task is not None, "every call has a task"
        self._tasks.add(task)
        try:
            return await outcome
        except asyncio.CancelledError:
            if not self._ended or task.uncancel() > 0:
                raise
            raise ShuttingDown(STOPPING) from None
        finally:
            self._tasks.discard(task)

    def end(self) -> None:
        """Let every call that waits, now or later, end with ShuttingDown."""
        self._ended = True
        for task in self._tasks:
            task.cancel()
