"""Instances moved on without their worker: terminate, suspend, and what they meet half way."""

import pytest

from perdure.components.port import Done
from perdure.core.events import EventRaised, ExecutionCompleted, ExecutionTerminated
from perdure.core.requests import Reason, Refusal
from perdure.core.status import Status
from perdure.wire.generated import work_pb2 as pb
from tests.kit.answers import (
    child,
    complete,
    continue_as_new,
    detached,
    end_other,
    schedule,
    send,
    turn_answer,
)
from tests.kit.house import House

FINISHED = Reason.ALREADY_FINISHED


async def test_nothing_needs_a_worker() -> None:
    """Section 8: event, suspend or purge refused because no worker is connected."""
    async with House() as house:
        await house.start("a")
        assert await house.raise_event("a", "e") == Done()
        assert await house.suspend("a") == Done()
        assert await house.status("a") is Status.SUSPENDED
        assert await house.resume("a") == Done()
        assert await house.terminate("a", "out") == Done(in_force=True)
        view = await house.view("a")
        assert (view.status, view.output) == (Status.TERMINATED, "out")
        assert (await house.purge("a")).count == 1
        assert await house.component.get("a") is None


async def test_terminate_during_a_turn_wins() -> None:
    """Section 8: and the late answer of the turn is dropped."""
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        await house.terminate("a", "out")
        await worker.decide(turn, complete(1, "too late"))
        await house.engine.land_turn(turn_answer("a", complete(1, "too late")))
        view = await house.view("a")
        assert (view.status, view.output) == (Status.TERMINATED, "out")
        assert house.kinds("a") == [
            "ExecutionStarted",
            "ExecutionTerminated",
            "ExecutionCompleted",
        ]
        assert house.engine.figures()["outstanding_turns"] == 0


async def test_terminate_during_the_commit_of_a_turn() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        house.store.hold_commits()
        deciding = house.soon(worker.decide(turn, schedule(1)))
        await house.reads_done()
        terminating = house.soon(house.terminate("a", "out"))
        await house.reads_done()
        house.store.let_commits_go()
        await deciding
        assert await terminating == Done(in_force=True)
        await house.settle()
        assert (await house.view("a")).output == "out"
        assert "TaskScheduled" in house.kinds("a")


@pytest.mark.parametrize("answer", ["complete", "continue"])
async def test_terminate_that_lands_with_the_end_of_a_turn(answer: str) -> None:
    """In one batch with continue-as-new terminate wins; a completion that was first stands."""
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        house.store.hold_commits()
        action = complete(1, "done") if answer == "complete" else continue_as_new(1)
        deciding = house.soon(worker.decide(turn, action))
        await house.reads_done()
        terminating = house.soon(house.terminate("a", "out"))
        await house.reads_done()
        house.store.let_commits_go()
        await deciding
        answered = await terminating
        await house.settle()
        view = await house.view("a")
        if answer == "complete":
            assert answered.reason is FINISHED
            assert (view.status, view.output) == (Status.COMPLETED, "done")
        else:
            assert (view.status, view.output) == (Status.TERMINATED, "out")
            assert house.on_disk("a").head.generation == 2


async def test_a_finished_instance_refuses_and_changes_nothing() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), complete())
        before = house.store.load("a")
        for answer in (
            await house.raise_event("a", "e"),
            await house.terminate("a"),
            await house.suspend("a"),
            await house.resume("a"),
        ):
            assert isinstance(answer, Refusal)
            assert answer.reason is FINISHED
        assert house.store.load("a") == before
        missing = await house.raise_event("nobody", "e")
        assert missing == Refusal(Reason.NOT_FOUND, "no such instance exists")


async def test_suspend_while_a_turn_is_out_lets_it_land_and_holds_the_next() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        await house.suspend("a")
        await house.raise_event("a", "one")
        await worker.decide(turn, custom_status="first")
        await house.settle()
        assert not worker.waiting
        assert await house.status("a") is Status.SUSPENDED
        await house.suspend("a")
        await house.resume("a")
        turn = await worker.turn()
        assert turn.names()[1:] == ["ExecutionSuspended", "EventRaised", "ExecutionResumed"]
        await house.resume("a")
        await house.settle()
        await worker.decide(turn)
        await house.settle()
        assert not worker.waiting, "a second resume changes nothing"
        assert await house.status("a") is Status.RUNNING


async def test_a_turn_lost_while_suspended_goes_out_again_with_its_batch() -> None:
    async with House() as house:
        gone = house.worker()
        await house.start("a")
        first = await gone.turn()
        await house.suspend("a")
        gone.leave()
        worker = house.worker()
        await house.settle()
        assert not worker.waiting
        await house.resume("a")
        assert (await worker.turn()).new_bytes == first.new_bytes


async def test_a_suspended_instance_can_be_terminated_and_purged() -> None:
    async with House() as house:
        worker = house.worker(activities_max=1)
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1), schedule(2))
        await worker.activity()
        await house.suspend("a")
        assert await house.terminate("a") == Done()
        assert (await house.purge("a")).count == 1
        await house.start("a")
        await worker.decide(await worker.turn(), complete())
        assert await house.status("a") is Status.COMPLETED


