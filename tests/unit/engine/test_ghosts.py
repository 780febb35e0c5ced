"""Workers that echo no token: a late answer to an earlier turn is not taken for the present one's.

A worker whose stream broke may still be running its turn, and JavaScript's, .NET's and older Go
workers send nothing that says which turn they answer.
"""

import random
from collections.abc import Iterable

import pytest

from perdure.base.limits import AMBIGUOUS_ANSWERS_MAX, GHOST_INSTANCES_MAX, GHOST_TTL_US
from perdure.base.time import SECOND_US
from perdure.core.events import EventRaised, TaskCompleted, TaskScheduled
from perdure.core.status import Status
from perdure.engine.work import Dialect
from perdure.wire.generated import work_pb2 as pb
from tests.kit.answers import complete, continue_as_new, schedule, turn_answer
from tests.kit.house import House
from tests.kit.worker import ActivityItem, TurnItem, Worker


async def _lost(house: House, *actions: pb.Action) -> tuple[Worker, TurnItem]:
    """Let the first turn of "a" be at two workers, and the second one's answer count."""
    await house.start("a")
    gone = house.worker(echoes=False)
    old = await gone.turn()
    gone.leave()
    worker = house.worker(echoes=False)
    await worker.decide(await worker.turn(), *actions)
    return worker, old


async def _say(house: House, *actions: pb.Action) -> None:
    """Answer without a token, from wherever."""
    await house.engine.land_turn(turn_answer("a", *actions))


async def test_a_late_empty_answer_takes_no_events_away() -> None:
    async with House() as house:
        worker, _ = await _lost(house)
        await house.raise_event("a", "go")
        turn = await worker.turn()
        await _say(house)
        again = await worker.turn()
        assert again.new_bytes == turn.new_bytes, "the same batch"
        await worker.decide(turn, complete(result="seen"))
        assert (await house.view("a")).output == "seen"
        assert house.kinds("a").count("WorkflowStarted") == 2


async def test_a_late_answer_runs_no_activity_again() -> None:
    """As the present turn's it would schedule under an id that is free again."""
    async with House() as house:
        worker, _ = await _lost(house, schedule(1))
        await worker.finish(await worker.activity(), "1")
        await worker.turn()
        await _say(house, schedule(1))
        await worker.decide(await worker.turn(), schedule(2))
        assert (await worker.activity()).task_id == 2
        assert house.kinds("a").count("TaskScheduled") == 2


async def test_an_answer_that_no_earlier_turn_had_counts_at_once() -> None:
    async with House() as house:
        worker, _ = await _lost(house)
        await house.raise_event("a", "go")
        await worker.decide(await worker.turn(), schedule(1))
        assert (await worker.activity()).task_id == 1
        assert not house.recorder.of("turn_retried")[1:], "nothing was asked twice"


async def test_an_equal_answer_is_believed_when_there_are_more_than_ghosts_could_give() -> None:
    async with House() as house:
        worker, _ = await _lost(house)
        await house.raise_event("a", "go")
        for _ in range(2):
            await worker.decide(await worker.turn())
        await house.settle()
        assert not worker.waiting
        assert house.kinds("a").count("WorkflowStarted") == 2
        await house.raise_event("a", "on")
        await worker.decide(await worker.turn(), complete())
        assert await house.status("a") is Status.COMPLETED


async def test_the_ghosts_answer_after_the_turns_own() -> None:
    """It finds nothing, and from then on there is no ghost."""
    async with House() as house:
        worker, _ = await _lost(house)
        await _say(house)
        for name in ("one", "two"):
            await house.raise_event("a", name)
            await worker.decide(await worker.turn())
        assert house.kinds("a").count("WorkflowStarted") == 3
        assert len(house.recorder.of("turn_retried")) == 1


@pytest.mark.parametrize("copies", [2, 3, 5])
async def test_many_ghosts(copies: int) -> None:
    async with House() as house:
        await house.start("a")
        for _ in range(copies):
            gone = house.worker(echoes=False)
            await house.pass_time(SECOND_US * 60)
            await gone.turn()
            gone.leave()
        worker = house.worker(echoes=False)
        await house.pass_time(SECOND_US * 60)
        await worker.decide(await worker.turn())
        await house.raise_event("a", "go")
        for _ in range(copies):
            await worker.turn()
            await _say(house)
        await worker.decide(await worker.turn(), complete(result="own"))
        assert (await house.view("a")).output == "own"


