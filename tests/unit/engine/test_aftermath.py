"""Children and generations: what a move brings about for others and for the next life."""

from perdure.base.time import SECOND_US
from perdure.core.events import ChildCompleted, ChildFailed, ExecutionStarted
from perdure.core.requests import Reason, Refusal, Start
from perdure.core.status import Status
from perdure.wire.fields import parse_failure
from tests.kit.answers import child, complete, continue_as_new, schedule, timer
from tests.kit.house import APP, House
from tests.kit.worker import ActivityItem, TurnItem, Worker


def _failure_of(event: object) -> tuple[str, str]:
    assert isinstance(event, ChildFailed)
    assert isinstance(event.failure, bytes), event
    message = parse_failure(event.failure)
    return message.error_type, message.message


async def _parent(house: House, worker: Worker, child_id: str = "c") -> TurnItem:
    """Start a parent, and return the first turn of its child."""
    await house.start("p")
    await worker.decide(await worker.turn(), child(1, child_id))
    return await worker.turn()


async def test_a_child_gives_its_result_to_its_parent() -> None:
    async with House() as house:
        worker = house.worker()
        turn = await _parent(house, worker, "")
        assert turn.instance_id == "p:0001"
        started = turn.new[1]
        assert isinstance(started, ExecutionStarted)
        assert started.parent is not None
        assert (started.parent.instance_id, started.parent.task_id) == ("p", 1)
        assert (started.version, started.tags) == (None, ())
        await worker.decide(turn, complete(0, "x"))
        turn = await worker.turn()
        assert isinstance(turn.new[1], ChildCompleted)
        assert turn.new[1].result == "x"


async def test_a_child_that_ends_in_any_other_way_has_failed() -> None:
    async with House() as house:
        worker = house.worker()
        turn = await _parent(house, worker)
        await worker.decide(turn, complete(0, status=Status.FAILED, failure="no luck"))
        turn = await worker.turn()
        assert _failure_of(turn.new[1]) == ("ValueError", "no luck")
        await worker.decide(turn, child(2, "t"))
        await worker.turn()
        await house.terminate("t")
        turn = await worker.turn()
        assert isinstance(turn.new[1], ChildFailed)


async def test_a_child_id_in_use_fails_the_call_and_not_the_turn() -> None:
    """Section 8: a child id in use blocks the parent."""
    async with House() as house:
        worker = house.worker()
        await house.start("c")
        await worker.turn()
        await house.start("p")
        await worker.decide(await worker.turn(), child(1, "c"), child(2, "c"), child(3, "p"))
        turn = await worker.turn()
        text = "an active workflow with ID '{}' already exists"
        assert [_failure_of(event) for event in turn.new[1:]] == [
            ("WorkflowInstanceAlreadyExists", text.format(i)) for i in ("c", "c", "p")
        ]
        await worker.decide(turn, complete())


async def test_a_finished_instance_under_a_childs_id_is_replaced() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("c", input="old")
        await worker.decide(await worker.turn(), complete(0, "old"))
        turn = await _parent(house, worker)
        assert turn.instance_id == "c"
        assert turn.input is None
        await worker.decide(turn, complete(0, "new"))
        turn = await worker.turn()
        assert isinstance(turn.new[1], ChildCompleted)


async def test_a_childs_result_is_dropped_when_its_parent_has_continued_as_new() -> None:
    async with House() as house:
        worker = house.worker()
        turn = await _parent(house, worker)
        await house.raise_event("p", "go")
        await worker.decide(await worker.turn(), continue_as_new(9))
        await worker.decide(await worker.turn(), child(1, "c2"))
        new_child = await worker.turn()
        await worker.decide(turn, complete(0, "of the old generation"))
        await house.settle()
        assert not worker.waiting
        await worker.decide(new_child, complete(0, "of the new one"))
        parent = await worker.turn()
        assert parent.names() == ["WorkflowStarted", "ChildCompleted"]
        assert isinstance(parent.new[1], ChildCompleted)
        assert parent.new[1].result == "of the new one"


async def test_a_childs_result_finds_nothing_when_its_parent_is_gone() -> None:
    async with House() as house:
        worker = house.worker()
        turn = await _parent(house, worker)
        await house.terminate("p", recursive=False)
        await house.purge("p", recursive=False)
        await house.start("p")
        await worker.decide(turn, complete(0, "x"))
        assert (await worker.turn()).names() == ["WorkflowStarted", "ExecutionStarted"]


async def test_continue_as_new_keeps_what_was_carried_and_what_was_unread_in_order() -> None:
    """Section 8 and P6: carried-over events first, then those that nobody had read."""
    async with House() as house:
        worker = house.worker()
        await house.start("a", input="1", tags=(("k", "v"),))
        turn = await worker.turn()
        for name in ("unread 1", "unread 2"):
            await house.raise_event("a", name)
        carried = [("carried", "1"), ("carried", "2"), ("carried", "1")]
        await worker.decide(turn, schedule(1), continue_as_new(2, "2", carried))
        new = await worker.turn()
        assert new.past == ()
        assert new.raised() == ["carried", "carried", "carried", "unread 1", "unread 2"]
        started = new.new[1]
        assert isinstance(started, ExecutionStarted)
        assert (started.input, started.tags) == ("2", ())
        assert started.execution_id != turn.execution_id
        assert house.store.tasks(0, 10) == (), "what stood beside it was not scheduled"
        view = await house.view("a")
        assert (view.status, view.tags, view.input) == (Status.RUNNING, (("k", "v"),), "2")
        await worker.decide(new, schedule(1), complete(2))
        assert (await house.finished("a")).status is Status.COMPLETED


