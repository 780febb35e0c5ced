"""Notes: kept beside the instances, named by shelf and key, landing with what they belong to."""

from dataclasses import replace
from typing import Any

import pytest

from perdure.core.status import Status
from perdure.store.port import (
    Entry,
    Head,
    LifecycleAdd,
    NoteAdd,
    NoteEnd,
    NoteRow,
    NoteRule,
    Outcome,
    Require,
    Store,
    TaskEnd,
    Verdict,
)
from tests.conformance.store.making import RAISED, bear, birth, commit, head, inbox_of, land

GONE = 99


def note(key: str, at_us: int = 1, **fields: Any) -> NoteAdd:
    known: dict[str, Any] = {"shelf": "s", "key": key, "at_us": at_us}
    return NoteAdd(**(known | fields))


def end(key: str, *, must_exist: bool = True) -> NoteEnd:
    return NoteEnd("s", key, must_exist=must_exist)


def keys_of(store: Store, shelf: str = "s") -> list[str]:
    """The keys of a shelf, oldest first."""
    return [row.key for row in store.notes(shelf, (0, 0), 100)]


def test_a_note_is_kept_as_it_was_written(store: Store) -> None:
    land(store, key=None, notes=(note("k", 7, body=b"\x00\xff", about="é"),))
    written = NoteRow(row=1, shelf="s", key="k", at_us=7, body=b"\x00\xff", about="é")
    assert store.note("s", "k") == written
    assert store.note("s", "other") is None
    assert store.note("other", "k") is None


def test_a_note_lands_with_the_birth_that_it_is_for(store: Store) -> None:
    outcome = land(store, key=None, births=(birth("a"),), notes=(note("receipt"),))
    assert outcome.births[0].key == 1
    assert keys_of(store) == ["receipt"]


def test_a_name_in_use_makes_an_entry_noted_and_changes_nothing(store: Store) -> None:
    key = bear(store, "a")
    land(store, key=None, notes=(note("k", body=b"first"),))
    before = list(store.dump())
    for fields in (
        {"key": None, "births": (birth("b"),)},
        {"key": None, "births": (birth("a"),)},
        {"key": key, "inbox": (RAISED,), "ended_notes": (end("k"),)},
        {"key": key, "expect_version": 7, "head": head()},
        {"key": key, "ended_tasks": (TaskEnd(1, 9, 1),)},
        {"key": GONE, "require": Require.UNFINISHED},
    ):
        outcome = commit(store, **fields, notes=(note("other"), note("k", body=b"second")))
        assert outcome == Outcome(Verdict.NOTED), "it is told before anything else"
    assert list(store.dump()) == before


def test_a_note_that_must_be_there_and_is_not_makes_an_entry_ended(store: Store) -> None:
    key = bear(store, "a")
    before = list(store.dump())
    gone = (end("gone"),)
    assert commit(store, key=key, inbox=(RAISED,), ended_notes=gone) == Outcome(Verdict.ENDED)
    assert commit(store, key=None, births=(birth("b"),), ended_notes=gone) == Outcome(Verdict.ENDED)
    assert commit(store, key=None, births=(birth("a"),), ended_notes=gone) == Outcome(Verdict.ENDED)
    stale = commit(store, key=key, expect_version=7, head=head(), ended_notes=gone)
    assert stale == Outcome(Verdict.STALE)
    assert list(store.dump()) == before
    land(store, key=key, inbox=(RAISED,), ended_notes=(end("gone", must_exist=False),))


def test_a_note_stays_when_its_birth_cannot_be(store: Store) -> None:
    bear(store, "a")
    land(store, key=None, notes=(note("parked"),))
    taken = commit(store, key=None, births=(birth("a"),), ended_notes=(end("parked"),))
    assert taken == Outcome(Verdict.ID_TAKEN)
    assert keys_of(store) == ["parked"]


def test_a_kept_event_is_delivered_once(store: Store) -> None:
    key = bear(store, "a")
    land(store, key=None, notes=(note("kept"),))
    delivery = Entry(key=key, inbox=(RAISED,), ended_notes=(end("kept"),))
    outcomes = store.commit([delivery, delivery])
    assert [outcome.verdict for outcome in outcomes] == [Verdict.LANDED, Verdict.ENDED]
    assert inbox_of(store, key) == [RAISED.event]
    assert keys_of(store) == []


def test_replacing_is_another_note(store: Store) -> None:
    first = note("position", 9, body=b"1", about="x", rule=NoteRule.REPLACE)
    land(store, key=None, notes=(first,))
    land(store, key=None, notes=(replace(first, at_us=3, body=b"2", about=None),))
    assert store.notes("s", (0, 0), 9) == (
        NoteRow(row=2, shelf="s", key="position", at_us=3, body=b"2", about=None),
    )
    assert store.notes_about("s", "x", 0, 9) == ()


