"""A worker in script: it takes work items one by one, or answers them all by given functions."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from perdure.core.events import Event, TaskCompleted
from perdure.engine.service import Engine
from perdure.engine.work import Profile, Stream
from perdure.proving.answers import activity_answer, complete, schedule, turn_answer
from perdure.proving.items import ActivityItem, TurnItem, parsed
from perdure.wire.generated import work_pb2 as pb

__all__ = ["ActivityItem", "TurnCode", "TurnItem", "Worker", "hello", "parsed"]


TurnCode = Callable[[TurnItem], Iterable[pb.Action]]
ActivityCode = Callable[[ActivityItem], str | None]


class Worker:
    """One stream and what has come over it."""

    def __init__(self, door: Engine, profile: Profile, *, echoes: bool = True) -> None:
        self._door = door
        self._echoes = echoes
        self.stream: Stream = door.open_stream(profile)
        self.waiting: deque[TurnItem | ActivityItem] = deque()
        self._came = asyncio.Event()
        self._receiving = asyncio.create_task(self._receive())
        self._working: asyncio.Task[None] | None = None
        self._kept: dict[str, tuple[Event, ...]] = {}
        self.activities_run: list[tuple[str, int]] = []
        self.recalled: list[str] = []  # the tokens of activities that nobody wants any more

    async def turn(self) -> TurnItem:
        """Return the next work item, which has to be a turn."""
        item = await self.take()
        assert isinstance(item, TurnItem), item
        return item

    async def activity(self) -> ActivityItem:
        """Return the next work item, which has to be an activity."""
        item = await self.take()
        assert isinstance(item, ActivityItem), item
        return item

    async def take(self) -> TurnItem | ActivityItem:
        """Return the next work item as soon as there is one."""
        while not self.waiting:
            self._came.clear()
            await self._came.wait()
        return self.waiting.popleft()

    async def decide(
        self,
        item: TurnItem,
        *actions: pb.Action,
        custom_status: str | None = None,
        patches: Iterable[str] | None = None,
        version: str | None = None,
    ) -> None:
        """Answer a turn; returns when the engine has landed it."""
        answer = turn_answer(
            item.instance_id,
            *actions,
            token=item.token if self._echoes else "",
            custom_status=custom_status,
            patches=patches,
            version=version,
        )
        await self._door.land_turn(answer)

    async def finish(
        self, item: ActivityItem, result: str | None = None, *, failure: str | None = None
    ) -> None:
        """Answer an activity; returns when the engine has landed it."""
        answer = activity_answer(
            item.instance_id,
            item.task_id,
            token=item.token if self._echoes else "",
            result=result,
            failure=failure,
        )
        await self._door.complete_activity(answer)

    def work(
        self, turns: TurnCode, activities: Mapping[str, ActivityCode] | None = None
    ) -> "Worker":
        """Answer everything from now on: turns by `turns`, activities by their names."""
        self._working = asyncio.create_task(self._work(turns, activities or {}))
        return self

    async def ended(self) -> None:
        """Return once the stream has ended without an error."""
        await self._receiving

    def check(self) -> None:
        """Raise what a worker that answers everything has been told, if that ended it."""
        if self._working is not None and self._working.done():
            self._working.result()

    def leave(self) -> None:
        """Go away with whatever is in hand."""
        self.stream.close()
        self._receiving.cancel()
        if self._working is not None:
            self._working.cancel()

    async def _receive(self) -> None:
        async for data in self.stream.items():
            recalled = pb.WorkItem.FromString(data).recall
            if recalled:
                self.recalled.append(recalled)
                continue
            item = parsed(data)
            if isinstance(item, TurnItem):
                kept = self._kept.get(item.instance_id, ())[: item.cached or 0]
                assert len(kept) == (item.cached or 0), "only what was sent before is left out"
                item = replace(item, known=(*kept, *item.past))
                self._kept[item.instance_id] = item.known
            self.waiting.append(item)
            self._came.set()

    async def _work(self, turns: TurnCode, activities: Mapping[str, ActivityCode]) -> None:
        while True:
            match await self.take():
                case TurnItem() as item:
                    await self.decide(item, *turns(item))
                case ActivityItem() as item:
                    self.activities_run.append((item.instance_id, item.task_id))
                    code = activities.get(item.name, _echo)
                    await self.finish(item, code(item))


def _echo(item: ActivityItem) -> str | None:
    return item.input


def hello(item: TurnItem) -> Iterable[pb.Action]:
    """The smallest workflow: one activity, and its result is the output."""
    done = [e for e in (*item.known, *item.new) if isinstance(e, TaskCompleted)]
    if done:
        return [complete(2, done[0].result)]
    return [] if item.has_kind("TaskScheduled") else [schedule(1, "act", item.input)]
