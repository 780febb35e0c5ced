"""What nodes that share a store are told of each other's commits."""

from typing import Any

import pytest

from perdure.core.notes import NoteAdd, NoteEnd, Shelf
from perdure.core.status import Status
from perdure.store.leases import News, Touched
from perdure.store.partitions import Partition
from perdure.store.port import (
    Entry,
    HandOut,
    LifecycleAdd,
    Message,
    TaskEnd,
    TimerAdd,
    TimerEnd,
    Verdict,
)
from tests.conformance.store.conftest import Cluster
from tests.conformance.store.making import RAISED, START, birth, head, key_of, task
from tests.conformance.store.sharing import TTL_US, Sharer, keys_told, place

HERE = place("a")


@pytest.fixture
def owner(cluster: Cluster) -> Sharer:
    """Whoever has the lease of HERE."""
    return Sharer("owner", cluster.open())


@pytest.fixture
def other(cluster: Cluster) -> Sharer:
    return Sharer("other", cluster.open())


def _born(sharer: Sharer, *listeners: Sharer, **fields: Any) -> int:
    (key,) = sharer.bear(birth("a", **fields))
    for each in listeners:
        each.hears()
    return key


def test_an_owner_is_told_of_what_another_puts_into_an_inbox(owner: Sharer, other: Sharer) -> None:
    key = _born(other, owner)
    owner.take(HERE)
    other.commit(key=key, inbox=(RAISED,))
    assert owner.hears() == News((Touched(HERE, (key,)),), ())


def test_a_commit_is_told_once(owner: Sharer, other: Sharer) -> None:
    key = _born(other, owner)
    other.store.commit([Entry(key=key, inbox=(RAISED,)) for _ in range(50)])
    other.bear(birth("marker"))
    assert owner.hears() == News((Touched(HERE, (key,)),), ())
    assert owner.hears().ids == ("marker",)


def test_nobody_hears_of_itself(owner: Sharer, other: Sharer) -> None:
    _born(other, owner)
    owner.bear(birth("marker"))
    assert other.hears().ids == ("marker",)
    assert owner.heard.empty()


def test_of_what_the_owner_does_itself_only_ids_are_told(owner: Sharer, other: Sharer) -> None:
    term = owner.take(HERE)
    key = _born(owner)
    assert other.hears() == News((), ("a",))
    owner.commit(key=key, term=term, inbox=(RAISED,))
    owner.commit(key=key, inbox=(RAISED,))
    (marked,) = owner.bear(birth("marker"))
    assert other.hears() == News((Touched(place("marker"), (marked,)),), ("marker",))


def test_who_had_a_lease_and_lost_it_tells_the_owner(
    cluster: Cluster, owner: Sharer, other: Sharer
) -> None:
    key = _born(other, owner)
    other.take(HERE)
    cluster.let_pass(TTL_US)
    owner.take(HERE)
    other.commit(key=key, inbox=(RAISED,))
    assert owner.hears() == News((Touched(HERE, (key,)),), ())


def test_a_birth_is_told_by_key_and_id(owner: Sharer, other: Sharer) -> None:
    key = _born(other)
    assert owner.hears() == News((Touched(HERE, (key,)),), ("a",))


def test_what_failed_is_not_told(owner: Sharer, other: Sharer) -> None:
    key = _born(other, owner)
    outcome = other.commit(key=key, expect_version=7, head=head(), messages=(Message("a", RAISED),))
    assert outcome.verdict is Verdict.STALE
    other.bear(birth("marker"))
    assert owner.hears().ids == ("marker",)


def test_a_message_is_told_to_the_owner_of_its_receiver(owner: Sharer, other: Sharer) -> None:
    key = _born(other, owner)
    (teller,) = other.bear(birth("teller"))
    owner.hears()
    other.take(place("teller"))
    other.commit(key=teller, messages=(Message("a", RAISED), Message("nobody", RAISED)))
    assert owner.hears() == News((Touched(HERE, (key,)),), ())


def test_the_asker_of_an_id_in_use_is_told(owner: Sharer, other: Sharer) -> None:
    key = _born(other, owner)
    other.bear(birth("used"))
    owner.hears()
    outcome = other.commit(key=key, births=(birth("used", if_taken=RAISED),))
    assert outcome.births[0].key is None
    assert keys_told(owner.hears()) == {HERE: (key,)}


@pytest.mark.parametrize(
    "fields",
    [
        {"suspended": True},
        {"held": False},
        {"expect_version": 1, "head": head(custom_status="x")},
        {"ended_tasks": (TaskEnd(1, 1, 5),)},
        {"timers": (TimerAdd(1, 2, 5),)},
        {"ended_timers": (TimerEnd(1, 1, must_exist=True),)},
        {"wipe_inbox": True},
        {"purge": True},
    ],
    ids=" ".join,
)
def test_an_owner_is_told_of_every_change(
    owner: Sharer, other: Sharer, fields: dict[str, Any]
) -> None:
    key = _born(other, owner, inbox=(START,), tasks=(task(1),), timers=(TimerAdd(1, 1, 9),))
    assert other.commit(key=key, **fields).verdict is Verdict.LANDED
    assert keys_told(owner.hears()) == {HERE: (key,)}


