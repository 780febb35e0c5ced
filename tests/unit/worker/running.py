"""A runner of activities, and what came of the calls it was given."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any, Self

from perdure.authoring.registry import Registry
from perdure.core.events import Failure, TaskScheduled
from perdure.worker.activities import ActivityRunner
from perdure.worker.calls import ActivityCall, Outcome, Raised, Returned
from perdure.worker.runs import Run

_DEADLINE_S = 60.0


class Place:
    """Use it with `async with`: it is closed at the end."""

    def __init__(self, *, threads: int = 4, processes: int = 1) -> None:
        self.registry = Registry()
        self.runner = ActivityRunner(
            self.registry.activities.get, threads=threads, processes=processes
        )
        self._numbers = count(1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.runner.close()

    def add(self, function: Callable[..., Any], **options: Any) -> None:
        self.registry.add_activity(function, **options)

    def begin(
        self, name: str, text: str | None = None, execution_id: str = ""
    ) -> "tuple[Run | None, asyncio.Future[Outcome]]":
        """Begin a call; the future is what comes of it."""
        told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        scheduled = TaskScheduled(
            at_us=0,
            event_id=next(self._numbers),
            name=name,
            input=text,
            execution_id=execution_id,
        )
        run = self.runner.begin(ActivityCall("i", scheduled), told.set_result)
        assert not told.done(), "nobody is told before it has begun"
        return run, told

    async def outcome(self, name: str, text: str | None = None) -> Outcome:
        async with asyncio.timeout(_DEADLINE_S):
            return await self.begin(name, text)[1]

    async def result(self, name: str, text: str | None = None) -> str | None:
        outcome = await self.outcome(name, text)
        assert isinstance(outcome, Returned), outcome
        return outcome.result

    async def failure(self, name: str, text: str | None = None) -> Failure:
        return failure_in(await self.outcome(name, text))


def failure_in(outcome: Outcome) -> Failure:
    assert isinstance(outcome, Raised), outcome
    return outcome.failure
