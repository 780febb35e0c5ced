"""The three stalls: told once, waiting for a fitting worker, and left by any turn that goes on."""

from perdure.base.time import SECOND_US
from perdure.core.events import ExecutionStalled, StallReason
from perdure.core.requests import Reason, Refusal
from perdure.core.status import Status
from tests.kit.answers import complete, continue_as_new, no_such_version, schedule
from tests.kit.house import House
from tests.kit.worker import Worker


def _stalls(house: House, instance_id: str) -> list[tuple[StallReason, str]]:
    return [
        (event.reason, event.description)
        for event in house.history(instance_id)
        if isinstance(event, ExecutionStalled)
    ]


async def _patched(house: House, worker: Worker) -> None:
    """Bring an instance to where its history knows a patch and an event waits."""
    await house.start("a")
    await worker.decide(await worker.turn(), schedule(1), patches=["a", "b"])
    await worker.finish(await worker.activity(), "x")


async def test_a_patch_mismatch_stalls_and_a_fitting_worker_goes_on() -> None:
    """Section 8: also when all workers have left meanwhile."""
    async with House() as house:
        worker = house.worker()
        await _patched(house, worker)
        turn = await worker.turn()
        await worker.decide(turn, complete(2), patches=["b"])
        assert await house.status("a") is Status.STALLED
        text = "Patch mismatch. History patches: [a, b], current patches: [b]. "
        assert _stalls(house, "a") == [(StallReason.PATCH_MISMATCH, text)]
        view = await house.view("a")
        assert view.waits_for == f"a fitting worker (PATCH_MISMATCH: {text})"
        refused = await house.raise_event("a", "e")
        assert refused == Refusal(Reason.STALLED, "workflow is stalled")
        purged = await house.purge("a")
        assert isinstance(purged, Refusal)
        assert purged.reason is Reason.NOT_FINISHED
        worker.leave()
        house.workers.clear()
        await house.settle()
        fitting = house.worker()
        again = await fitting.turn()
        assert again.new_bytes == turn.new_bytes, "the batch is the same"
        await fitting.decide(again, complete(2), patches=["a", "b", "c"])
        assert await house.status("a") is Status.COMPLETED
        assert house.on_disk("a").head.patches == ("a", "b", "c")


async def test_a_stall_is_tried_again_after_a_growing_pause_and_told_once() -> None:
    async with House() as house:
        worker = house.worker()
        await _patched(house, worker)
        for pause_s in (5, 10, 20, 40, 80, 160, 300, 300):
            await worker.decide(await worker.turn(), complete(2))
            await house.pass_time(pause_s * SECOND_US - 1)
            assert not worker.waiting
            await house.pass_time(1)
        assert len(_stalls(house, "a")) == 1
        assert len(house.recorder.of("instance_stalled")) == 1
        await worker.decide(await worker.turn(), complete(2), patches=["x"])
        assert len(_stalls(house, "a")) == 2
        await house.terminate("a", "out")
        assert await house.status("a") is Status.TERMINATED


async def test_a_version_that_a_worker_lacks_stalls() -> None:
    async with House() as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), version="v2")
        await house.raise_event("a", "e")
        await worker.decide(await worker.turn(), no_such_version(), complete(1))
        assert _stalls(house, "a") == [
            (StallReason.VERSION_NOT_AVAILABLE, "Version not available: v2")
        ]
        fitting = house.worker()
        # The other one is still there, and had the instance last.
        await fitting.decide(await fitting.turn(), complete(1), version="v2")
        view = await house.view("a")
        assert (view.status, view.version) == (Status.COMPLETED, "v2")


async def test_a_stalled_instance_goes_on_after_a_restart() -> None:
    async with House() as house:
        worker = house.worker()
        await _patched(house, worker)
        await worker.decide(await worker.turn(), complete(2))
        await house.restart()
        worker = house.worker()
        await worker.decide(await worker.turn(), complete(2), patches=["a", "b"])
        assert await house.status("a") is Status.COMPLETED


async def test_a_history_too_large_for_a_message_stalls_and_disturbs_nobody() -> None:
    """Section 8: a history that kills the stream for every other instance on it."""
    async with House(message_bytes_max=10_000) as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1, text="x" * 4_000))
        await worker.finish(await worker.activity(), "y" * 6_000)
        await house.settle()
        assert not worker.waiting
        [(reason, text)] = _stalls(house, "a")
        assert reason is StallReason.PAYLOAD_SIZE_EXCEEDED
        assert text.startswith("Workflow payload size 10")
        assert text.endswith(
            " bytes exceeds 95% of max gRPC body size 10000 bytes; "
            "increase daprd --max-body-size and restart to resume"
        )
        await house.start("b")
        await worker.decide(await worker.turn(), complete())
        assert await house.status("b") is Status.COMPLETED


async def test_a_backlog_too_large_for_a_message_is_taken_in_parts() -> None:
    async with House(message_bytes_max=10_000) as house:
        names = [f"e{number}" for number in range(30)]
        await house.start("a")
        for name in names:
            await house.raise_event("a", name, "x" * 1_000)
        worker = house.worker()
        taken: list[str] = []
        while len(taken) < len(names):
            turn = await worker.turn()
            assert sum(map(len, turn.new_bytes)) < 10_000
            taken += turn.raised()
            await worker.decide(turn, continue_as_new(1))
        assert taken == names
        await worker.decide(await worker.turn(), complete())
        assert _stalls(house, "a") == []


async def test_a_history_too_large_does_not_grow_by_being_tried_again() -> None:
    """P9."""
    async with House(message_bytes_max=10_000) as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1, text="x" * 4_000))
        await worker.finish(await worker.activity(), "y" * 6_000)
        length = None
        for _ in range(5):
            await house.pass_time(300 * SECOND_US)
            assert length in {None, house.on_disk("a").head.history_bytes}
            length = house.on_disk("a").head.history_bytes
        assert len(_stalls(house, "a")) == 1


async def test_a_larger_limit_lets_it_go_on() -> None:
    async with House(message_bytes_max=10_000) as house:
        worker = house.worker()
        await house.start("a")
        await worker.decide(await worker.turn(), schedule(1, text="x" * 4_000))
        await worker.finish(await worker.activity(), "y" * 6_000)
        await house.settle()
        assert await house.status("a") is Status.STALLED
        store = house.store
    async with House(store, message_bytes_max=20_000) as house:
        worker = house.worker()
        await worker.decide(await worker.turn(), complete(2))
        assert await house.status("a") is Status.COMPLETED


async def test_a_stalled_instance_can_be_purged_by_force() -> None:
    async with House() as house:
        worker = house.worker()
        await _patched(house, worker)
        await worker.decide(await worker.turn(), complete(2))
        assert (await house.purge("a", force=True)).count == 1
        await house.pass_time(400 * SECOND_US)
        assert not worker.waiting
