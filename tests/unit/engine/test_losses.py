"""Work whose workers go away while they have it: what is said of it, and when it is tried again."""

import pytest

from perdure.base.limits import CLIENT_MESSAGE_BYTES, LOSSES_AT_ONCE_MAX, LOSSES_OF_LARGE_MAX
from perdure.base.time import SECOND_US
from perdure.core.status import Status
from perdure.engine.losses import Losses
from tests.kit.answers import complete
from tests.kit.house import House


@pytest.mark.parametrize(
    ("count", "pause_us"),
    [
        (0, 0),
        (LOSSES_AT_ONCE_MAX, 0),
        (LOSSES_AT_ONCE_MAX + 1, SECOND_US),
        (LOSSES_AT_ONCE_MAX + 2, 2 * SECOND_US),
        (1_000, 60 * SECOND_US),
    ],
)
def test_the_pause_grows_with_each_loss_and_has_an_end(count: int, pause_us: int) -> None:
    assert Losses(count=count, size_bytes=10).pause_us == pause_us


def test_only_what_is_large_is_taken_for_what_drives_workers_away() -> None:
    often = LOSSES_OF_LARGE_MAX
    assert not Losses(count=often, size_bytes=CLIENT_MESSAGE_BYTES).drives_workers_away
    assert not Losses(count=often - 1, size_bytes=CLIENT_MESSAGE_BYTES + 1).drives_workers_away
    large = Losses(count=often, size_bytes=CLIENT_MESSAGE_BYTES + 1)
    assert large.drives_workers_away
    assert str(CLIENT_MESSAGE_BYTES + 1) in large.text


async def test_a_turn_larger_than_its_workers_take_stalls_instead_of_ending_their_streams() -> None:
    async with House(message_bytes_max=8 * CLIENT_MESSAGE_BYTES) as house:
        await house.start("large", input="x" * (CLIENT_MESSAGE_BYTES + 1))
        for _ in range(LOSSES_OF_LARGE_MAX):
            worker = house.worker()
            await worker.turn()
            worker.leave()
        await house.settle()
        view = await house.view("large")
        assert view.status is Status.STALLED
        assert "PAYLOAD_SIZE_EXCEEDED" in view.waits_for
        # A worker that comes is no reason to send it once more; it works on what is beside it.
        await house.start("beside")
        worker = house.worker()
        item = await worker.turn()
        assert item.instance_id == "beside"
        await worker.decide(item, complete(0))
        assert (await house.view("beside")).status is Status.COMPLETED
