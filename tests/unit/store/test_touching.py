"""What an entry has touched, as a table."""

import pytest

from perdure.core.notes import NoteAdd, Shelf
from perdure.store.port import (
    BirthOutcome,
    Entry,
    HandOut,
    LifecycleAdd,
    Message,
    Outcome,
    TimerEnd,
    Verdict,
)
from perdure.store.touching import noted_ids, told_ids, touched_keys, touches_all_activities
from tests.conformance.store.making import RAISED, birth, head, task

LANDED = Outcome(Verdict.LANDED)


@pytest.mark.parametrize(
    ("entry", "touches"),
    [
        (Entry(key=7), False),
        (Entry(key=7, handed_out=(HandOut(1, 1, "w", 5),)), False),
        (Entry(key=7, taken=(1,)), False),
        (Entry(key=7, inbox=(RAISED,)), True),
        (Entry(key=7, expect_version=1, head=head()), True),
        (Entry(key=7, ended_timers=(TimerEnd(1, 1, must_exist=False),)), True),
        (Entry(key=7, tasks=(task(1),)), True),
        (Entry(key=7, held=False), True),
        (Entry(key=7, purge=True), True),
    ],
)
def test_its_own_instance(entry: Entry, touches: bool) -> None:
    assert list(touched_keys(entry, LANDED)) == ([7] if touches else [])


def test_whoever_it_reaches() -> None:
    entry = Entry(
        key=7,
        births=(birth("a"), birth("b", replaces=3), birth("c", if_taken=RAISED), birth("d")),
        messages=(Message("x", RAISED), Message(5, RAISED)),
    )
    births = (BirthOutcome(20), BirthOutcome(21), BirthOutcome(None, (1,)), BirthOutcome(None))
    outcome = Outcome(Verdict.LANDED, births=births, messages=(None, (5, 2)))
    assert list(touched_keys(entry, outcome)) == [20, 21, 3, 7, 5]


def test_whose_activities_are_not_to_run() -> None:
    assert touches_all_activities(Entry(key=7, suspended=False))
    assert touches_all_activities(Entry(key=7, wipe_tasks=True))
    assert touches_all_activities(Entry(key=7, purge=True))
    assert not touches_all_activities(Entry(key=7, tasks=(task(1),), wipe_timers=True))


def test_ids() -> None:
    entry = Entry(
        key=7,
        births=(birth("born"), birth("taken")),
        epitaph=(LifecycleAdd("purged", 1, "gone", "order"),),
        lifecycle=(LifecycleAdd("started", 1, "begun", "order"),),
        notes=(
            NoteAdd(shelf=Shelf.MAILBOX, key="1", at_us=1, about="awaited"),
            NoteAdd(shelf=Shelf.RECEIPTS, key="2", at_us=1, about="received"),
        ),
    )
    outcome = Outcome(Verdict.LANDED, births=(BirthOutcome(20), BirthOutcome(None)))
    assert list(told_ids(entry, outcome)) == ["born", "gone", "begun"]
    assert list(noted_ids(entry)) == ["awaited"]
