"""Activities that run in the engine's process."""

import pytest

from perdure.base.errors import CallerFault
from perdure.base.time import SECOND_US
from perdure.core.events import Failure, TaskFailed
from perdure.core.status import Status
from tests.kit.house import House
from tests.kit.local_script import LocalScript, done, hello, task, tasks_then_done


async def at_activities(house: House, count: int) -> LocalScript:
    script = LocalScript.attach(house, tasks_then_done(count))
    await house.start("a")
    await house.settle()
    assert len(script.errands) == count
    return script


async def test_an_errand_tells_what_is_to_be_run() -> None:
    async with House() as house:
        script = LocalScript.attach(
            house, lambda *_: [task(1, "charge", "12", execution_id="once")]
        )
        await house.start("a", name="order")
        (errand,) = script.errands
        assert (errand.instance_id, errand.workflow_name, errand.attempt) == ("a", "order", 1)
        scheduled = errand.scheduled
        assert (scheduled.name, scheduled.input) == ("charge", "12")
        assert scheduled.execution_id == "once"
        assert errand.propagated is None


async def test_a_failure_is_a_result() -> None:
    async with House() as house:
        script = await at_activities(house, 1)
        script.code = lambda *_: [done(result="seen")]
        script.app.failed(script.errands.pop(), Failure("ValueError", "no"))
        assert (await house.finished("a")).output == "seen"
        (failed,) = [event for event in house.history("a") if isinstance(event, TaskFailed)]
        assert failed.failure is not None
        assert [row.failed for row in house.store.tasks_of(1)] == [True]


async def test_only_the_first_word_about_an_errand_counts() -> None:
    async with House() as house:
        script = await at_activities(house, 1)
        (errand,) = script.errands
        script.finish("x")
        script.app.completed(errand, "y")
        script.app.abandoned(errand)
        assert (await house.finished("a")).output == "x"
        script.app.failed(errand, None)
        assert len(house.recorder.of("late_completion_dropped")) == 2


async def test_one_that_was_given_up_runs_again_and_that_is_counted() -> None:
    async with House() as house:
        script = await at_activities(house, 1)
        script.app.abandoned(script.errands.pop())
        await house.settle()
        assert script.errands[0].attempt == 2
        script.finish("x")
        assert (await house.finished("a")).output == "x"
        assert house.store.tasks_of(1)[0].attempts == 2


async def test_a_long_one_is_noted_on_disk_while_it_runs() -> None:
    async with House() as house:
        script = await at_activities(house, 1)
        assert house.store.tasks_of(1)[0].attempts == 0
        await house.pass_time(SECOND_US)
        await house.pass_time(SECOND_US)
        (row,) = house.store.tasks_of(1)
        assert (row.attempts, row.worker) == (1, "here")
        script.finish("x")
        await house.finished("a")
        assert house.store.tasks_of(1)[0].attempts == 1


async def test_what_an_app_had_in_hand_when_it_left_is_for_the_next_one() -> None:
    async with House() as house:
        script = await at_activities(house, 2)
        script.app.close()
        script.finish("too late")
        after = LocalScript.attach(house, tasks_then_done(2))
        await house.settle()
        assert [errand.attempt for errand in after.errands] == [2, 2]
        after.finish("1", "2")
        assert (await house.finished("a")).output == "1 2"


async def test_an_app_is_here_once() -> None:
    async with House() as house:
        LocalScript.attach(house, hello)
        with pytest.raises(CallerFault, match="already"):
            LocalScript.attach(house, hello)


async def test_a_worker_of_the_same_app_gets_nothing_while_the_app_is_here() -> None:
    async with House() as house:
        worker = house.worker()
        script = await at_activities(house, 1)
        assert not worker.waiting
        script.app.close()
        assert (await worker.activity()).instance_id == "a"


async def test_no_more_of_a_name_run_than_are_allowed() -> None:
    async with House(activities_max_by_name={"act": 2}) as house:
        script = LocalScript.attach(house, tasks_then_done(5))
        await house.start("a")
        await house.settle()
        assert len(script.errands) == 2
        script.finish("1")
        await house.settle()
        assert len(script.errands) == 2
        script.echoes = True
        script.finish("2", "3")
        assert await house.finished("a")


async def test_resting_lets_what_runs_come_to_its_end() -> None:
    async with House() as house:
        script = await at_activities(house, 1)
        resting = house.soon(house.engine.rest(60))
        await house.reads_done()
        script.finish("x")
        await house.settle()
        assert await resting
        assert await house.status("a") is Status.RUNNING
        await house.restart()
        LocalScript.attach(house, hello)
        assert (await house.finished("a")).output == "x"


async def test_a_purged_instance_s_activity_counts_for_nothing() -> None:
    async with House() as house:
        script = await at_activities(house, 1)
        await house.purge("a", force=True)
        await house.settle()
        script.finish("x")
        await house.settle()
        assert house.engine.figures()["outstanding_activities"] == 0