def test_what_an_entry_ends_goes_before_what_it_adds(store: Store) -> None:
    land(store, key=None, notes=(note("k", body=b"1"),))
    again = note("k", body=b"2", rule=NoteRule.REPLACE)
    land(store, key=None, notes=(again,), ended_notes=(end("k"),))
    found = store.note("s", "k")
    assert found is not None
    assert found.body == b"2"


def test_entries_of_one_commit_see_each_others_notes(store: Store) -> None:
    add, remove = Entry(key=None, notes=(note("k"),)), Entry(key=None, ended_notes=(end("k"),))
    outcomes = store.commit([remove, add, add, remove, add])
    assert [outcome.verdict for outcome in outcomes] == [
        Verdict.ENDED,
        Verdict.LANDED,
        Verdict.NOTED,
        Verdict.LANDED,
        Verdict.LANDED,
    ]
    found = store.note("s", "k")
    assert found is not None
    assert found.row == 2, "a number is given once"


def test_a_shelf_is_read_by_moment_page_by_page(store: Store) -> None:
    moments = {"a": 5, "b": 3, "c": 5, "d": 3, "e": 9}
    for key, at_us in moments.items():
        land(store, key=None, notes=(note(key, at_us), note(key, at_us, shelf="other")))
    read: list[str] = []
    place = (0, 0)
    while page := store.notes("s", place, 2):
        read += [row.key for row in page]
        place = (page[-1].at_us, page[-1].row)
    assert read == ["b", "d", "a", "c", "e"]
    assert store.notes("none", (0, 0), 9) == ()
    assert store.notes_before("s", 5, 9) == (("b", None), ("d", None))
    assert store.notes_before("s", 9, 3) == (("b", None), ("d", None), ("a", None))
    assert store.oldest_note_us("s") == 3
    assert store.oldest_note_us("none") is None
    assert store.note_count("s") == 5
    assert store.note_count("none") == 0


def test_what_is_about_one_thing_is_read_in_the_order_of_writing(store: Store) -> None:
    for key, about in (("a", "x"), ("b", "y"), ("c", "x"), ("d", None), ("e", "x")):
        land(store, key=None, notes=(note(key, 10 - ord(key) % 7, about=about),))
    first = store.notes_about("s", "x", 0, 2)
    assert [row.key for row in first] == ["a", "c"]
    assert [row.key for row in store.notes_about("s", "x", first[-1].row, 2)] == ["e"]
    assert store.note_counts("s") == {"x": 3, "y": 1}
    assert store.note_counts("none") == {}


def test_a_note_outlives_every_instance(store: Store) -> None:
    key = bear(store, "a", Status.COMPLETED)
    land(store, key=None, notes=(note("k"),))
    land(store, key=key, purge=True)
    assert keys_of(store) == ["k"]


def test_an_instance_is_overwritten_in_one_entry(store: Store) -> None:
    """It is ended by its own head, replaced by a birth, and its children are told."""
    old = bear(store, "a", inbox=(RAISED,))
    child = bear(store, "child", parent_key=old)
    ended: Head = head(Status.TERMINATED, completed_at_us=5)
    outcome = land(
        store,
        key=old,
        expect_version=1,
        head=ended,
        births=(birth("a", replaces=old),),
        epitaph=(LifecycleAdd("purged", 5, "a", "order"),),
        lifecycle=(LifecycleAdd("created", 5, "a", "order"),),
        notes=(note("receipt"),),
    )
    new = outcome.births[0].key
    assert new is not None
    assert new > child
    assert store.snapshot(old) is None
    born = store.snapshot("a")
    assert born is not None
    assert (born.key, born.version, born.inbox_length) == (new, 1, 0)
    assert [(row.key, row.add.kind) for row in store.lifecycle(0, 9)] == [
        (old, "purged"),
        (new, "created"),
    ]
    assert keys_of(store) == ["receipt"]


@pytest.mark.parametrize(
    "fields",
    [
        {"notes": (note("k"), note("k", 2))},
        {"ended_notes": (end("k"), end("k", must_exist=False))},
        {"epitaph": (LifecycleAdd("purged", 1, "a", "order"),)},
    ],
    ids=["a note added twice", "a note ended twice", "an epitaph of nobody"],
)
def test_what_makes_no_sense_does_not_get_in(store: Store, fields: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        commit(store, key=None, **fields)
    assert keys_of(store) == []
