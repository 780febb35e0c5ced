"""Instances begun anew from an event of a finished one, all the way to their end."""

from perdure.base.errors import StoreFailed
from perdure.base.time import SECOND_US
from perdure.components.port import Started
from perdure.core.requests import Reason, Refusal, Rerun
from perdure.core.status import Status
from perdure.store.port import TaskRow
from tests.kit.answers import child, complete, schedule, timer
from tests.kit.house import House
from tests.kit.shaky_store import ShakyStore
from tests.kit.worker import hello


async def test_an_activity_is_run_again_with_another_input() -> None:
    async with House() as house:
        worker = house.worker().work(hello)
        await house.start("a", input="1")
        await house.finished("a")
        request = Rerun(source_id="a", event_id=1, new_id="b", input="2", overwrite_input=True)
        assert await house.component.rerun(request) == Started("b")
        view = await house.finished("b")
        assert (view.output, view.input, view.status) == ("2", "1", Status.COMPLETED)
        assert worker.activities_run == [("a", 1), ("b", 1)]
        again = Rerun(source_id="b", event_id=1, new_id="c")
        assert await house.component.rerun(again) == Started("c")
        assert (await house.finished("c")).output == "2"


async def test_a_child_is_run_again_and_its_result_reaches_the_new_parent() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), child(1, "c"))
        await worker.decide(await worker.turn(), complete(0, "of the child"))
        await worker.decide(await worker.turn(), complete(2))
        request = Rerun(source_id="a", event_id=1, new_id="b", new_child_id="c2")
        assert await house.component.rerun(request) == Started("b")
        assert await house.component.rerun(request) == Refusal(
            Reason.ALREADY_EXISTS, "workflow 'b' has already been created"
        )
        turn = await worker.turn()
        assert turn.instance_id == "c2"
        await worker.decide(turn, complete(0, "again"))
        turn = await worker.turn()
        assert (turn.instance_id, turn.names()) == ("b", ["WorkflowStarted", "ChildCompleted"])
        await worker.decide(turn, complete(2, "end"))
        assert (await house.view("c2")).parent_id == "b"
        assert (await house.view("b")).output == "end"
        await house.purge("b")
        assert await house.component.get("c2") is None


async def test_a_rerun_says_which_id_is_in_use() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), child(1, "c"))
        await worker.decide(await worker.turn(), complete(0))
        await worker.decide(await worker.turn(), complete(2))
        await house.start("x")
        taken = Rerun(source_id="a", event_id=1, new_id="b", new_child_id="x")
        assert await house.component.rerun(taken) == Refusal(
            Reason.ALREADY_EXISTS,
            "workflow 'x' has already been created, and would be a child of 'b'",
        )
        itself = Rerun(source_id="a", event_id=1, new_id="b", new_child_id="b")
        assert await house.component.rerun(itself) == Refusal(
            Reason.ALREADY_EXISTS, "workflow 'b' has already been created"
        )
        assert await house.component.get("b") is None


async def test_a_timer_is_set_again_for_its_whole_duration() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        await worker.decide(turn, timer(1, turn.new[0].at_us + 10 * SECOND_US), schedule(2))
        await worker.finish(await worker.activity())
        await worker.decide(await worker.turn(), complete(3))
        await house.pass_time(3600 * SECOND_US)
        assert await house.component.rerun(Rerun(source_id="a", event_id=1, new_id="b"))
        await house.pass_time(10 * SECOND_US - 1)
        assert not worker.waiting
        await house.pass_time(1)
        turn = await worker.turn()
        assert (turn.instance_id, turn.names()) == ("b", ["WorkflowStarted", "TimerFired"])
        await worker.decide(turn, complete(3))


async def test_whoever_waits_for_the_start_of_a_rerun_is_told() -> None:
    async with House() as house:
        house.worker().work(hello)
        await house.start("a")
        await house.finished("a")
        waiting = house.soon(house.component.wait("b", finished=False, timeout_us=None))
        await house.settle()
        for worker in house.workers:
            worker.leave()
        house.workers.clear()
        await house.component.rerun(Rerun(source_id="a", event_id=1, new_id="b"))
        view = await waiting
        assert view is not None
        assert view.status is Status.RUNNING


async def test_a_rerun_survives_a_restart_at_once() -> None:
    async with House() as house:
        house.worker().work(hello)
        await house.start("a", input="1")
        await house.finished("a")
        house.workers.pop().leave()
        await house.component.rerun(Rerun(source_id="a", event_id=1, new_id="b"))
        await house.restart()
        house.worker().work(hello)
        assert (await house.finished("b")).output == "1"


class ForgetfulStore(ShakyStore):
    """A store that cannot read the activities of an instance when it is first asked."""

    failing = 1

    def tasks_of(self, key: int) -> tuple[TaskRow, ...]:
        if self.failing:
            self.failing -= 1
            raise StoreFailed("the disk cannot be read")
        return super().tasks_of(key)


async def test_an_activity_is_run_again_although_it_cannot_be_read_at_once() -> None:
    """Seed 3001: the rerun was on disk, and its activity was looked for only once."""
    async with House(ForgetfulStore()) as house:
        house.expected_faults = ("reading",)
        house.worker().work(hello)
        await house.start("a", input="1")
        await house.finished("a")
        request = Rerun(source_id="a", event_id=1, new_id="b")
        assert await house.component.rerun(request) == Started("b")
        await house.pass_minutes()
        assert await house.status("b") is Status.COMPLETED
