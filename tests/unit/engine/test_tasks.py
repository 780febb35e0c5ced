"""Activities: one result each, run again only after their worker vanished."""

from perdure.core.events import TaskCompleted, TaskFailed
from perdure.core.status import Status
from tests.kit.answers import activity_answer, complete, schedule
from tests.kit.house import House


async def test_an_activity_has_one_result() -> None:
    """P2: late, duplicate and unknown results are answered and dropped."""
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1))
        item = await worker.activity()
        await worker.finish(item, "first")
        await worker.finish(item, "second")
        await house.engine.complete_activity(activity_answer("a", 1, result="third"))
        await house.engine.complete_activity(activity_answer("a", 7, result="unknown"))
        await house.engine.complete_activity(activity_answer("nobody", 1))
        turn = await worker.turn()
        results = [e.result for e in turn.new if isinstance(e, TaskCompleted)]
        assert results == ["first"]
        assert len(house.recorder.of("late_completion_dropped")) == 4
        assert len(house.recorder.of("activity_finished")) == 1


async def test_a_failure_is_kept_as_the_worker_told_it() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1, execution_id="e-1"))
        item = await worker.activity()
        assert item.execution_id == "e-1"
        await worker.finish(item, failure="no luck")
        failed = (await worker.turn()).new[-1]
        assert isinstance(failed, TaskFailed)
        assert isinstance(failed.failure, bytes)
        assert b"no luck" in failed.failure
        assert failed.execution_id == "e-1"


async def test_absent_is_not_empty() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a", input="")
        turn = await worker.turn()
        assert turn.input == ""
        await worker.decide(turn, schedule(1, text=None), schedule(2, text=""))
        items = {item.task_id: item for item in [await worker.activity() for _ in range(2)]}
        assert (items[1].input, items[2].input) == (None, "")
        await worker.finish(items[1], None)
        await worker.decide(await worker.turn())
        await worker.finish(items[2], "")
        turn = await worker.turn()
        seen = {
            e.task_id: e.result for e in (*turn.past, *turn.new) if isinstance(e, TaskCompleted)
        }
        assert seen == {1: None, 2: ""}


async def test_an_activity_runs_again_only_after_its_stream_has_ended() -> None:
    """P3: each extra run is counted and visible."""
    async with House() as house:
        gone = house.worker()
        await house.start("a")
        await gone.decide(await gone.turn(), schedule(1))
        first = await gone.activity()
        other = house.worker()
        await house.pass_time(24 * 3_600_000_000)
        assert not other.waiting, "a long time is not a death"
        gone.leave()
        second = await other.activity()
        assert second.token != first.token
        await gone.finish(first, "late")
        assert len(house.recorder.of("late_completion_dropped")) == 1
        await other.finish(second, "x")
        await house.settle()
        tasks = await house.component.tasks("a")
        assert tasks is not None
        assert [(task.attempts, task.worker) for task in tasks] == [(2, "worker 1")]
        assert len(house.recorder.of("activity_retried")) == 1


async def test_nothing_is_handed_out_before_its_cause_is_on_disk() -> None:
    """P8."""
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        house.store.hold_commits()
        deciding = house.soon(worker.decide(turn, schedule(1)))
        await house.reads_done()
        assert not worker.waiting
        house.store.let_commits_go()
        await deciding
        assert (await worker.activity()).task_id == 1


async def test_activities_beside_a_completion_still_run() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), complete(2, "out"), schedule(1))
        assert (await house.finished("a")).output == "out"
        await worker.finish(await worker.activity(), "x")
        assert (await house.view("a")).status is Status.COMPLETED
        assert not worker.waiting


async def test_activities_of_a_suspended_instance_stay_until_it_is_resumed() -> None:
    async with House() as house:
        await house.start("a")
        worker = house.worker(activities_max=1)
        await worker.decide(await worker.turn(), schedule(1), schedule(2))
        out = await worker.activity()
        await house.suspend("a")
        await worker.finish(out, "1")
        await house.settle()
        assert not worker.waiting
        await house.resume("a")
        taken = [await worker.take() for _ in range(2)]
        assert sorted(type(item).__name__ for item in taken) == ["ActivityItem", "TurnItem"]


async def test_activities_scheduled_by_a_turn_that_lands_during_a_suspension_wait() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        await house.suspend("a")
        await worker.decide(turn, schedule(1))
        await house.settle()
        assert not worker.waiting
        await house.resume("a")
        taken = [await worker.take() for _ in range(2)]
        assert sorted(type(item).__name__ for item in taken) == ["ActivityItem", "TurnItem"]


async def test_queued_activities_of_a_terminated_instance_are_not_run() -> None:
    async with House() as house:
        worker = house.worker(activities_max=1)
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1), schedule(2), schedule(3))
        out = await worker.activity()
        await house.terminate("a")
        await worker.finish(out, "1")
        await house.settle()
        assert not worker.waiting
        assert house.store.tasks(0, 10) == ()


async def test_an_activity_too_large_for_a_message_fails_in_the_workflow() -> None:
    async with House(message_bytes_max=2_000) as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1, text="x" * 1_950))
        await house.settle()
        # The history holds the input too, so that the next turn does not fit either.
        assert await house.status("a") is Status.STALLED
        tasks = await house.component.tasks("a")
        assert tasks is not None
        assert tasks[0].failed
