"""A worker in script: it takes work items one by one, or answers them all by given functions."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from perdure.core.events import Event, EventRaised, ExecutionStarted, TaskCompleted
from perdure.engine.service import Engine
from perdure.engine.work import Profile, Stream
from perdure.wire.events import decode
from perdure.wire.generated import work_pb2 as pb
from tests.kit.answers import activity_answer, complete, schedule, turn_answer


@dataclass(frozen=True, slots=True)
class TurnItem:
    """A turn as a worker receives it."""

    instance_id: str
    past: tuple[Event, ...]  # as it was sent
    known: tuple[Event, ...]  # with what a stateful worker had kept
    new: tuple[Event, ...]
    token: str
    past_bytes: tuple[bytes, ...]
    new_bytes: tuple[bytes, ...]
    cached: int | None
    execution_id: str
    propagated: bytes | None

    def names(self) -> list[str]:
        """Return the kinds of the new events."""
        return [type(event).__name__ for event in self.new]

    def raised(self) -> list[str]:
        """Return the names of external events among the new ones."""
        return [event.name for event in self.new if isinstance(event, EventRaised)]

    def has_kind(self, kind: str) -> bool:
        """Tell whether an event of a kind is among all that the worker sees."""
        return any(type(event).__name__ == kind for event in (*self.known, *self.new))

    @property
    def input(self) -> str | None:
        """What the workflow was started with."""
        return next(e for e in (*self.known, *self.new) if isinstance(e, ExecutionStarted)).input


@dataclass(frozen=True, slots=True)
class ActivityItem:
    """An activity as a worker receives it."""

    instance_id: str
    task_id: int
    name: str
    input: str | None
    execution_id: str
    token: str
    propagated: bytes | None


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


def parsed(data: bytes) -> TurnItem | ActivityItem:
    """Return a serialized WorkItem as a worker sees it."""
    item = pb.WorkItem.FromString(data)
    if item.WhichOneof("request") == "activity":
        return _activity(item)
    request = pb.TurnRequest.FromString(item.turn)
    past = tuple(decode(event) for event in request.past)
    return TurnItem(
        instance_id=request.instance_id,
        past=past,
        known=past,
        new=tuple(decode(event) for event in request.new),
        token=item.token,
        past_bytes=tuple(request.past),
        new_bytes=tuple(request.new),
        cached=request.cached.event_count if request.HasField("cached") else None,
        execution_id=request.execution_id.value,
        propagated=request.propagated if request.HasField("propagated") else None,
    )


def _activity(item: pb.WorkItem) -> ActivityItem:
    request = pb.ActivityRequest.FromString(item.activity)
    return ActivityItem(
        instance_id=request.instance.instance_id,
        task_id=request.task_id,
        name=request.name,
        input=request.input.value if request.HasField("input") else None,
        execution_id=request.execution_id,
        token=item.token,
        propagated=request.propagated if request.HasField("propagated") else None,
    )


def _echo(item: ActivityItem) -> str | None:
    return item.input


def hello(item: TurnItem) -> Iterable[pb.Action]:
    """The smallest workflow: one activity, and its result is the output."""
    done = [e for e in (*item.known, *item.new) if isinstance(e, TaskCompleted)]
    if done:
        return [complete(2, done[0].result)]
    return [] if item.has_kind("TaskScheduled") else [schedule(1, "act", item.input)]
