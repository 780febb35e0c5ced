"""What sources of messages, and those who look after them, can read of notes."""

import pytest

from perdure.base.errors import CallerFault
from perdure.base.limits import PAGE_ROWS_MAX
from perdure.components.deliveries import Deliveries
from perdure.core.deliveries import OnExisting, OnMissing
from perdure.core.notes import NoteAdd, Shelf
from perdure.store.port import Entry
from tests.kit.house import House
from tests.kit.posting import event, post, start, terminate

SHELF = Shelf.DEAD_LETTERS


def _with_notes(house: House) -> Deliveries:
    notes = [
        NoteAdd(shelf=SHELF, key=f"k{n}", at_us=10 - n, about="odd" if n % 2 else "even")
        for n in range(6)
    ]
    house.store.commit([Entry(key=None, notes=tuple(notes))])
    return house.component.deliveries


async def _keys(deliveries: Deliveries, about: str | None, since_us: int = 0) -> list[str]:
    keys: list[str] = []
    token: str | None = None
    while True:
        if about is None:
            page = await deliveries.notes(SHELF, since_us=since_us, token=token, limit=2)
        else:
            page = await deliveries.notes_about(SHELF, about, token=token, limit=2)
        keys += [note.key for note in page.notes]
        token = page.next_token
        if token is None:
            return keys


async def test_a_shelf_is_read_page_by_page() -> None:
    async with House() as house:
        deliveries = _with_notes(house)
        assert await _keys(deliveries, None) == ["k5", "k4", "k3", "k2", "k1", "k0"]
        assert await _keys(deliveries, None, since_us=8) == ["k2", "k1", "k0"]
        assert await _keys(deliveries, "odd") == ["k1", "k3", "k5"]
        assert await _keys(deliveries, "none") == []
        assert await deliveries.count_notes(SHELF) == 6
        assert await deliveries.count_notes_about(SHELF) == {"odd": 3, "even": 3}


@pytest.mark.parametrize("token", ["", "x", "1", "1.", ".1", "1.x", "-1.1", "9" * 30])
async def test_a_token_must_be_one_of_ours(token: str) -> None:
    async with House() as house:
        deliveries = house.component.deliveries
        with pytest.raises(CallerFault):
            await deliveries.notes(SHELF, token=token, limit=1)
        if token != "1":
            with pytest.raises(CallerFault):
                await deliveries.notes_about(SHELF, "odd", token=token, limit=1)


async def test_what_a_delivery_does_is_counted_as_what_other_doors_do() -> None:
    async with House() as house:
        for message_id, step in (
            ("m1", start("a")),
            ("m1", start("a")),
            ("m2", event("a", "e")),
            ("m3", start("a", OnExisting.REJECT)),
            ("m4", start("a", OnExisting.RECYCLE)),
            ("m5", event("none", "e", OnMissing.DEAD_LETTER)),
            ("m6", event("none", "e", OnMissing.DISCARD)),
            ("m7", terminate("a")),
            ("m8", None),
        ):
            await post(house, message_id, step)
        counted = [
            (report.positional[0], report.details["succeeded"])
            for report in house.recorder.of("operation")
        ]
        assert counted == [
            ("create_workflow", True),
            ("add_event", True),
            ("create_workflow", False),
            ("create_workflow", True),
            ("add_event", False),
        ]


@pytest.mark.parametrize("limit", [0, -1, PAGE_ROWS_MAX + 1])
async def test_a_page_has_a_size(limit: int) -> None:
    async with House() as house:
        deliveries = house.component.deliveries
        for reading in (
            deliveries.notes(SHELF, limit=limit),
            deliveries.notes_about(SHELF, "odd", limit=limit),
            deliveries.mailbox(None, limit=limit),
            deliveries.parked(None, limit=limit),
        ):
            with pytest.raises(CallerFault):
                await reading


async def test_the_shelves_of_the_engine_are_not_a_callers_to_change() -> None:
    async with House() as house:
        with pytest.raises(AssertionError):
            await house.component.deliveries.forget_notes(Shelf.RECEIPTS, 1)