async def _born_with_more(house: House, worker: Worker) -> None:
    """Let "a" begin a generation with an activity, a timer and a child before its first turn."""
    await house.start("a", input="1")
    turn = await worker.turn()
    await worker.decide(
        turn,
        schedule(1, "old"),
        child(2, "old child"),
        continue_as_new(3, "2", [("carried", "1")]),
        schedule(1, "new", "x"),
        timer(2, house.clock.now_us() + SECOND_US),
        child(3, "c"),
        complete(4, "ignored"),
    )


async def test_what_stands_after_a_continue_as_new_is_done_for_the_new_generation() -> None:
    """behaviour.md 4.5; what stands before it is not done at all."""
    async with House() as house:
        worker = house.worker()
        await _born_with_more(house, worker)
        came = [await worker.take() for _ in range(3)]
        activity = next(item for item in came if isinstance(item, ActivityItem))
        assert (activity.name, activity.input, activity.task_id) == ("new", "x", 1)
        new, of_child = sorted(
            (item for item in came if isinstance(item, TurnItem)), key=lambda item: item.instance_id
        )
        assert (new.instance_id, of_child.instance_id) == ("a", "c")
        assert new.past == ()
        assert new.names() == [
            "WorkflowStarted",
            "ExecutionStarted",
            "EventRaised",
            "TaskScheduled",
            "TimerCreated",
            "ChildCreated",
        ]
        await worker.finish(activity, "done")
        await house.pass_time(SECOND_US)
        await worker.decide(of_child, complete(0, "of the child"))
        await worker.decide(new)
        results = await worker.turn()
        assert sorted(results.names()[1:]) == ["ChildCompleted", "TaskCompleted", "TimerFired"]
        await worker.decide(results, complete(4))
        assert (await house.finished("a")).status is Status.COMPLETED
        assert await house.component.get("old child") is None


async def test_what_a_generation_was_born_with_is_there_after_a_restart() -> None:
    async with House() as house:
        worker = house.worker()
        await _born_with_more(house, worker)
        await house.pass_time(SECOND_US)
        await house.restart()
        worker = house.worker()
        came = [await worker.take() for _ in range(3)]
        activity = next(item for item in came if isinstance(item, ActivityItem))
        await worker.finish(activity, "done")
        new = next(i for i in came if isinstance(i, TurnItem) and i.instance_id == "a")
        assert "TimerFired" in new.names(), "a result is in the same batch, behind its cause"
        assert new.names().index("TimerFired") > new.names().index("TimerCreated")
        await worker.decide(new)
        assert (await worker.turn()).names() == ["WorkflowStarted", "TaskCompleted"]


async def test_what_a_generation_was_born_with_goes_when_it_is_terminated() -> None:
    async with House() as house:
        worker = house.worker()
        await _born_with_more(house, worker)
        await house.terminate("a", "over")
        assert (await house.finished("a")).status is Status.TERMINATED
        assert (await house.finished("c")).status is Status.TERMINATED
        assert house.store.tasks(0, 10) == ()


async def test_a_child_id_in_use_is_told_to_the_new_generation() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("c")
        await worker.turn()
        await house.start("a")
        await worker.decide(await worker.turn(), continue_as_new(1), child(1, "c"))
        new = await worker.turn()
        assert new.names()[-1] == "ChildCreated" or new.names()[-1] == "ChildFailed"
        await worker.decide(new)
        seen = new if "ChildFailed" in new.names() else await worker.turn()
        assert _failure_of(seen.new[-1])[0] == "WorkflowInstanceAlreadyExists"


async def test_timers_of_an_older_generation_do_not_fire() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        due_us = house.clock.now_us() + SECOND_US
        await worker.decide(await worker.turn(), timer(1, due_us))
        await house.raise_event("a", "go")
        await worker.decide(await worker.turn(), continue_as_new(2))
        await worker.decide(await worker.turn(), timer(1, due_us + SECOND_US))
        await house.pass_time(SECOND_US)
        assert not worker.waiting
        await house.pass_time(SECOND_US)
        assert (await worker.turn()).names() == ["WorkflowStarted", "TimerFired"]


async def test_twenty_generations_and_more() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a", input="0")
        for number in range(25):
            turn = await worker.turn()
            assert turn.input == str(number)
            await house.raise_event("a", f"e{number}")
            carried = [(name, "") for name in turn.raised()]
            await worker.decide(turn, continue_as_new(1, str(number + 1), carried))
        turn = await worker.turn()
        assert turn.raised() == [f"e{number}" for number in range(25)]
        assert house.on_disk("a").head.generation == 26


async def test_an_id_whose_descendants_are_active_is_not_given_again() -> None:
    async with House() as house:
        worker = house.worker()
        turn = await _parent(house, worker)
        await house.terminate("p", recursive=False)
        refused = await house.component.start(Start(instance_id="p", name="wf", app_id=APP))
        assert isinstance(refused, Refusal)
        assert refused.reason is Reason.DESCENDANT_ACTIVE
        await worker.decide(turn, complete(0))
        await house.start("p")
