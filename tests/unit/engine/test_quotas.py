"""Limits that hold for all nodes together: never more are out, and nobody goes without for ever."""

import pytest

from perdure.base.limits import PLACES_MAX
from perdure.base.time import SECOND_US
from perdure.core.status import Status
from perdure.engine.ownership import ALONE, Leased
from perdure.engine.quotas import Quotas
from perdure.engine.slots import Slots
from perdure.store.leases import Lease, Member, Standing, Term
from perdure.store.partitions import LIMIT, Partition, is_of_limit
from tests.kit.answers import complete, schedule
from tests.kit.town import Town, TownHouse
from tests.kit.worker import ActivityItem, Worker, hello

KINDS = ("turns", "activities")


def out(town: Town, kind: str) -> list[int]:
    """Return how many are out at each node that is there."""
    return [house.engine.figures()[f"outstanding_{kind}"] for house in town.there]


def places(house: TownHouse) -> int:
    return sum(is_of_limit(term.partition) for term in house.owner.terms)


async def start_at(town: Town, name: str, count: int) -> list[str]:
    """Start so many instances that a node owns, and return their ids."""
    number, ids = 0, list[str]()
    while len(ids) < count:
        if town.owner_of(f"i{number}") is town[name]:
            ids.append(f"i{number}")
            await town[name].start(ids[-1])
        number += 1
    return ids


async def test_no_more_turns_are_out_at_all_nodes_than_the_limit_says() -> None:
    async with Town("ann", "ben", "eve", turns_max=4) as town:
        workers = [house.worker() for house in town.there]
        await town.spread()
        for name in ("ann", "ben", "eve"):
            await start_at(town, name, 5)
        for _ in range(10):
            await town.pass_time(SECOND_US)
            assert sum(out(town, "turns")) <= 4
        assert sum(out(town, "turns")) == 4
        finished = 0
        while finished < 15:
            for worker in workers:
                while worker.waiting:
                    await worker.decide(await worker.turn(), complete(1))
                    finished += 1
                    assert sum(out(town, "turns")) <= 4
            await town.pass_time(SECOND_US)


async def test_one_place_for_three_nodes_goes_round() -> None:
    async with Town("ann", "ben", "eve", activities_max_by_name={"act": 1}) as town:
        workers = {house: house.worker() for house in town.there}
        await town.spread()
        for name in ("ann", "ben", "eve"):
            for _ in await start_at(town, name, 3):
                await workers[town[name]].decide(
                    await workers[town[name]].turn(), schedule(1, "act")
                )
        served: list[str] = []
        for _ in range(120):
            await town.pass_time(SECOND_US)
            assert sum(out(town, "activities")) <= 1
            for house, worker in workers.items():
                served += [house.name] * await _serve(worker)
        assert sorted(served) == ["ann"] * 3 + ["ben"] * 3 + ["eve"] * 3
        assert len(set(served[:5])) > 1, "nobody has it until all of its own is done"


async def _serve(worker: Worker) -> int:
    """Finish the activity that a worker has, if any, and the turns after it."""
    count = 0
    while worker.waiting:
        item = await worker.take()
        if isinstance(item, ActivityItem):
            await worker.finish(item, "done")
            count += 1
        else:
            await worker.decide(item, complete(2))
    return count


def hold(house: TownHouse, name: str) -> None:
    """Let a node have the only place of a limit of activities."""
    place = Partition(f"{LIMIT}activities/{name}", 0)
    terms = house.store.claim(f"{house.name}.{house.life}", [place], 10 * SECOND_US)
    house.owner.take(terms)
    house.owner.quotas.taken(terms)


async def test_two_nodes_with_one_place_each_of_two_limits_do_not_exchange_them_for_ever() -> None:
    """An activity needs a place of both: of all activities, and of those of its name."""
    async with Town("ann", "ben", activities_max=1, activities_max_by_name={"act": 1}) as town:
        workers = {house: house.worker() for house in town.there}
        await town.spread()
        turns = [
            (worker, await worker.turn())
            for house, worker in workers.items()
            for _ in await start_at(town, house.name, 3)
        ]
        hold(town["ann"], "")
        hold(town["ben"], "act")
        for worker, turn in turns:
            await worker.decide(turn, schedule(1, "act"))
        served: list[str] = []
        for _ in range(60):
            await town.pass_time(SECOND_US)
            for house, worker in workers.items():
                served += [house.name] * await _serve(worker)
        assert sorted(served) == ["ann"] * 3 + ["ben"] * 3