async def test_what_differs_with_each_run_does_not_tell_answers_apart() -> None:
    async with House() as house:
        await house.start("a")
        gone = house.worker(echoes=False)
        await gone.turn()
        gone.leave()
        worker = house.worker(echoes=False)
        await worker.decide(await worker.turn(), schedule(1, execution_id="x"))
        await worker.finish(await worker.activity(), "1")
        await worker.turn()
        await _say(house, schedule(1, execution_id="y"))
        await worker.decide(await worker.turn(), complete(result="own"))
        assert (await house.view("a")).output == "own"


async def test_an_answer_of_other_code_that_goes_back_is_not_believed_alone() -> None:
    """A worker of an older version may have decided otherwise; its ids give it away."""
    async with House() as house:
        worker, _ = await _lost(house, schedule(1), schedule(2))
        for _ in range(2):
            await worker.finish(await worker.activity(), "1")
        turn = await worker.turn()
        await _say(house, schedule(1, "old"))
        await worker.decide(await worker.turn(), schedule(3))
        assert turn.instance_id == "a"
        assert house.kinds("a").count("TaskScheduled") == 3


async def test_the_next_generation_has_the_ghosts_of_the_last() -> None:
    async with House() as house:
        worker, _ = await _lost(house, continue_as_new(text="2"))
        await worker.turn()
        await _say(house, continue_as_new(text="2"))
        await worker.decide(await worker.turn(), complete(result="own"))
        assert (await house.view("a")).output == "own"


async def test_the_next_life_has_the_ghosts_of_a_turn_that_nobody_answered() -> None:
    """What such a worker will say is not known, so one answer alone is not believed."""
    async with House() as house:
        await house.start("a")
        worker = house.worker(echoes=False)
        await worker.turn()
        await house.terminate("a")
        await house.finished("a")
        await house.start("a")
        await worker.turn()
        await _say(house, complete(result="of the old life"))
        for _ in range(2):
            await worker.decide(await worker.turn(), complete(result="own"))
        assert (await house.view("a")).output == "own"


async def test_after_a_restart_a_longer_batch_is_not_answered_by_the_shorter_one() -> None:
    """The frozen batch is not on disk, and may have grown."""
    async with House() as house:
        await house.start("a")
        await house.worker(echoes=False).turn()
        await house.raise_event("a", "go")
        house.clock.advance(SECOND_US)
        await house.restart()
        worker = house.worker(echoes=False)
        turn = await worker.turn()
        assert turn.names() == ["WorkflowStarted", "ExecutionStarted", "EventRaised"]
        await _say(house)
        for _ in range(2):
            await worker.decide(await worker.turn(), complete(result="seen"))
        assert (await house.view("a")).output == "seen"


async def test_after_a_restart_the_only_event_of_a_batch_is_what_was_out() -> None:
    async with House() as house:
        await house.start("a")
        await house.worker(echoes=False).turn()
        house.clock.advance(SECOND_US)
        await house.restart()
        worker = house.worker(echoes=False)
        await worker.decide(await worker.turn())
        await house.raise_event("a", "go")
        turn = await worker.turn()
        await _say(house)
        await worker.turn()
        await worker.decide(turn, complete(result="seen"))
        assert (await house.view("a")).output == "seen"


@pytest.mark.parametrize("purged", [False, True])
async def test_after_a_restart_the_next_life_has_the_ghosts_of_what_was_out_before(
    purged: bool,
) -> None:
    """The turn of the old life was not handed out again before that ended."""
    async with House() as house:
        await house.start("a")
        await house.worker(echoes=False).turn()
        house.clock.advance(SECOND_US)
        await house.restart()
        await house.terminate("a")
        await house.finished("a")
        if purged:
            await house.purge("a")
        await house.start("a")
        worker = house.worker(echoes=False)
        await worker.turn()
        await _say(house, complete(result="of the old life"))
        for _ in range(2):
            await worker.decide(await worker.turn(), complete(result="own"))
        assert (await house.view("a")).output == "own"


async def test_after_a_restart_a_life_of_which_nothing_was_out_leaves_no_ghosts() -> None:
    async with House() as house:
        worker = house.worker(echoes=False)
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1))
        house.clock.advance(SECOND_US)
        await house.restart()
        await house.terminate("a")
        await house.finished("a")
        await house.start("a")
        worker = house.worker(echoes=False)
        await worker.decide(await worker.turn(), complete(result="own"))
        assert (await house.view("a")).output == "own"


async def test_answers_that_never_agree_are_believed_in_the_end() -> None:
    """A worker that decides otherwise each time must not be asked for ever."""
    async with House() as house:
        await house.start("a")
        await house.raise_event("a", "go")
        house.clock.advance(SECOND_US)
        await house.restart()
        worker = house.worker(echoes=False)
        for number in range(AMBIGUOUS_ANSWERS_MAX):
            assert await house.status("a") is Status.PENDING
            await worker.decide(await worker.turn(), complete(result=str(number)))
        assert await house.status("a") is Status.COMPLETED


