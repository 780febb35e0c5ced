"""Notes go when their time is over, many at once, and not before."""

from perdure.base.limits import NOTES_PER_SWEEP_MAX
from perdure.base.time import DAY_US, HOUR_US, SECOND_US
from perdure.core.deliveries import Fate
from perdure.core.notes import NoteAdd, Shelf, kept_shelf
from perdure.store.port import Entry
from tests.kit.house import House
from tests.kit.posting import event, post, receipts, start
from tests.kit.shaky_store import ShakyStore


async def test_a_receipt_is_kept_for_seven_days() -> None:
    async with House() as house:
        assert await post(house, "m", start("a")) is Fate.STARTED
        await house.pass_time(7 * DAY_US)
        assert await post(house, "m", start("a")) is Fate.DUPLICATE
        await house.pass_time(2 * HOUR_US)
        assert receipts(house) == 0
        assert await post(house, "m", start("a")) is Fate.DISCARDED, "now it is another message"


async def test_how_long_receipts_are_kept_can_be_set() -> None:
    async with House(receipts_us=60 * SECOND_US) as house:
        await post(house, "m1", event("a", "e"))
        await house.pass_time(HOUR_US)
        await post(house, "m2", event("a", "e"))
        await house.pass_time(61 * SECOND_US)
        assert receipts(house) <= 1
        await house.pass_time(HOUR_US)
        assert receipts(house) == 0


async def test_many_receipts_go_in_batches() -> None:
    async with House() as house:
        old = [
            NoteAdd(shelf=Shelf.RECEIPTS, key=str(n), at_us=house.clock.now_us())
            for n in range(2 * NOTES_PER_SWEEP_MAX + 1)
        ]
        house.store.commit([Entry(key=None, notes=tuple(old))])
        before = house.store.commits
        await house.pass_time(8 * DAY_US)
        assert receipts(house) == 0
        assert house.store.commits == before + 3


async def test_receipts_go_also_if_the_server_was_down_when_their_time_came() -> None:
    async with House() as house:
        await post(house, "m", event("a", "e", keep_us=HOUR_US))
        await house.close()
        house.clock.advance(8 * DAY_US)
        await house.open()
        await house.settle()
        assert receipts(house) == 0
        assert house.store.note_count(Shelf.MAILBOX) == 0


class Counting(ShakyStore):
    """A store that counts how often somebody looked for what is over."""

    looks = 0

    def notes_before(
        self, shelf: str, before_us: int, limit: int
    ) -> tuple[tuple[str, str | None], ...]:
        self.looks += 1
        return super().notes_before(shelf, before_us, limit)


async def test_nobody_looks_before_something_is_over() -> None:
    store = Counting()
    async with House(store) as house:
        await post(house, "m1", event("a", "e", keep_us=60 * SECOND_US))
        await house.pass_time(SECOND_US)
        before = store.looks
        await house.pass_time(50 * SECOND_US)
        assert store.looks == before
        await house.pass_time(10 * SECOND_US)
        assert store.note_count(Shelf.MAILBOX) == 0
        assert store.looks <= before + 4


async def test_a_store_that_is_away_only_delays() -> None:
    async with House(receipts_us=SECOND_US) as house:
        house.expected_faults = ("forgetting",)
        await post(house, "m", event("a", "e", keep_us=10 * SECOND_US))
        house.store.fail_commits(1, away=True)
        await house.pass_time(10 * SECOND_US)
        assert len(house.recorder.faults()) == 1
        await house.pass_time(10 * SECOND_US)
        assert house.store.note_count(Shelf.MAILBOX) == 0


async def test_whoever_keeps_messages_forgets_them_as_well() -> None:
    async with House() as house:
        shelf = kept_shelf("trigger")
        notes = tuple(NoteAdd(shelf=shelf, key=str(n), at_us=n) for n in range(10))
        house.store.commit([Entry(key=None, notes=notes)])
        deliveries = house.component.deliveries
        assert await deliveries.forget_notes(shelf, 4) == 4
        assert await deliveries.forget_notes(shelf, 4) == 0
        assert await deliveries.count_notes(shelf) == 6
