"""Purge and retention: nothing is left, nobody waits for what is gone."""

from perdure.base.time import DAY_US, HOUR_US, SECOND_US
from perdure.components.port import Purged
from perdure.core.events import ChildFailed
from perdure.core.requests import Reason, Refusal
from perdure.core.status import Status
from perdure.wire.fields import parse_failure
from tests.kit.answers import child, complete, schedule
from tests.kit.house import House
from tests.kit.worker import ActivityItem, hello


async def test_purge_is_recursive_and_counts_everybody() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), child(1, "b"))
        await worker.decide(await worker.turn(), child(1, "c"))
        await worker.decide(await worker.turn(), complete(0))
        await worker.decide(await worker.turn(), complete(2))
        await worker.decide(await worker.turn(), complete(2))
        await house.start("other")
        assert await house.purge("a") == Purged(3)
        assert house.store.list_ids(0, 10) == ((4, "other"),)
        assert await house.purge("a") == Refusal(Reason.NOT_FOUND, "no such instance exists")


async def test_purge_of_what_runs_is_refused_also_for_a_descendant() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), child(1, "b"), complete(2))
        for recursive in (True, False):
            refused = await house.purge("b", recursive=recursive)
            assert isinstance(refused, Refusal)
            assert refused.reason is Reason.NOT_FINISHED
        refused = await house.purge("a")
        assert isinstance(refused, Refusal)
        assert refused.reason is Reason.NOT_FINISHED
        assert await house.purge("a", recursive=False) == Purged(1)
        assert await house.status("b") is Status.PENDING


async def test_force_purge_of_a_child_tells_its_parent() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), child(1, "b"))
        out = await worker.turn()
        assert await house.purge("b", force=True) == Purged(1)
        turn = await worker.turn()
        event = turn.new[1]
        assert isinstance(event, ChildFailed)
        assert isinstance(event.failure, bytes)
        assert parse_failure(event.failure).error_type == "WorkflowInstancePurged"
        await worker.decide(out, complete(0, "late"))
        await worker.decide(turn, complete(2))
        assert await house.component.get("b") is None


async def test_force_purge_whatever_is_under_way() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1), child(2, "b"))
        item, turn = await worker.take(), await worker.take()
        assert await house.purge("a", force=True) == Purged(2)
        for taken in (item, turn):
            if isinstance(taken, ActivityItem):
                await worker.finish(taken)
            else:
                await worker.decide(taken, complete(0))
        await house.settle()
        assert not worker.waiting
        assert house.engine.figures()["outstanding_turns"] == 0
        assert house.store.list_ids(0, 10) == ()


async def test_purge_during_the_commit_of_a_turn() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        house.store.hold_commits()
        purging = house.soon(house.purge("a", force=True))
        await house.reads_done()
        deciding = house.soon(worker.decide(turn, schedule(1)))
        await house.reads_done()
        house.store.let_commits_go()
        assert await purging == Purged(1)
        await deciding
        await house.settle()
        assert not worker.waiting
        assert house.engine.figures()["outstanding_turns"] == 0
        await house.start("a")
        await worker.decide(await worker.turn(), complete())
        assert await house.status("a") is Status.COMPLETED


async def test_finished_instances_go_when_their_time_is_over() -> None:
    policy = {Status.COMPLETED: HOUR_US, Status.TERMINATED: 0}
    async with House(retention_us=policy) as house:
        worker = house.worker()
        for name, status in (("c", Status.COMPLETED), ("f", Status.FAILED)):
            await house.start(name)
            await worker.decide(await worker.turn(), complete(0, status=status))
        await house.start("t")
        await house.terminate("t")
        await house.pass_time(SECOND_US)
        assert await house.component.get("t") is None
        await house.pass_time(HOUR_US - 2 * SECOND_US)
        assert await house.status("c") is Status.COMPLETED
        await house.pass_time(2 * SECOND_US)
        assert await house.component.get("c") is None
        await house.pass_time(1000 * DAY_US)
        assert await house.status("f") is Status.FAILED
        purged = house.recorder.of("instance_purged")
        assert [report.details["by_retention"] for report in purged] == [True, True]


async def test_retention_reaches_what_finished_before_it_was_set() -> None:
    """Section 8."""
    async with House() as house:
        house.worker().work(hello)
        for number in range(450):
            await house.start(f"i{number}", input="x")
        await house.settle()
        store = house.store
        house.clock.advance(HOUR_US)
    async with House(store, retention_us={Status.COMPLETED: HOUR_US // 2}) as house:
        for _ in range(5):
            await house.pass_time(SECOND_US)
        assert house.store.list_ids(0, 10) == ()


async def test_retention_goes_on_after_trouble_with_the_store() -> None:
    async with House(retention_us={Status.COMPLETED: 0}) as house:
        house.expected_faults = ("deleting", "landing")
        worker = house.worker()
        await house.start("a")
        turn = await worker.turn()
        await worker.decide(turn, complete())
        house.store.fail_commits(2)
        await house.pass_minutes()
        assert await house.component.get("a") is None


async def test_what_goes_together_shares_commits() -> None:
    """Deleting one by one, each with a disk wait of its own, falls behind a steady load (P9)."""
    async with House() as house:
        house.worker().work(hello)
        for number in range(150):
            await house.start(f"i{number}", input="x")
        await house.settle()
        store = house.store
        house.clock.advance(HOUR_US)
    before = store.commits
    async with House(store, retention_us={Status.COMPLETED: HOUR_US // 2}) as house:
        await house.pass_time(SECOND_US)
        assert house.store.list_ids(0, 10) == ()
        assert house.store.commits - before < 10
