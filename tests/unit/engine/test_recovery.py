"""What was under way before the process started, and what overflowed a queue."""

from threading import Event

import pytest

from perdure.base.errors import StoreUnavailable
from perdure.base.time import SECOND_US
from perdure.core.status import Status
from perdure.store.port import ReadyRow, Within
from perdure.wire.generated import work_pb2 as pb
from tests.kit.answers import child, complete, continue_as_new, schedule, timer
from tests.kit.house import House
from tests.kit.shaky_store import ShakyStore
from tests.kit.worker import TurnItem, hello


@pytest.mark.parametrize("landed", range(8))
async def test_hello_goes_on_wherever_the_power_fails(landed: int) -> None:
    """P1: after each commit of it. What was acknowledged is there, and it comes to its end."""
    async with House() as house:
        house.expected_faults = ("landing", "moving", "trying", "terminating")
        house.store.power_fails_after(landed)
        house.worker().work(hello)
        acknowledged = True
        try:
            await house.start("a", input="1")
        except StoreUnavailable:
            acknowledged = False
        await house.settle()
        await house.restart()
        if not acknowledged:
            assert await house.component.get("a") is None
            await house.start("a", input="1")
        house.worker().work(hello)
        view = await house.finished("a")
        assert (view.status, view.output) == (Status.COMPLETED, "1")
        kinds = house.kinds("a")
        assert (kinds.count("TaskScheduled"), kinds.count("TaskCompleted")) == (1, 1)


def _family(item: TurnItem) -> list[pb.Action]:
    if item.instance_id == "c":
        return [complete(0, "child")]
    if item.has_kind("TimerFired"):
        return [complete(9, "end")]
    if item.has_kind("ChildCompleted") and not item.has_kind("TimerCreated"):
        return [timer(3, item.new[0].at_us + SECOND_US)]
    return [] if item.has_kind("ChildCreated") else [child(1, "c"), schedule(2)]


@pytest.mark.parametrize("landed", range(16))
async def test_a_family_goes_on_wherever_the_power_fails(landed: int) -> None:
    async with House() as house:
        house.expected_faults = ("landing", "moving", "reading", "firing")
        await house.start("a")
        house.store.power_fails_after(landed)
        house.worker().work(_family)
        await house.pass_minutes()
        await house.restart()
        house.worker().work(_family)
        await house.pass_minutes()
        assert (await house.view("a")).output == "end"
        kinds = house.kinds("a")
        for kind in ("TaskCompleted", "ChildCompleted", "TimerFired"):
            assert kinds.count(kind) == 1


async def test_everything_that_can_be_under_way_goes_on_after_a_restart() -> None:
    async with House() as house:
        worker = house.worker()
        now_us = house.clock.now_us()
        await house.start("pending")
        pending = await worker.turn()
        await house.start("activity")
        await worker.decide(await worker.turn(), schedule(1))
        await worker.activity()
        await house.start("timer")
        await worker.decide(await worker.turn(), timer(1, now_us + SECOND_US))
        await house.start("event")
        await worker.decide(await worker.turn())
        await house.start("later", scheduled_start_us=now_us + SECOND_US)
        await house.start("suspended")
        await worker.decide(await worker.turn(), schedule(1))
        await worker.activity()
        await house.suspend("suspended")
        await house.start("again")
        await worker.decide(await worker.turn(), continue_as_new(carried=[("a", "1")]))
        await house.settle()
        await house.restart()
        worker = house.worker()
        taken = [await worker.take() for _ in range(3)]
        assert {(type(i).__name__, i.instance_id) for i in taken} == {
            ("TurnItem", "pending"),
            ("TurnItem", "again"),
            ("ActivityItem", "activity"),
        }
        assert (
            pending.new_bytes[1:]
            == next(
                i.new_bytes for i in taken if isinstance(i, TurnItem) and i.instance_id == "pending"
            )[1:]
        )
        await house.settle()
        assert not worker.waiting
        await house.pass_time(SECOND_US)
        later = [await worker.turn() for _ in range(2)]
        assert {item.instance_id for item in later} == {"timer", "later"}
        await house.resume("suspended")
        resumed = [await worker.take() for _ in range(2)]
        assert {item.instance_id for item in resumed} == {"suspended"}
        assert await house.status("event") is Status.RUNNING


async def test_a_terminate_that_was_acknowledged_takes_effect_after_a_restart() -> None:
    """P1: its inbox row is on disk, the turn that it makes is not."""
    async with House() as house:
        house.expected_faults = ("landing", "moving")
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn())
        house.store.power_fails_after(1)
        terminating = house.soon(house.terminate("a", "out"))
        await house.settle()
        await house.pass_time(3 * SECOND_US)
        await terminating
        assert house.on_disk("a").inbox_length == 1
        await house.restart()
        view = await house.finished("a")
        assert (view.status, view.output) == (Status.TERMINATED, "out")


async def test_queues_that_overflow_are_filled_from_the_store() -> None:
    async with House(ready_max=50) as house:
        count = 120
        await house.gather(house.start(f"i{number}") for number in range(count))
        assert house.engine.figures()["ready_turns"] == 50
        house.worker().work(lambda _: [complete(0)])
        await house.settle()
        await house.pass_time(SECOND_US)
        assert house.store.counts() == {Status.COMPLETED: count}
        assert not house.recorder.of("late_completion_dropped")


class _SlowToList(ShakyStore):
    """Tells what is ready only when it may, and then what was ready before."""

    def __init__(self) -> None:
        super().__init__()
        self.may_tell = Event()
        self.may_tell.set()

    def ready(self, after_key: int, limit: int, within: Within = None) -> tuple[ReadyRow, ...]:
        rows = super().ready(after_key, limit, within)
        self.may_tell.wait()
        return rows


async def test_what_overflows_while_a_queue_is_filled_is_looked_for_again() -> None:
    """P4: whoever has emptied the queue before the filling ends has no reason to look once more."""
    store = _SlowToList()
    async with House(store, ready_max=4) as house:
        for name in "abcde":
            await house.start(name)
        worker = house.worker(turns_max=1)
        store.may_tell.clear()
        for _ in "abc":
            await worker.decide(await worker.turn(), complete(0))
        last = await worker.turn()
        await house.purge("e", force=True)
        for name in "fghij":
            await house.start(name)
        await worker.decide(last, complete(0))
        for _ in "fghi":
            await worker.decide(await worker.turn(), complete(0))
        store.may_tell.set()
        await worker.decide(await worker.turn(), complete(0))
        assert await house.status("j") is Status.COMPLETED


async def test_a_queue_of_nothing_but_purged_ones_is_filled_up_too() -> None:
    """P4."""
    async with House(ready_max=50, residents_max=1) as house:
        for number in range(120):
            await house.start(f"i{number}")
        for number in range(50):
            await house.purge(f"i{number}", force=True)
        house.worker().work(lambda _: [complete(0)])
        for number in range(50, 120):
            await house.finished(f"i{number}")
