"""Leases of nodes: taken over from the dead, given back by the living, lost by who cannot renew."""

import pytest

from perdure.base.limits import LEASE_TTL_US
from perdure.base.time import SECOND_US
from perdure.core.status import Status
from perdure.store.leases import Term
from perdure.store.partitions import PARTITIONS, partition_of
from tests.kit.answers import complete, schedule
from tests.kit.house import APP
from tests.kit.town import Town
from tests.kit.worker import hello

EVERYTHING = set(range(PARTITIONS))


async def test_what_a_dead_node_had_is_gone_on_with_within_eight_seconds() -> None:
    async with Town("ann", "ben") as town:
        town["ben"].worker()
        town["ann"].worker()
        await town.spread()
        instance_id = town.id_at("ann")
        await town["ben"].start(instance_id)
        lost = await town["ann"].workers[0].turn()
        await town["ann"].die()
        await town.pass_time(8 * SECOND_US)
        assert town["ben"].owned() == EVERYTHING
        turn = await town["ben"].workers[0].turn()
        assert turn.instance_id == lost.instance_id == instance_id
        await town["ben"].workers[0].decide(turn, complete(1))
        figures = town["ben"].engine.leases
        assert figures is not None
        assert figures.taken_over == PARTITIONS // 2 + 1, "those of the app, and the housekeeping"


async def test_an_activity_of_a_dead_node_is_run_again() -> None:
    async with Town("ann", "ben") as town:
        ann, ben = town["ann"].worker(), town["ben"].worker()
        await town.spread()
        instance_id = town.id_at("ann")
        await town["ann"].start(instance_id)
        await ann.decide(await ann.turn(), schedule(1, "act", "x"))
        await ann.activity()
        await town["ann"].die()
        await town.pass_time(8 * SECOND_US)
        await ben.finish(await ben.activity(), "y")
        turn = await ben.turn()
        await ben.decide(turn, complete(2, "z"))
        assert (await town["ben"].view(instance_id)).output == "z"


async def test_who_stops_in_good_order_lets_others_go_on_at_once() -> None:
    async with Town("ann", "ben") as town:
        town["ann"].worker()
        town["ben"].worker()
        await town.spread()
        await town["ann"].close()
        town["ann"].there = False
        await town.settle()
        assert town["ben"].owned() == EVERYTHING, "and no time has passed"
        assert town["ben"].keeps_house


async def test_who_cannot_renew_lets_go_before_its_leases_run_out() -> None:
    async with Town("ann", "ben") as town:
        ann = town["ann"].worker()
        town["ben"].worker()
        await town.spread()
        instance_id = town.id_at("ann")
        await town["ann"].start(instance_id)
        turn = await ann.turn()
        town["ann"].cut()
        await town.pass_time(LEASE_TTL_US * 9 // 10)
        assert not town["ann"].owned()
        assert len(town["ben"].owned()) == PARTITIONS // 2, "it has not run out in the store"
        await ann.decide(turn, complete(1, "late"))
        await town.pass_time(4 * SECOND_US)
        assert town["ben"].owned() == EVERYTHING
        ben = town["ben"].workers[0]
        await ben.decide(await ben.turn(), complete(1, "in time"))
        town["ann"].mend()
        await town.spread()
        assert len(town["ann"].owned()) == PARTITIONS // 2
        assert (await town["ann"].view(instance_id)).output == "in time"


async def test_a_commit_of_a_former_owner_changes_nothing() -> None:
    """A node that was stopped for long does not know yet, and its worker's answer comes first."""
    async with Town("ann", "ben") as town:
        ann, ben = town["ann"].worker(), town["ben"].worker()
        await town.spread()
        instance_id = town.id_at("ann")
        await town["ann"].start(instance_id)
        turn = await ann.turn()
        where = partition_of(APP, instance_id)
        # As if ben had found the lease run out while ann stood still.
        (taken,) = town.cluster.open().claim("ann.1", [where], 1)
        await ann.decide(turn, complete(1, "late"))
        await town.settle()
        assert await town["ann"].status(instance_id) is Status.PENDING
        assert not town["ann"].owner.holds(Term(where, taken.number - 1))
        await town.spread()
        owner = town.owner_of(instance_id)
        worker = {"ann": ann, "ben": ben}[owner.name]
        await worker.decide(await worker.turn(), complete(1, "in time"))
        assert (await town["ben"].view(instance_id)).output == "in time"


async def test_a_new_node_is_given_its_share_while_work_goes_on() -> None:
    async with Town("ann", "ben") as town:
        town["ann"].worker().work(hello)
        await town.spread()
        assert town["ann"].owned() == EVERYTHING
        for number in range(30):
            await town["ann"].start(f"w{number}", input="x")
        town["ben"].worker().work(hello)
        await town.spread()
        assert len(town["ben"].owned()) == PARTITIONS // 2
        for number in range(30):
            assert (await town["ben"].finished(f"w{number}")).output == "x"


async def test_what_is_out_is_finished_before_its_partition_moves() -> None:
    async with Town("ann", "ben") as town:
        ann = town["ann"].worker()
        await town.spread()
        ids = [f"w{number}" for number in range(12)]
        for each in ids:
            await town["ann"].start(each)
        for _ in ids:
            await ann.decide(await ann.turn(), schedule(1))
        out = [await ann.activity() for _ in ids]
        town["ben"].worker()
        await town.pass_time(3 * SECOND_US)
        for item in out:
            await ann.finish(item, "done")
        await town.spread()
        assert len(town["ben"].owned()) == PARTITIONS // 2
        rows = [row for each in ids for row in town["ann"].store.tasks_of(_key(town, each))]
        assert {row.attempts for row in rows} == {1}, "none was run twice"


def _key(town: Town, instance_id: str) -> int:
    return town["ann"].on_disk(instance_id).key


async def test_an_app_whose_workers_come_back_soon_keeps_what_it_has() -> None:
    async with Town("ann", "ben") as town:
        first = town["ann"].worker()
        await town.spread()
        first.leave()
        town["ann"].workers.clear()
        await town.pass_time(SECOND_US)
        assert town["ann"].owned() == EVERYTHING
        town["ann"].worker()
        await town.spread()
        figures = town["ann"].engine.leases
        assert figures is not None
        assert (figures.held, figures.given_back) == (PARTITIONS, 0)


async def test_a_node_whose_workers_have_gone_keeps_nothing() -> None:
    async with Town("ann", "ben") as town:
        town["ann"].worker().leave()
        town["ann"].workers.clear()
        await town.spread()
        assert not town["ann"].owned()
        assert town["ann"].keeps_house


@pytest.mark.parametrize("fails", [1, 2])
async def test_a_beat_or_two_may_fail(fails: int) -> None:
    async with Town("ann", "ben") as town:
        town["ann"].worker()
        await town.spread()
        town["ann"].cut()
        await town.pass_time(fails * 13 * SECOND_US // 10)
        town["ann"].mend()
        await town.spread()
        figures = town["ann"].engine.leases
        assert figures is not None
        assert (figures.held, figures.lost) == (PARTITIONS, 0)
