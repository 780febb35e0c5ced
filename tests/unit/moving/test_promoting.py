"""Promotions: everything arrives, whatever the moment at which one is cut off, or it is refused."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from perdure.base.errors import StoreFailed, StoreHalfFilled
from perdure.core.notes import NoteAdd, NoteEnd, Shelf
from perdure.core.status import Status
from perdure.moving import streams
from perdure.moving.mending import Mended
from perdure.moving.promoting import (
    Obstacle,
    Promoted,
    Refused,
    Stage,
    abandon,
    obstacle_to,
    promote,
)
from perdure.moving.promotions import refuse_half_filled, under_way
from perdure.store.leases import NodeReport
from perdure.store.memory import MemoryCluster, MemoryStore
from perdure.store.moving import Numbers, Shipment
from perdure.store.port import Entry, Outcome, Verdict
from tests.conformance.store.making import bear, birth, land
from tests.kit.wholes import fill


class Killed(Exception):
    """The process is gone."""


class Mortal(MemoryStore):
    """A target whose process is killed after so many writes, before or after one has landed."""

    def __init__(self) -> None:
        super().__init__()
        self.writes_left = 1_000
        self.lands = True

    def commit(self, entries: Sequence[Entry]) -> list[Outcome]:
        self._live()
        outcomes = super().commit(entries)
        self._die()
        return outcomes

    def reserve(self, wanted: Numbers) -> Numbers:
        self._live()
        before = super().reserve(wanted)
        self._die()
        return before

    def receive(self, shipment: Shipment) -> tuple[str, ...]:
        self._live()
        taken = super().receive(shipment)
        self._die()
        return taken

    def _live(self) -> None:
        self.writes_left -= 1
        if self.writes_left == 0 and not self.lands:
            raise Killed

    def _die(self) -> None:
        if self.writes_left == 0:
            raise Killed


@pytest.fixture
def source() -> MemoryStore:
    made = MemoryStore()
    fill(made)
    for at in range(7):
        bear(made, f"more-{at}", inbox=birth("x").inbox)
    return made


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is read and written in pieces of two rows, so that there are many of them."""
    monkeypatch.setattr(streams, "BATCH_INSTANCES_MAX", 2)
    monkeypatch.setattr(streams, "BATCH_ROWS_MAX", 2)


def run(source: MemoryStore, target: MemoryStore, **options: Any) -> Refused | Promoted:
    known: dict[str, Any] = {"name": "wf.db", "now_us": lambda: 77, "beside": False}
    known["tell"] = lambda *_: None
    return promote(source, target, **(known | options))


def held_by(store: MemoryStore) -> list[tuple[object, ...]]:
    """Everything but what tells of promotions, and the counters."""
    rows = [row for row in store.dump() if row[0] != "counters"]
    return [row for row in rows if row[2:3] not in {(Shelf.PROMOTING,), (Shelf.PROMOTED,)}]


def test_everything_arrives_as_it_was(source: MemoryStore) -> None:
    target = MemoryStore()
    before = list(source.dump())
    done = run(source, target)
    assert isinstance(done, Promoted)
    assert done.mended == Mended(put_in=11)
    rows = {table: total.rows for table, total in done.totals.items()}
    assert rows == {
        "instances": 11,
        "history": 5,
        "inbox": 5,
        "tasks": 2,
        "ended_tasks": 1,
        "timers": 3,
        "lifecycle": 3,
        "notes": 3,
    }
    # The two notes that were written first have the first numbers, and nothing else has moved.
    assert held_by(target) == [
        (row[0], row[1] + 2, *row[2:]) if row[0] == "note" else row  # type: ignore[operator]  # rows of the store are tuples of anything
        for row in held_by(source)
    ]
    assert target.counts() == source.counts()
    assert list(source.dump()) == before
    assert under_way(target) is None
    refuse_half_filled(target)