async def test_ghosts_are_forgotten_after_a_while() -> None:
    async with House() as house:
        worker, _ = await _lost(house)
        await house.pass_time(GHOST_TTL_US)
        await house.raise_event("a", "go")
        await worker.decide(await worker.turn())
        assert house.kinds("a").count("WorkflowStarted") == 2


async def test_an_answer_without_a_token_is_not_of_a_worker_that_echoes_them() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn())
        await house.raise_event("a", "go")
        turn = await worker.turn()
        await _say(house)
        await worker.decide(turn, complete(result="own"))
        assert (await house.view("a")).output == "own"


async def test_those_who_echo_tokens_are_never_asked_twice() -> None:
    async with House() as house:
        await house.start("a")
        for _ in range(2):
            gone = house.worker()
            await gone.turn()
            gone.leave()
        worker = house.worker()
        retried = len(house.recorder.of("turn_retried"))
        await worker.decide(await worker.turn())
        for name in ("one", "two"):
            await house.raise_event("a", name)
            await worker.decide(await worker.turn())
        assert len(house.recorder.of("turn_retried")) == retried


async def test_the_instances_with_ghosts_are_bounded() -> None:
    async with House() as house:
        ghosts = house.engine._turns._claims.ghosts  # noqa: SLF001 - what it holds is seen nowhere else
        for number in range(GHOST_INSTANCES_MAX + 10):
            ghosts.unanswered(f"i-{number}", 1)
        assert len(ghosts) == GHOST_INSTANCES_MAX


def _code(item: TurnItem) -> Iterable[pb.Action]:
    """Run three activities, one for each of three events, and tell what was seen."""
    raised = [e.name for e in (*item.known, *item.new) if isinstance(e, EventRaised)]
    done = sum(isinstance(e, TaskCompleted) for e in (*item.known, *item.new))
    asked = [e for e in item.known if isinstance(e, TaskScheduled)]
    if len(raised) >= 3 and done >= 3:
        return [complete(9, ",".join(raised))]
    wanted = min(done + 1, len(raised), 3)
    return [schedule(number) for number in range(len(asked) + 1, wanted + 1)]


class _Storm:
    """One instance, a worker that is replaced at any moment, and what the old ones say late."""

    def __init__(self, house: House, seed: int, dialect: Dialect) -> None:
        self.house = house
        self.chance = random.Random(seed)
        self.dialect = dialect
        self.names = ["x", "y", "z"]
        self.late: list[TurnItem] = []
        self.worker = self._connected()

    async def step(self, restarts: float) -> None:
        chance = self.chance
        await self.house.settle()
        if self.names and chance.random() < 0.3:
            await self.house.raise_event("a", self.names.pop(0))
        if self.late and chance.random() < 0.3:
            item = self.late.pop(chance.randrange(len(self.late)))
            await self.worker.decide(item, *_code(item))
        if chance.random() < restarts:
            await self._restart()
        if self.worker.waiting and chance.random() < 0.7:
            await self._work(await self.worker.take())
        await self.house.pass_time(SECOND_US)

    async def _work(self, item: TurnItem | ActivityItem) -> None:
        if isinstance(item, ActivityItem):
            await self.worker.finish(item, "1")
        elif self.chance.random() < 0.4:
            self.late.append(item)
            self.worker.leave()
            self.worker = self._connected()
        else:
            await self.worker.decide(item, *_code(item))

    async def _restart(self) -> None:
        # A process reckons with one copy that was out when the one before it ended.
        self.late = [item for item in self.worker.waiting if isinstance(item, TurnItem)][-1:]
        await self.house.restart()
        self.worker = self._connected()
        await self.house.settle()

    def _connected(self) -> Worker:
        return self.house.worker(echoes=False, dialect=self.dialect)


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("restarts", [0.0, 0.1])
@pytest.mark.parametrize("seed", range(25))
async def test_whatever_comes_late_no_event_is_lost_and_no_activity_scheduled_twice(
    seed: int, restarts: float, dialect: Dialect
) -> None:
    async with House() as house:
        await house.start("a")
        storm = _Storm(house, seed, dialect)
        for _ in range(400):
            if await house.status("a") is Status.COMPLETED:
                break
            await storm.step(restarts)
        assert (await house.view("a")).output == "x,y,z"
        assert house.kinds("a").count("TaskScheduled") == 3
