"""Group commit: in order, together, and one broken entry takes no other down with it."""

import asyncio

import pytest

from perdure.base.errors import StoreFailed, StoreUnavailable
from perdure.core.events import ExecutionStarted
from perdure.engine.committer import Committer
from perdure.engine.rows import birth
from perdure.store.port import Entry, HandOut, Head, Verdict
from tests.kit.commits import handed_in
from tests.kit.recorder import Recorder
from tests.kit.shaky_store import ShakyStore


def born(instance_id: str) -> Entry:
    started = ExecutionStarted(at_us=1, name="wf", instance_id=instance_id, execution_id="e")
    return Entry(key=None, births=(birth(started, app_id="app", now_us=1),))


class Desk:
    """A committer on a store."""

    def __init__(self) -> None:
        self.store = ShakyStore()
        self.recorder = Recorder()
        self.committer = Committer(self.store, self.recorder)
        self.committer.start()

    async def land(self, *entries: Entry) -> list[object]:
        """Hand in entries while the writer is busy, and return how each fared."""
        self.store.hold_commits()
        first = handed_in(self.committer, born("first of all"))
        futures = [handed_in(self.committer, entry) for entry in entries]
        self.store.let_commits_go()
        _, *fared = await asyncio.gather(first, *futures, return_exceptions=True)
        return list(fared)


async def test_entries_land_together_in_their_order() -> None:
    desk = Desk()
    fared = await desk.land(born("a"), born("b"), born("a"))
    verdicts = [getattr(outcome, "verdict", outcome) for outcome in fared]
    assert verdicts == [Verdict.LANDED, Verdict.LANDED, Verdict.ID_TAKEN]
    assert [row[1] for row in desk.store.list_ids(0, 9)] == ["first of all", "a", "b"]
    assert desk.store.commits <= 2
    await desk.committer.stop()


async def test_one_broken_entry_takes_no_other_down() -> None:
    desk = Desk()
    broken = Entry(key=1, head=Head(phase=1), expect_version=1)
    fared = await desk.land(born("a"), broken, born("b"))
    assert isinstance(fared[1], AssertionError)
    assert [getattr(fared[n], "verdict", None) for n in (0, 2)] == [Verdict.LANDED] * 2
    await desk.committer.stop()


async def test_trouble_with_the_store_is_told_to_everybody_and_ends() -> None:
    desk = Desk()
    desk.store.fail_commits(1)
    fared = await desk.land(born("a"), born("b"))
    assert all(isinstance(each, StoreFailed) for each in fared)
    assert getattr(await handed_in(desk.committer, born("a")), "verdict", None) is Verdict.LANDED
    await desk.committer.stop()


async def test_what_was_handed_in_lands_before_the_end() -> None:
    desk = Desk()
    desk.store.hold_commits()
    futures = [handed_in(desk.committer, born(f"i{number}")) for number in range(20)]
    note = handed_in(desk.committer, Entry(key=9, handed_out=(HandOut(1, 1, "w", 1),)))
    desk.store.let_commits_go()
    await desk.committer.stop()
    outcomes = await asyncio.gather(*futures)
    assert all(outcome.verdict is Verdict.LANDED for outcome in outcomes)
    assert (await note).verdict is Verdict.LANDED
    with pytest.raises(StoreUnavailable, match="stopping"):
        handed_in(desk.committer, born("late"))


async def test_whoever_gave_up_waiting_does_not_hold_up_the_others() -> None:
    desk = Desk()
    desk.store.hold_commits()
    first, second = handed_in(desk.committer, born("a")), handed_in(desk.committer, born("b"))
    first.cancel()
    desk.store.let_commits_go()
    assert (await second).verdict is Verdict.LANDED
    await desk.committer.stop()
    assert len(desk.store.list_ids(0, 9)) == 2