async def test_a_pending_instance_can_be_suspended() -> None:
    async with House() as house:
        await house.start("a")
        await house.suspend("a")
        worker = house.worker()
        await house.settle()
        assert not worker.waiting
        await house.resume("a")
        assert (await worker.turn()).names()[1] == "ExecutionStarted"


async def test_continue_as_new_while_suspended_waits_for_the_resume() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        await house.suspend("a")
        await worker.decide(turn, continue_as_new(1, "2"))
        await house.settle()
        assert not worker.waiting
        assert await house.status("a") is Status.SUSPENDED
        await house.resume("a")
        assert (await worker.turn()).names()[1:] == [
            "ExecutionStarted",
            "ExecutionSuspended",
            "ExecutionResumed",
        ]


async def test_the_first_of_two_terminates_wins() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        house.store.hold_commits()
        deciding = house.soon(worker.decide(turn))
        await house.reads_done()
        both = [house.soon(house.terminate("a", text)) for text in ("one", "two")]
        await house.reads_done()
        house.store.let_commits_go()
        await deciding
        for terminating in both:
            await terminating
        assert (await house.view("a")).output == "one"


async def test_events_sent_and_ends_ordered_by_workflows() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn())
        await house.start("b")
        await worker.decide(
            await worker.turn(),
            send(1, "a", "hi", "1"),
            send(2, "nobody", "hi"),
            send(3, "b", "self", "2"),
            detached(4, "d", "other"),
            detached(5, "a"),
        )
        turns = {turn.instance_id: turn for turn in [await worker.turn() for _ in range(3)]}
        event = turns["a"].new[-1]
        assert isinstance(event, EventRaised)
        assert (event.name, event.input) == ("hi", "1")
        assert turns["b"].raised() == ["self"]
        assert house.on_disk("d").identity.parent_key is None
        assert house.kinds("b").count("EventSent") == 3
        assert house.kinds("b").count("DetachedCreated") == 2
        await worker.decide(turns["b"], end_other(9, "a"), end_other(10, "b"))
        await house.settle()
        assert await house.status("a") is Status.TERMINATED
        assert await house.status("b") is Status.TERMINATED
        assert await house.status("d") is Status.PENDING


async def test_recursive_terminate_reaches_every_generation_of_children() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), child(1, "b"), child(2, "done"))
        for _ in range(2):
            turn = await worker.turn()
            if turn.instance_id == "b":
                await worker.decide(turn, child(1, "c"))
            else:
                await worker.decide(turn, complete(0, "x"))
        await house.settle()
        await house.terminate("a", "out", recursive=True)
        await house.settle()
        assert [await house.status(i) for i in "abc"] == [Status.TERMINATED] * 3
        assert await house.status("done") is Status.COMPLETED
        assert (await house.view("c")).output == "out"


async def test_terminate_of_one_alone_leaves_children_in_peace() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), child(1, "b"))
        turn = await worker.turn()
        await house.terminate("a", recursive=False)
        assert await house.status("b") is Status.PENDING
        await worker.decide(turn, complete(0, "x"))
        await house.settle()
        assert await house.status("b") is Status.COMPLETED
        ended = [e for e in house.history("a") if isinstance(e, ExecutionCompleted)]
        assert len(ended) == 1
        assert sum(isinstance(e, ExecutionTerminated) for e in house.history("a")) == 1


async def test_everybody_is_told_of_a_suspension() -> None:
    """Section 8: suspended instances that nobody is told about."""
    async with House() as house:
        await house.start("a")
        await house.suspend("a")
        view = await house.view("a")
        assert (view.status, view.waits_for) == (Status.SUSPENDED, "resume")
        assert len(house.recorder.of("instance_suspended")) == 1
        assert house.store.counts() == {Status.SUSPENDED: 1}
        await house.resume("a")
        assert len(house.recorder.of("instance_resumed")) == 1
        rows = [row.add.kind for row in house.store.lifecycle(0, 10)]
        assert rows == ["created", "suspended", "resumed"]


@pytest.mark.parametrize("scope", [0, 1, 2])
async def test_histories_are_handed_down_as_far_as_was_asked(scope: int) -> None:
    """behaviour.md 4.13: the caller's own, and for LINEAGE those above it."""
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        first = child(1, "b")
        first.create_child.scope = 1
        await worker.decide(await worker.turn(), first)
        turn = await worker.turn()
        assert _instances(turn.propagated) == ["a"]
        task = schedule(1)
        task.schedule_task.scope = scope
        await worker.decide(turn, task)
        item = await worker.activity()
        assert _instances(item.propagated) == [[], ["b"], ["a", "b"]][scope]
        await worker.finish(item)
        again = await worker.turn()
        assert _instances(again.propagated) == ["a"], "with every turn"
        await worker.decide(again, complete(2))


def _instances(propagated: bytes | None) -> list[str]:
    if propagated is None:
        return []
    chunks = pb.PropagatedHistory.FromString(propagated).chunks
    return [pb.PropagatedChunk.FromString(chunk).instance_id for chunk in chunks]