@pytest.mark.parametrize("lands", [False, True])
def test_whoever_is_killed_anywhere_goes_on(source: MemoryStore, lands: bool) -> None:
    whole = MemoryStore()
    run(source, whole)
    for writes in count(1):
        target = Mortal()
        target.writes_left, target.lands = writes, lands
        try:
            run(source, target)
        except Killed:
            target.writes_left = 1_000
        else:
            break
        if under_way(target) is None:
            # It had not begun, or was done.
            assert held_by(target) in ([], held_by(whole))
            continue
        with pytest.raises(StoreHalfFilled, match=r"wf\.db is being promoted"):
            refuse_half_filled(target)
        done = run(source, target)
        assert isinstance(done, Promoted)
        assert done.mended.same + done.mended.put_in == 11
        assert without_numbers_of_notes(target) == without_numbers_of_notes(whole)
    assert writes > 12, "it was killed in many places"


def without_numbers_of_notes(store: MemoryStore) -> list[tuple[object, ...]]:
    return [(row[0], 0, *row[2:]) if row[0] == "note" else row for row in held_by(store)]


def test_whoever_is_killed_again_and_again_arrives(source: MemoryStore) -> None:
    target = Mortal()
    for _ in range(100):
        target.writes_left = 3
        try:
            done = run(source, target)
        except Killed:
            continue
        assert isinstance(done, Promoted)
        assert done.mended.put_in <= 2
        break
    else:
        raise AssertionError("it never arrived")
    assert target.counts() == source.counts()


def killed_after(source: MemoryStore, writes: int) -> Mortal:
    target = Mortal()
    target.writes_left = writes
    with pytest.raises(Killed):
        run(source, target)
    target.writes_left = 1_000
    return target


@pytest.mark.parametrize("writes", range(1, 13))
def test_a_source_that_has_changed_since_is_followed(source: MemoryStore, writes: int) -> None:
    target = killed_after(source, writes)
    full = source.snapshot("full")
    assert full is not None
    land(source, key=full.key, expect_version=full.version, head=replace(full.head, stalled="new"))
    land(source, key=4, purge=True)
    land(source, key=None, ended_notes=(NoteEnd("mailbox", "mailbox 1"),))
    for born in range(writes % 3):  # sometimes more than there are numbers for
        bear(source, f"late-{born}", inbox=birth("x").inbox)
    done = run(source, target)
    assert isinstance(done, Promoted)
    assert sorted(source.counts().items()) == sorted(target.counts().items())
    for _, instance_id in source.list_ids(0, 99):
        mine, theirs = source.load(instance_id), target.load(instance_id)
        assert mine is not None
        assert theirs is not None
        assert (mine.history, mine.snapshot.head) == (theirs.history, theirs.snapshot.head)
    notes = [(note.shelf, note.key) for note in target.notes_by_row(0, 99)]
    assert [note for note in notes if note[0] != Shelf.PROMOTED] == [
        (note.shelf, note.key) for note in source.notes_by_row(0, 99)
    ]


def test_a_target_that_holds_others_is_refused_unless_told(source: MemoryStore) -> None:
    target = MemoryStore()
    bear(target, "other")
    before = list(target.dump())
    assert run(source, target) == Refused(Obstacle.HOLDS_OTHERS, ("other",))
    assert list(target.dump()) == before
    done = run(source, target, beside=True)
    assert isinstance(done, Promoted)
    assert target.counts()[Status.RUNNING] == source.counts()[Status.RUNNING] + 1
    full, child = target.snapshot("full"), target.snapshot("child")
    assert full is not None
    assert child is not None
    assert child.identity.parent_key == full.key == 3


def test_ids_and_notes_of_others_stand_in_the_way(source: MemoryStore) -> None:
    target = MemoryStore()
    bear(target, "more-6")
    bear(target, "child", Status.COMPLETED)
    assert run(source, target, beside=True) == Refused(Obstacle.IDS_TAKEN, ("child", "more-6"))
    noted = MemoryStore()
    note = NoteAdd(shelf="receipts", key="receipts 1", at_us=1)
    land(noted, key=None, notes=(note,))
    told = ("receipts: receipts 1",)
    assert run(source, noted, beside=True) == Refused(Obstacle.NOTES_TAKEN, told)
    assert under_way(noted) is None


def test_a_second_source_waits_for_the_first(source: MemoryStore) -> None:
    target = killed_after(source, 5)
    assert run(source, target, name="b.db") == Refused(Obstacle.ANOTHER, ("wf.db",))
    assert isinstance(run(source, target), Promoted)