def test_a_note_of_a_hand_out_and_rows_nobody_wants_are_not_told(
    owner: Sharer, other: Sharer
) -> None:
    key = _born(other, owner, inbox=(RAISED,), tasks=(task(1),))
    other.commit(key=key, handed_out=(HandOut(1, 1, "w", 5),))
    other.commit(key=key, taken=(1,))
    other.bear(birth("marker"))
    assert owner.hears().ids == ("marker",)


# ---- activities of other apps


def test_whoever_runs_an_activity_is_told_of_it(owner: Sharer, other: Sharer) -> None:
    key = _born(other, owner)
    other.take(HERE)
    other.commit(key=key, tasks=(task(1, app_id="bank"), task(2)))
    assert keys_told(owner.hears()) == {place("a", "bank"): (key,)}


def test_a_birth_with_activities_is_told_to_those_who_run_them(
    owner: Sharer, other: Sharer
) -> None:
    key = _born(other, tasks=(task(1, app_id="bank"),))
    assert keys_told(owner.hears()) == {HERE: (key,), place("a", "bank"): (key,)}


@pytest.mark.parametrize(
    "fields",
    [{"suspended": True}, {"suspended": False}, {"wipe_tasks": True}, {"purge": True}],
    ids=" ".join,
)
def test_whoever_runs_activities_is_told_when_they_are_not_to_run(
    owner: Sharer, other: Sharer, fields: dict[str, Any]
) -> None:
    key = _born(other, owner, tasks=(task(1, app_id="bank"), task(2, app_id="gone")))
    other.commit(key=key, ended_tasks=(TaskEnd(1, 2, 5),))
    owner.hears()
    other.commit(key=key, **fields)
    assert keys_told(owner.hears()) == {HERE: (key,), place("a", "bank"): (key,)}


def test_an_instance_that_is_replaced_is_told_with_the_new_one(
    owner: Sharer, other: Sharer
) -> None:
    old = _born(other, owner, status=Status.COMPLETED, tasks=(task(1, app_id="bank"),))
    (outcome,) = other.store.commit([Entry(key=None, births=(birth("a", replaces=old),))])
    new = key_of(outcome.births[0])
    told = keys_told(owner.hears())
    assert {where: set(keys or ()) for where, keys in told.items()} == {
        HERE: {old, new},
        place("a", "bank"): {old},
    }


# ---- ids


def test_ids_of_lifecycle_rows_are_told(owner: Sharer, other: Sharer) -> None:
    other.take(HERE)
    key = _born(other, owner)
    rows = (LifecycleAdd("started", 1, "a", "order"), LifecycleAdd("completed", 1, "a", "order"))
    done = head(Status.COMPLETED)
    other.commit(key=key, expect_version=1, head=done, lifecycle=rows)
    assert owner.hears() == News((), ("a",))


def test_what_waits_for_an_id_is_told(owner: Sharer, other: Sharer) -> None:
    for shelf, about in ((Shelf.RECEIPTS, "x"), (Shelf.MAILBOX, "y"), (Shelf.PARKED, "z")):
        other.commit(key=None, notes=(NoteAdd(shelf=shelf, key="k", at_us=1, about=about),))
    assert [owner.hears(), owner.hears()] == [News(noted=("y",)), News(noted=("z",))]
    other.commit(key=None, ended_notes=(NoteEnd(Shelf.MAILBOX, "k"),))
    other.bear(birth("marker"))
    assert owner.hears().ids == ("marker",)


# ---- leases


def test_leases_that_are_free_are_told(owner: Sharer, other: Sharer) -> None:
    term = owner.take(HERE)
    owner.release(term)
    assert other.hears() == News(leases=True)
    owner.take(Partition("shop", 5))
    owner.store.leave("owner")
    assert other.hears() == News(leases=True)


def test_who_closed_its_store_hears_nothing_more(owner: Sharer, other: Sharer) -> None:
    owner.store.close()
    owner.store.close()
    other.bear(birth("a"))
    assert owner.heard.empty()


def test_a_birth_in_the_place_of_one_that_has_gone_is_told(owner: Sharer, other: Sharer) -> None:
    old = _born(other, owner, status=Status.COMPLETED)
    other.commit(key=old, purge=True)
    owner.hears()
    (outcome,) = other.store.commit([Entry(key=None, births=(birth("a", replaces=old),))])
    new = key_of(outcome.births[0])
    assert keys_told(owner.hears())[HERE] in {(new,), (new, old)}
