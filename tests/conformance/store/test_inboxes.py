"""Inboxes: their order, what leaves them, what is dropped, and messages to other instances."""

from perdure.core.status import Status
from perdure.store.port import Entry, InboxAdd, InboxRow, Message, Require, Store
from tests.conformance.store.making import (
    RAISED,
    START,
    bear,
    birth,
    finish,
    head,
    inbox_of,
    land,
)


def test_an_inbox_is_read_by_rank_and_then_by_number(store: Store) -> None:
    key = bear(store, "a")
    adds = (
        InboxAdd(15, b"second", generation=4),
        InboxAdd(3, b"first", rank=0),
        InboxAdd(15, b"third"),
    )
    outcome = land(store, key=key, inbox=adds)
    assert outcome.inbox_seqs == (1, 2, 3)
    loaded = store.load(key)
    assert loaded is not None
    assert loaded.inbox == (InboxRow(2, adds[1]), InboxRow(1, adds[0]), InboxRow(3, adds[2]))


def test_numbers_grow_across_instances_and_are_never_given_again(store: Store) -> None:
    one, other = bear(store, "a"), bear(store, "b")
    assert land(store, key=one, inbox=(RAISED,)).inbox_seqs == (1,)
    assert land(store, key=other, inbox=(RAISED,)).inbox_seqs == (2,)
    land(store, key=other, taken=(2,))
    assert land(store, key=one, inbox=(RAISED,)).inbox_seqs == (3,)


def test_taken_rows_leave_and_others_stay(store: Store) -> None:
    key = bear(store, "a", inbox=(START, RAISED, RAISED))
    land(store, key=key, taken=(1, 3))
    loaded = store.load(key)
    assert loaded is not None
    assert [row.seq for row in loaded.inbox] == [2]


def test_a_row_that_is_yet_to_come_cannot_be_taken(store: Store) -> None:
    key = bear(store, "a")
    store.commit([Entry(key=key, taken=(1,)), Entry(key=key, inbox=(RAISED,))])
    assert inbox_of(store, key) == [RAISED.event]


def test_a_row_of_another_inbox_cannot_be_taken(store: Store) -> None:
    one = bear(store, "a", inbox=(START,))
    land(store, key=bear(store, "b"), taken=(1, 77))
    assert inbox_of(store, one) == [START.event]


def test_an_inbox_is_wiped_before_the_entry_adds_to_it(store: Store) -> None:
    key = bear(store, "a", inbox=(START, RAISED))
    kept = InboxAdd(15, b"carried over", rank=0)
    land(store, key=key, wipe_inbox=True, taken=(1,), inbox=(kept,))
    assert inbox_of(store, key) == [kept.event]


def test_what_comes_after_a_wipe_in_one_commit_stays(store: Store) -> None:
    key = bear(store, "a", inbox=(START,))
    store.commit(
        [
            Entry(key=key, inbox=(RAISED,)),
            Entry(key=key, wipe_inbox=True),
            Entry(key=key, inbox=(InboxAdd(15, b"later"),)),
        ]
    )
    assert inbox_of(store, key) == [b"later"]


def test_a_finished_instance_takes_nothing(store: Store) -> None:
    key = bear(store, "a", Status.TERMINATED)
    assert land(store, key=key, inbox=(RAISED, RAISED)).inbox_seqs == (None, None)
    assert inbox_of(store, key) == []


def test_an_instance_that_the_entry_finishes_takes_nothing_any_more(store: Store) -> None:
    key = bear(store, "a")
    outcome = land(
        store,
        key=key,
        expect_version=1,
        head=head(Status.COMPLETED),
        inbox=(RAISED,),
        messages=(Message(key, RAISED), Message("a", RAISED)),
    )
    assert outcome.inbox_seqs == (None,)
    assert outcome.messages == (None, None)


def test_a_suspended_held_or_stalled_instance_takes_events(store: Store) -> None:
    key = bear(store, "a", held=True, stalled="patch")
    land(store, key=key, suspended=True)
    assert land(store, key=key, require=Require.UNFINISHED, inbox=(RAISED,)).inbox_seqs == (1,)


def test_a_message_by_key_or_id_reaches_its_inbox(store: Store) -> None:
    sender, receiver = bear(store, "sender"), bear(store, "receiver")
    outcome = land(
        store,
        key=sender,
        messages=(
            Message(receiver, InboxAdd(15, b"by key")),
            Message("receiver", InboxAdd(15, b"by id", generation=2, rank=0)),
            Message(sender, InboxAdd(15, b"to oneself")),
        ),
    )
    assert outcome.messages == ((receiver, 1), (receiver, 2), (sender, 3))
    assert inbox_of(store, receiver) == [b"by id", b"by key"]
    assert inbox_of(store, sender) == [b"to oneself"]


def test_a_message_to_the_missing_or_finished_is_dropped(store: Store) -> None:
    ended = bear(store, "ended", Status.FAILED)
    to = (ended, "ended", 99, "nobody")
    outcome = land(store, key=None, messages=tuple(Message(each, RAISED) for each in to))
    assert outcome.messages == (None,) * 4


def test_a_message_by_key_does_not_reach_a_later_life_of_its_id(store: Store) -> None:
    first = bear(store, "a")
    finish(store, first)
    second = bear(store, "a", replaces=first)
    outcome = land(store, key=None, messages=(Message(first, RAISED), Message("a", RAISED)))
    assert outcome.messages == (None, (second, 1))


def test_a_message_reaches_who_is_born_in_the_same_entry(store: Store) -> None:
    outcome = land(
        store,
        key=None,
        births=(birth("a", inbox=(START,)),),
        messages=(Message("a", RAISED),),
    )
    assert outcome.messages == ((outcome.births[0].key, 2),)
    assert inbox_of(store, "a") == [START.event, RAISED.event]


def test_a_message_by_id_means_who_bears_it_at_that_moment(store: Store) -> None:
    old = bear(store, "a", Status.COMPLETED)
    outcomes = store.commit(
        [
            Entry(key=None, messages=(Message("a", RAISED),)),
            Entry(key=old, purge=True),
            Entry(key=None, messages=(Message("a", RAISED),)),
            Entry(key=None, births=(birth("a"),)),
            Entry(key=None, messages=(Message("a", RAISED),)),
        ]
    )
    told = [outcome.messages for outcome in outcomes]
    assert told == [(None,), (), (None,), (), ((old + 1, 1),)]


def test_events_are_opaque_bytes(store: Store) -> None:
    key = bear(store, "a")
    events = (b"", b"\x00", bytes(range(256)), b"x" * 100_000)
    land(store, key=key, inbox=tuple(InboxAdd(15, event) for event in events))
    assert tuple(inbox_of(store, key)) == events