def test_after_it_is_done_the_same_is_refused(source: MemoryStore) -> None:
    """What has gone on in the target since is not set back."""
    target = MemoryStore()
    run(source, target)
    refused = run(source, target)
    assert isinstance(refused, Refused)
    assert refused.obstacle is Obstacle.HOLDS_OTHERS
    refused = run(source, target, beside=True)
    assert isinstance(refused, Refused)
    assert refused.obstacle is Obstacle.IDS_TAKEN


@pytest.mark.parametrize("writes", [1, 2, 3, 6, 9])
def test_what_was_begun_can_be_abandoned(source: MemoryStore, writes: int) -> None:
    target = Mortal()
    bear(target, "other")
    before = [row for row in held_by(target) if row[0] != "lifecycle"]
    target.writes_left = writes
    with pytest.raises(Killed):
        run(source, target, beside=True)
    target.writes_left = 1_000
    mended = abandon(target)
    assert mended is not None
    assert mended.put_in == 0
    assert [row for row in held_by(target) if row[0] != "lifecycle"] == before
    assert abandon(target) is None


def test_nodes_that_are_there_are_told(source: MemoryStore) -> None:
    cluster = MemoryCluster(lambda: 0)
    target = cluster.open()
    target.stand(NodeReport(node="n", name="berlin", apps=(), held=(), ttl_us=5))
    assert run(source, target) == Refused(Obstacle.IN_USE, ("berlin",))
    target.leave("n")
    assert isinstance(run(source, target), Promoted)


def test_a_node_that_comes_at_the_same_moment_is_told(source: MemoryStore) -> None:
    """It has looked for the note before it was there, and stands up after we have looked for it."""
    cluster = MemoryCluster(lambda: 0)
    target, node = cluster.open(), cluster.open()
    report = NodeReport(node="n", name="berlin", apps=(), held=(), ttl_us=5)

    def clock() -> Iterator[int]:
        node.stand(report)
        yield 77

    clocks = clock()
    refused = run(source, target, now_us=lambda: next(clocks))
    assert refused == Refused(Obstacle.IN_USE, ("berlin",))
    assert under_way(target) is None
    assert target.list_ids(0, 1) == ()


def test_what_stands_in_the_way_can_be_asked_for(source: MemoryStore) -> None:
    target = MemoryStore()
    before = list(target.dump())
    assert obstacle_to(source, target, "wf.db", beside=False) is None
    assert list(target.dump()) == before


def test_a_source_that_is_half_filled_itself_is_refused(source: MemoryStore) -> None:
    half = killed_after(source, 5)
    with pytest.raises(StoreHalfFilled):
        run(half, MemoryStore())


def test_progress_is_told(source: MemoryStore) -> None:
    told: list[tuple[Stage, int, int]] = []
    run(source, MemoryStore(), tell=lambda *what: told.append(what))
    assert told == [(stage, done, 11) for stage in Stage for done in range(12)]


class Forgetful(MemoryStore):
    """A target that keeps nothing of what is in inboxes."""

    def receive(self, shipment: Shipment) -> tuple[str, ...]:
        bare = tuple(replace(whole, inbox=()) for whole in shipment.instances)
        return super().receive(replace(shipment, instances=bare))


class Altering(MemoryStore):
    """A target that changes a byte of a note."""

    def receive(self, shipment: Shipment) -> tuple[str, ...]:
        notes = tuple(replace(note, body=b"\x01") for note in shipment.notes)
        return super().receive(replace(shipment, notes=notes))


@pytest.mark.parametrize(("kind", "table"), [(Forgetful, "inbox"), (Altering, "notes")])
def test_what_does_not_arrive_is_seen(
    source: MemoryStore, kind: type[MemoryStore], table: str
) -> None:
    target = kind()
    with pytest.raises(StoreFailed, match=f"what is there, in: {table}"):
        run(source, target)
    assert under_way(target) is not None, "no server starts on it"


def test_what_arrives_lives(source: MemoryStore) -> None:
    target = MemoryStore()
    run(source, target)
    full = target.snapshot("full")
    assert full is not None
    (outcome,) = target.commit([Entry(key=full.key, expect_version=full.version, head=full.head)])
    assert outcome.verdict is Verdict.LANDED
    born = bear(target, "next")
    assert born > source.numbers().key
