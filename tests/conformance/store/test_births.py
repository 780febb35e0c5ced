"""Births: when one happens, what it brings, and where a taken id is told."""

from perdure.core.status import Status
from perdure.store.port import (
    BORN_FIRST,
    FIRST_VERSION,
    BirthOutcome,
    Entry,
    HistoryAdd,
    HistoryRow,
    InboxAdd,
    InboxRow,
    LifecycleAdd,
    Store,
    TimerAdd,
    TimerRow,
    Verdict,
)
from tests.conformance.store.making import (
    RAISED,
    START,
    bear,
    birth,
    commit,
    finish,
    held_by,
    inbox_of,
    key_of,
    land,
    task,
)


def test_a_birth_brings_identity_head_and_rows(store: Store) -> None:
    born = birth(
        "a",
        Status.PENDING,
        version="2",
        born_at_us=11,
        scheduled_start_us=12,
        parent_id="p",
        parent_app_id="q",
        parent_generation=3,
        parent_task_id=4,
        tags=(("z", "1"), ("a", "2")),
        propagated=b"\x00p",
        created_at_us=13,
        custom_status="",
        patches=("one", "two"),
        version_name="v2",
        inbox=(START, RAISED),
        history=(HistoryAdd(12, b"h1"), HistoryAdd(15, b"h2")),
        tasks=(task(5, propagated=b"p"),),
        timers=(TimerAdd(0, -1, 77),),
        held=True,
    )
    outcome = land(store, key=None, births=(born,))
    key = key_of(outcome.births[0])
    assert outcome.births == (BirthOutcome(key, (1, 2)),)
    loaded = store.load("a")
    assert loaded is not None
    assert (loaded.snapshot.identity, loaded.snapshot.head) == (born.identity, born.head)
    assert (loaded.snapshot.key, loaded.snapshot.version) == (key, FIRST_VERSION)
    assert (loaded.snapshot.held, loaded.snapshot.suspended) == (True, False)
    assert (loaded.snapshot.status, loaded.snapshot.inbox_length) == (Status.PENDING, 2)
    assert loaded.history == (HistoryRow(1, 12, b"h1"), HistoryRow(2, 15, b"h2"))
    assert loaded.inbox == (InboxRow(1, START), InboxRow(2, RAISED))
    assert [row.add for row in store.tasks(0, 10)] == [task(5, propagated=b"p")]
    assert store.due_timers(77, 10) == (TimerRow(key, 0, -1, 77),)


def test_an_id_in_use_refuses_an_entry_that_is_only_births(store: Store) -> None:
    bear(store, "a", inbox=(START,))
    before = list(store.dump())
    outcome = commit(
        store,
        key=None,
        births=(birth("b", inbox=(START,)), birth("a", inbox=(START,))),
        lifecycle=(LifecycleAdd("created", 1, "a", "order"),),
    )
    assert outcome.verdict is Verdict.ID_TAKEN
    assert (outcome.births, outcome.inbox_seqs, outcome.messages) == ((), (), ())
    assert list(store.dump()) == before


def test_an_id_is_taken_even_by_a_finished_instance(store: Store) -> None:
    bear(store, "a", Status.COMPLETED)
    assert commit(store, key=None, births=(birth("a"),)).verdict is Verdict.ID_TAKEN


def test_two_births_of_one_id_in_one_entry_are_refused(store: Store) -> None:
    outcome = commit(store, key=None, births=(birth("a"), birth("a")))
    assert outcome.verdict is Verdict.ID_TAKEN
    assert held_by(store) == []


def test_of_two_entries_with_one_id_the_first_lands(store: Store) -> None:
    outcomes = store.commit([Entry(key=None, births=(birth("a"),))] * 2)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.LANDED, Verdict.ID_TAKEN]


def test_a_birth_replaces_the_finished_instance_that_it_names(store: Store) -> None:
    old = bear(
        store,
        "a",
        history=(HistoryAdd(12, b"old"),),
        inbox=(START,),
        tasks=(task(1),),
        timers=(TimerAdd(1, 2, 3),),
        tags=(("k", "old"),),
        propagated=b"old",
    )
    finish(store, old)
    new = bear(store, "a", replaces=old, tags=(("k", "new"),))
    assert new > old
    assert store.snapshot(old) is None
    found = store.snapshot("a")
    assert found is not None
    assert found.key == new
    assert {row[1] for row in held_by(store)} == {new}
    assert store.tasks_of(old) == ()


