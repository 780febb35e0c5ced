"""One seed, one whole life of a server: requests, workers, trouble and restarts at random.

A safety phase in which anything goes wrong, then a liveness phase in which everything must come to
its end. What callers were told is kept, and compared with what is there afterwards.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from random import Random
from typing import Final

from perdure.base.errors import CallerFault, ShuttingDown, StoreError, WorkerFault
from perdure.base.time import SECOND_US
from perdure.components.port import Done, Purged, Started
from perdure.core.actions import Action
from perdure.core.events import Event, EventRaised, ExecutionStarted, TaskCompleted, TaskFailed
from perdure.core.requests import Start
from perdure.core.status import TERMINAL
from perdure.wire.actions import decision_of, parse_turn_answer
from perdure.wire.generated import work_pb2 as pb
from tests.kit.answers import (
    child,
    complete,
    continue_as_new,
    no_such_version,
    schedule,
    send,
    timer,
    turn_answer,
)
from tests.kit.clock import VirtualLoop
from tests.kit.house import APP, House
from tests.kit.local_script import LocalScript
from tests.kit.shaky_store import ShakyStore
from tests.kit.worker import ActivityItem, TurnItem, Worker

IDS: Final = ("a", "b", "c")
# What a store in trouble makes the engine report; all of it is survived.
TROUBLE: Final = ("landing", "moving", "reading", "firing", "deleting")


class Storm:
    """A house and whoever is in it."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.house = House(
            ShakyStore(),
            residents_max=self.random.choice([1, 2, 100]),
            turns_max=self.random.choice([None, 1, 2]),
            activities_max=self.random.choice([None, 1, 2]),
        )
        self.house.expected_faults = TROUBLE
        self.hands: list[tuple[Worker, TurnItem | ActivityItem]] = []
        self.births: dict[str, str | None] = {}  # by id: the input of the last acknowledged start
        self.sequence = 0
        self.here: LocalScript | None = None  # the app in the process, while it is there

    async def rage(self, steps: int) -> None:
        """The safety phase."""
        for _ in range(steps):
            action = self.random.choices(
                [
                    self.request,
                    self.take,
                    self.answer,
                    self.answer_again,
                    self.come_or_go,
                    self.trouble,
                    self.wait,
                    self.restart,
                ],
                [12, 14, 14, 2, 3, 2, 4, 1],
            )[0]
            await action()
            if self.random.random() < 0.5:
                await self.house.settle()

    async def calm_down(self) -> None:
        """The liveness phase: a good worker, a good store, and time."""
        self.house.store.power_returns()
        self.house.store.fail_commits(0)
        self.house.store.fail_reads(0)
        self._leave()
        for worker in self.house.workers:
            worker.leave()
        self.house.workers.clear()
        self.hands.clear()
        self.house.worker().work(finish_off)
        await self.house.pass_minutes(2)
        for instance_id in self.alive():
            if self.house.on_disk(instance_id).suspended:
                assert await self.house.resume(instance_id) == Done()
        await self.house.pass_minutes(6)
        for instance_id in self.alive():
            await self.house.raise_event(instance_id, "last")
        await self.house.pass_minutes(1)

    def alive(self) -> list[str]:
        """Return the ids of those that have not ended."""
        rows = self.house.store.list_ids(0, 1_000)
        found = [self.house.on_disk(instance_id) for _, instance_id in rows]
        return [each.identity.instance_id for each in found if each.head.phase not in TERMINAL]

    def check(self) -> None:
        """Compare what was acknowledged with what is there, and look at every history."""
        assert self.alive() == [], "everything comes to its end"
        figures = self.house.engine.figures()
        assert figures["outstanding_turns"] == figures["outstanding_activities"] == 0, figures
        for _, instance_id in self.house.store.list_ids(0, 1_000):
            history = self.house.history(instance_id)
            results = Counter(
                event.task_id for event in history if isinstance(event, TaskCompleted | TaskFailed)
            )
            assert all(count == 1 for count in results.values()), "P2: one result"
            names = [event.name for event in history if isinstance(event, EventRaised)]
            assert len(names) == len(set(names)) or "sent" in names or "last" in names
        for instance_id in self.births:
            snapshot = self.house.store.snapshot(instance_id)
            assert snapshot is not None, "P1: an acknowledged start is there"
            start, _ = self.house.store.payload_events(snapshot.key)
            assert start is not None

    # ---- what happens

    async def request(self) -> None:
        instance_id = self.random.choice(IDS)
        kind = self.random.choices(
            ["start", "event", "terminate", "suspend", "resume", "purge"], [8, 8, 1, 2, 3, 1]
        )[0]
        try:
            await self._request(kind, instance_id)
        except StoreError:
            return

    async def _request(self, kind: str, instance_id: str) -> None:
        house = self.house
        match kind:
            case "start":
                await self._start(instance_id)
            case "event":
                self.sequence += 1
                await house.raise_event(instance_id, f"event {self.sequence}")
            case "terminate":
                await self._terminate(instance_id)
            case "suspend":
                await house.suspend(instance_id)
            case "resume":
                await house.resume(instance_id)
            case _:
                if isinstance(await house.purge(instance_id, force=True), Purged):
                    self.births.pop(instance_id, None)

    async def _start(self, instance_id: str) -> None:
        self.sequence += 1
        text = str(self.sequence)
        start = Start(instance_id=instance_id, name="wf", app_id=APP, input=text)
        if await self.house.component.start(start) == Started(instance_id):
            self.births[instance_id] = text

    async def _terminate(self, instance_id: str) -> None:
        terminating = self.house.soon(self.house.terminate(instance_id))
        for _ in range(4):
            await self.house.reads_done()
            self.house.clock.advance(SECOND_US)
        await terminating

    async def take(self) -> None:
        for worker in self.house.workers:
            while worker.waiting:
                self.hands.append((worker, worker.waiting.popleft()))

    async def answer(self) -> None:
        if self.here is not None and self.here.errands and self.random.random() < 0.6:
            place = self.random.randrange(len(self.here.errands))
            self.here.app.completed(self.here.errands.pop(place), "yes")
        elif self.hands:
            place = self.random.randrange(len(self.hands))
            await self._answer(*self.hands.pop(place))

    async def answer_again(self) -> None:
        if self.hands:
            await self._answer(*self.random.choice(self.hands))

    async def _answer(self, worker: Worker, item: TurnItem | ActivityItem) -> None:
        if isinstance(item, TurnItem):
            work = worker.decide(item, *self.decisions(item))
        elif self.random.random() < 0.3:
            work = worker.finish(item, failure="no")
        else:
            work = worker.finish(item, "yes")
        answering = self.house.soon(self._told(work))
        for _ in range(3):
            await self.house.reads_done()
        if not answering.done() and self.random.random() < 0.5:
            await self.house.pass_minutes()

    async def _told(self, work: Awaitable[None]) -> None:
        try:
            await work
        except (WorkerFault, CallerFault, StoreError):
            return

    def decisions(self, item: TurnItem) -> list[pb.Action]:
        """Decide something, with ids that a sound worker would use, or now and then not."""
        known = (*item.known, *item.new)
        used = [event.event_id for event in known]
        # Who decides here is not told of its own actions: results show which ids it has used.
        used += [getattr(event, "task_id", getattr(event, "timer_id", 0)) for event in known]
        first = max([*used, 0]) + 1
        if self.random.random() < 0.05:
            return [no_such_version()]
        if self.random.random() < 0.05:
            return [schedule(first), schedule(first)]
        now_us = item.new[0].at_us
        some = [
            schedule(first),
            timer(first + 1, now_us + self.random.randrange(5) * SECOND_US),
            timer(first + 2, now_us + 100 * SECOND_US, "sent"),
            child(first + 3, self.random.choice([*IDS, "", "d"])),
            send(first + 4, self.random.choice(IDS), "sent"),
        ]
        chosen = [action for action in some if self.random.random() < 0.3]
        end = self.random.random()
        if end < 0.1:
            chosen.append(complete(first + 9, "done"))
        elif end < 0.2:
            chosen.append(continue_as_new(first + 9, item.input, [("carried", "")]))
            chosen += [action for action in some if self.random.random() < 0.1]
        return chosen

    def _leave(self) -> None:
        if self.here is not None:
            self.here.app.close()
            self.here = None

    def _decided_here(self, known: Sequence[Event], new: Sequence[Event]) -> Iterable[Action]:
        item = TurnItem(
            instance_id="",
            past=(),
            known=tuple(known[: len(known) - len(new)]),
            new=tuple(new),
            token="",
            past_bytes=(),
            new_bytes=(),
            cached=None,
            execution_id="",
            propagated=None,
        )
        answer = turn_answer("", *self.decisions(item))
        return decision_of(parse_turn_answer(answer), microsoft=False).actions

    async def come_or_go(self) -> None:
        if self.random.random() < 0.4:
            if self.here is None:
                self.here = LocalScript.attach(self.house, self._decided_here)
            else:
                self._leave()
        elif self.house.workers and self.random.random() < 0.4:
            worker = self.house.workers.pop(self.random.randrange(len(self.house.workers)))
            worker.leave()
        else:
            self.house.worker(
                echoes=self.random.random() < 0.8, stateful=self.random.random() < 0.5
            )

    async def trouble(self) -> None:
        store = self.house.store
        self.random.choice([store.fail_commits, store.fail_reads])(self.random.randrange(4))

    async def wait(self) -> None:
        await self.house.pass_time(self.random.randrange(10) * SECOND_US)

    async def restart(self) -> None:
        self.hands.clear()
        self._leave()
        self.house.store.fail_reads(0)
        try:
            await self.house.restart()
        except ShuttingDown:
            raise AssertionError("a server that was stopped starts again") from None


def finish_off(item: TurnItem) -> list[pb.Action]:
    """Bring whatever comes to its end."""
    assert any(isinstance(event, ExecutionStarted) for event in (*item.known, *item.new))
    first = max([event.event_id for event in item.known] + [0]) + 1
    return [complete(first, "end")]


def live(make: Callable[[int], Storm], seed: int, steps: int) -> None:
    """Run one life to its end."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(_live(make, seed, steps))


async def _live(make: Callable[[int], Storm], seed: int, steps: int) -> None:
    storm = make(seed)
    async with storm.house:
        await storm.rage(steps)
        await storm.calm_down()
        await storm.house.settle()
        storm.check()