async def test_a_place_is_not_given_back_while_work_needs_it() -> None:
    async with Town("ann", "ben", activities_max_by_name={"act": 1}) as town:
        ann, ben = (house.worker() for house in town.there)
        await town.spread()
        await start_at(town, "ann", 1)
        await ann.decide(await ann.turn(), schedule(1, "act"))
        await town.pass_time(SECOND_US)
        item = await ann.activity()
        await start_at(town, "ben", 1)
        await ben.decide(await ben.turn(), schedule(1, "act"))
        await town.pass_time(60 * SECOND_US)
        assert out(town, "activities") == [1, 0]
        await ann.finish(item, "done")
        await town.pass_time(4 * SECOND_US)
        assert out(town, "activities") == [0, 1]
        await ben.finish(await ben.activity(), "done")
        for worker in (ann, ben):
            await worker.decide(await worker.turn(), complete(2))


async def test_the_places_of_a_node_that_died_come_free() -> None:
    async with Town("ann", "ben", turns_max=1) as town:
        town["ann"].worker()
        await town.spread()
        await start_at(town, "ann", 1)
        await town.pass_time(SECOND_US)
        assert out(town, "turns") == [1, 0]
        town["ben"].worker().work(hello)
        await town.spread()
        await start_at(town, "ben", 1)
        await town["ann"].die()
        await town.pass_time(20 * SECOND_US)
        for instance_id in ("i0", "i1", "i2"):
            view = await town["ben"].component.get(instance_id)
            assert view is None or view.status is Status.COMPLETED


async def test_who_has_nothing_to_do_has_no_places() -> None:
    async with Town("ann", "ben", turns_max=8, turns_max_by_name={"wf": 2}) as town:
        for house in town.there:
            house.worker().work(hello)
        await town.spread()
        ids = [*await start_at(town, "ann", 3), *await start_at(town, "ben", 3)]
        await town.pass_time(SECOND_US)
        assert sum(map(places, town.there)) > 0
        await town.pass_time(2 * SECOND_US)
        for instance_id in dict.fromkeys(ids):
            assert (await town["ann"].view(instance_id)).status is Status.COMPLETED
        await town.pass_time(10 * SECOND_US)
        assert [places(house) for house in town.there] == [0, 0]


def test_who_has_nothing_of_a_wider_limit_asks_for_nothing_of_a_narrower_one() -> None:
    owner = Leased(float)
    wider, narrower = (Term(Partition(f"{LIMIT}activities/{name}", 0), 1) for name in ("", "act"))
    slots = Slots("activities", 1, {"act": 1}, owner)
    assert slots.refuses()
    owner.take([wider])
    assert not slots.refuses()
    assert slots.refuses_for("act")
    assert narrower.partition.app_id in owner.quotas.asked(lambda: None)
    owner.take([narrower])
    owner.drop([wider])
    assert owner.quotas.asked(lambda: None) == [wider.partition.app_id]


def test_with_the_last_place_of_a_wider_limit_those_of_a_narrower_one_are_given_back() -> None:
    owner = Leased(lambda: 0.0)
    slots = Slots("activities", 1, {"act": 1}, owner)
    wider, narrower = (Term(Partition(f"{LIMIT}activities/{name}", 0), 1) for name in ("", "act"))
    owner.take([wider, narrower])
    asking = {wider.partition.app_id, narrower.partition.app_id}
    members = tuple(Member(name, name, tuple(sorted(asking))) for name in ("ann.1", "ben.1"))
    standing = Standing(0, members, (Lease(wider, "ann.1", SECOND_US),), ())
    # It has had the wider one for long, and ben has none; nobody but ann has the narrower one.
    owner.quotas._since_s |= {wider: -60.0, narrower: 0.0}  # noqa: SLF001 - as if it had been long
    assert owner.quotas.changes("ann.1", standing).release == (wider, narrower)
    slots.take("act")
    assert narrower not in owner.quotas.changes("ann.1", standing).release


@pytest.mark.parametrize("most", [1, 2, PLACES_MAX, PLACES_MAX + 1, 1_000, 12_345])
def test_the_places_of_a_limit_add_up_to_it(most: int) -> None:
    quota = Quotas(Leased(float), float).of("turns", "", most)
    sizes = [quota.size(place) for place in range(quota.places)]
    assert sum(sizes) == most
    assert max(sizes) - min(sizes) <= 1
    assert quota.share() == 0


def test_a_sole_owner_asks_nobody() -> None:
    slots = Slots("turns", 1, {"slow": 1}, ALONE)
    assert not slots.full()
    slots.take("slow")
    assert slots.full()
    assert slots.full_for("slow")
    slots.give("slow")
    assert not slots.full()