def test_a_birth_does_not_replace_an_unfinished_instance(store: Store) -> None:
    old = bear(store, "a")
    outcome = commit(store, key=None, births=(birth("a", replaces=old),))
    assert outcome.verdict is Verdict.ID_TAKEN
    assert store.snapshot(old) is not None


def test_a_birth_does_not_replace_another_life_of_its_id(store: Store) -> None:
    first = bear(store, "a", Status.COMPLETED)
    second = bear(store, "a", Status.FAILED, replaces=first)
    outcome = commit(store, key=None, births=(birth("a", replaces=first),))
    assert outcome.verdict is Verdict.ID_TAKEN
    assert store.snapshot(second) is not None


def test_a_birth_whose_predecessor_is_gone_happens(store: Store) -> None:
    old = bear(store, "a", Status.COMPLETED)
    land(store, key=old, purge=True)
    assert bear(store, "a", replaces=old) > old


def test_a_key_is_never_given_again(store: Store) -> None:
    old = bear(store, "a", Status.COMPLETED)
    land(store, key=old, purge=True)
    assert bear(store, "a") == old + 1


def test_with_a_key_a_taken_id_goes_where_if_taken_says(store: Store) -> None:
    bear(store, "taken")
    parent = bear(store, "parent")
    refused = InboxAdd(15, b"your child's id is taken")
    outcome = land(
        store,
        key=parent,
        births=(
            birth("taken", if_taken=refused, inbox=(START,)),
            birth("child", inbox=(START,)),
            birth("taken"),
        ),
        lifecycle=(
            LifecycleAdd("created", 5, "taken", "order"),
            LifecycleAdd("created", 6, "child", "order"),
            LifecycleAdd("told", 7, "parent", "order"),
        ),
    )
    child = store.snapshot("child")
    assert child is not None
    assert outcome.births == (
        BirthOutcome(None, (1,)),
        BirthOutcome(child.key, (2,)),
        BirthOutcome(None, ()),
    )
    assert inbox_of(store, parent) == [refused.event]
    told = [(row.key, row.add.at_us) for row in store.lifecycle(0, 10)]
    assert told == [(child.key, 6), (parent, 7)], "who was not born has no lifecycle"


def test_if_taken_is_dropped_by_an_instance_that_ends_with_it(store: Store) -> None:
    bear(store, "taken")
    parent = bear(store, "parent")
    outcome = land(
        store,
        key=parent,
        expect_version=1,
        head=birth("x", Status.FAILED).head,
        births=(birth("taken", if_taken=RAISED),),
    )
    assert outcome.births == (BirthOutcome(None, ()),)
    assert inbox_of(store, parent) == []


def test_later_births_of_an_entry_can_have_the_first_as_their_parent(store: Store) -> None:
    outcome = land(
        store,
        key=None,
        births=(
            birth("parent"),
            birth("child", parent_key=BORN_FIRST),
            birth("other", parent_key=BORN_FIRST),
        ),
    )
    parent, child, other = (key_of(each) for each in outcome.births)
    assert [found.key for found in store.children(parent)] == [child, other]


def test_an_instance_born_in_a_commit_is_there_for_the_next_entry(store: Store) -> None:
    first = Entry(key=None, births=(birth("a", inbox=(START,)),))
    (expected,) = (1,)  # the first key that a store gives
    second = Entry(
        key=expected,
        expect_version=FIRST_VERSION,
        head=birth("x", custom_status="on").head,
        taken=(1,),
        suspended=True,
        history=(HistoryAdd(12, b"h"),),
    )
    outcomes = store.commit([first, second])
    assert [outcome.verdict for outcome in outcomes] == [Verdict.LANDED] * 2
    found = store.snapshot("a")
    assert found is not None
    assert (found.version, found.head.custom_status) == (2, "on")
    assert (found.suspended, found.inbox_length) == (True, 0)
