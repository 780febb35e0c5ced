"""Leases: who gets them, how long they last, and that nobody writes under one that is over."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from perdure.core.notes import NoteAdd, Shelf
from perdure.core.status import Status
from perdure.store.leases import Lease, Member, Term
from perdure.store.partitions import HOUSEKEEPING, PARTITIONS, Partition
from perdure.store.port import Entry, HistoryAdd, Require, Verdict
from tests.conformance.store.conftest import Cluster
from tests.conformance.store.making import RAISED, START, birth, head
from tests.conformance.store.sharing import TTL_US, Sharer, birth_within, partitions_of, place

ONE, OTHER = Partition("shop", 1), Partition("shop", 2)


@pytest.fixture
def ann(cluster: Cluster) -> Sharer:
    return Sharer("ann", cluster.open())


@pytest.fixture
def ben(cluster: Cluster) -> Sharer:
    return Sharer("ben", cluster.open())


def test_a_store_says_how_many_partitions_it_has(ann: Sharer, ben: Sharer) -> None:
    assert ann.store.partitions == ben.store.partitions == PARTITIONS


def test_a_free_lease_goes_to_whoever_claims_it_first(ann: Sharer, ben: Sharer) -> None:
    assert ann.claim(ONE, HOUSEKEEPING) == (Term(HOUSEKEEPING, 1), Term(ONE, 1))
    assert ben.claim(ONE, OTHER) == (Term(OTHER, 1),)
    assert ben.claim(HOUSEKEEPING) == ()


def test_everybody_sees_who_is_there_and_who_has_what(ann: Sharer, ben: Sharer) -> None:
    term = ann.take(ONE)
    ann.stand(term, apps=("shop", "store"))
    standing = ben.stand(apps=())
    assert standing.members == (
        Member("ann", "machine of ann", ("shop", "store")),
        Member("ben", "machine of ben", ()),
    )
    (lease,) = standing.leases
    assert lease == Lease(term, "ann", lease.expires_at_us)
    assert lease.expires_at_us > standing.now_us


def test_a_lease_lasts_for_as_long_as_it_is_renewed(
    cluster: Cluster, ann: Sharer, ben: Sharer
) -> None:
    term = ann.take(ONE)
    for _ in range(3):
        cluster.let_pass(TTL_US * 2 // 3)
        assert ann.stand(term).renewed == (term,)
        assert ben.claim(ONE) == ()
    cluster.let_pass(TTL_US)
    assert ben.claim(ONE) == (Term(ONE, 2),)


def test_a_lease_that_was_taken_over_cannot_be_renewed(
    cluster: Cluster, ann: Sharer, ben: Sharer
) -> None:
    old = ann.take(ONE)
    kept = ann.take(OTHER)
    cluster.let_pass(TTL_US)
    new = ben.take(ONE)
    standing = ann.stand(old, kept)
    assert standing.renewed == (kept,)
    assert [(lease.term, lease.node) for lease in standing.leases] == [(new, "ben"), (kept, "ann")]
    assert ann.claim(ONE) == (), "nor does the vain renewal make it free"


def test_a_lease_that_ran_out_is_its_holders_until_somebody_takes_it(
    cluster: Cluster, ann: Sharer, ben: Sharer
) -> None:
    term = ann.take(ONE)
    cluster.let_pass(TTL_US * 10)
    assert ann.commit(key=None, term=term).verdict is Verdict.LANDED
    assert ann.stand(term).renewed == (term,)
    assert ben.claim(ONE) == ()


def test_who_claims_what_it_has_gets_a_new_term(ann: Sharer) -> None:
    old = ann.take(ONE)
    new = ann.take(ONE)
    assert new.number > old.number
    assert ann.commit(key=None, term=old).verdict is Verdict.FENCED
    assert ann.commit(key=None, term=new).verdict is Verdict.LANDED
    assert ann.stand(old, new).renewed == (new,)


def test_what_is_given_back_is_free_at_once(ann: Sharer, ben: Sharer) -> None:
    term, kept = ann.take(ONE), ann.take(OTHER)
    ann.release(term)
    assert ann.commit(key=None, term=term).verdict is Verdict.FENCED, "it is over"
    assert ann.stand(term, kept).renewed == (kept,)
    assert ben.claim(ONE, OTHER) == (Term(ONE, 2),)


def test_nobody_gives_back_what_another_has(cluster: Cluster, ann: Sharer, ben: Sharer) -> None:
    old = ann.take(ONE)
    cluster.let_pass(TTL_US)
    new = ben.take(ONE)
    ann.release(old, new)
    assert ben.commit(key=None, term=new).verdict is Verdict.LANDED
    assert ann.claim(ONE) == ()


def test_who_leaves_gives_everything_back_and_is_not_there_any_more(
    ann: Sharer, ben: Sharer
) -> None:
    terms = ann.claim(ONE, OTHER)
    ann.stand(*terms)
    ben.stand()
    ann.store.leave("ann")
    standing = ben.stand()
    assert [member.node for member in standing.members] == ["ben"]
    assert [lease.node for lease in standing.leases] == [None, None]
    assert partitions_of(ben.claim(ONE, OTHER)) == {ONE, OTHER}


def test_who_reports_no_more_does_not_count_as_there(
    cluster: Cluster, ann: Sharer, ben: Sharer
) -> None:
    ann.stand()
    cluster.let_pass(TTL_US // 2)
    assert len(ben.stand().members) == 2
    cluster.let_pass(TTL_US * 2 // 3)
    assert [member.node for member in ben.stand().members] == ["ben"]


def test_two_who_claim_at_once_share_nothing(ann: Sharer, ben: Sharer) -> None:
    wanted = [Partition("shop", number) for number in range(PARTITIONS)]
    with ThreadPoolExecutor(2) as threads:
        for _ in range(5):
            first = threads.submit(ann.claim, *wanted)
            second = threads.submit(ben.claim, *wanted)
            of_ann, of_ben = first.result(), second.result()
            assert not partitions_of(of_ann) & partitions_of(of_ben)
            assert partitions_of(of_ann) | partitions_of(of_ben) == set(wanted)
            ann.release(*of_ann)
            ben.release(*of_ben)


# ---- what is made under a term


def test_nothing_of_an_entry_under_a_term_that_is_over_lands_and_the_rest_does(
    cluster: Cluster, ann: Sharer, ben: Sharer
) -> None:
    here, there = birth_within(ONE, inbox=(START,)), birth_within(OTHER)
    one, other = ann.bear(here, there)
    old, kept = ann.take(ONE), ann.take(OTHER)
    cluster.let_pass(TTL_US)
    ben.take(ONE)
    outcomes = ann.store.commit(
        [
            Entry(
                key=one,
                term=old,
                expect_version=1,
                head=head(custom_status="late"),
                history=(HistoryAdd(12, b"h"),),
                taken=(1,),
                births=(birth("child"),),
                notes=(NoteAdd(shelf=Shelf.RECEIPTS, key="k", at_us=1),),
            ),
            Entry(key=other, term=kept, expect_version=1, head=head(custom_status="in time")),
        ]
    )
    assert [outcome.verdict for outcome in outcomes] == [Verdict.FENCED, Verdict.LANDED]
    late, in_time = ben.store.load(one), ben.store.snapshot(other)
    assert late is not None
    assert in_time is not None
    assert (late.snapshot.version, late.history, len(late.inbox)) == (1, (), 1)
    assert in_time.head.custom_status == "in time"
    assert ben.store.snapshot("child") is None
    assert ben.store.note(Shelf.RECEIPTS, "k") is None


def test_a_term_that_is_over_is_told_before_all_else(
    cluster: Cluster, ann: Sharer, ben: Sharer
) -> None:
    term = ann.take(ONE)
    cluster.let_pass(TTL_US)
    ben.take(ONE)
    outcome = ann.commit(key=99, term=term, require=Require.EXISTS)
    assert outcome.verdict is Verdict.FENCED
    assert ann.commit(key=99, require=Require.EXISTS).verdict is Verdict.MISSING


def test_a_term_nobody_was_given_is_none(ann: Sharer) -> None:
    ann.take(ONE)
    assert ann.commit(key=None, term=Term(ONE, 7)).verdict is Verdict.FENCED
    assert ann.commit(key=None, term=Term(OTHER, 1)).verdict is Verdict.FENCED


def test_requests_land_at_any_node_without_a_lease(ann: Sharer, ben: Sharer) -> None:
    (key,) = ann.bear(birth_within(ONE))
    ann.take(ONE)
    outcome = ben.commit(key=key, require=Require.UNFINISHED, inbox=(RAISED,))
    assert outcome.verdict is Verdict.LANDED


def test_commits_and_take_overs_at_once_leave_one_writer(
    cluster: Cluster, ann: Sharer, ben: Sharer
) -> None:
    """Whatever lands after a take-over was made under the new term."""
    (key,) = ann.bear(birth("counter"))
    where = place("counter")
    terms = {"ann": ann.take(where), "ben": Term(where, 0)}

    def write(sharer: Sharer) -> list[bytes]:
        landed = []
        for number in range(40):
            term = terms[sharer.name]
            data = f"{term.number} {sharer.name} {number}".encode()
            outcome = sharer.commit(key=key, term=term, history=(HistoryAdd(12, data),))
            if outcome.verdict is Verdict.LANDED:
                landed.append(data)
            elif number % 5 == 0:
                cluster.let_pass(TTL_US)
                for taken in sharer.claim(where):
                    terms[sharer.name] = taken
        return landed

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.submit(write, ann), threads.submit(write, ben)
        landed = [*first.result(), *second.result()]
    history = ann.store.history(key, 0, 1_000)
    numbers = [int(row.event.split()[0]) for row in history]
    assert numbers == sorted(numbers)
    assert sorted(row.event for row in history) == sorted(landed)


# ---- asking within partitions


def test_each_owner_finds_its_own_and_together_they_find_all(ann: Sharer) -> None:
    ann.bear(*[birth(f"i{n}", inbox=(START,), app_id=("shop", "bank")[n % 2]) for n in range(60)])
    everyone = {row.key for row in ann.store.ready(0, 100)}
    assert len(everyone) == 60
    found = [
        {row.key for row in ann.store.ready(0, 100, {Partition(app, number)})}
        for app in ("shop", "bank")
        for number in range(PARTITIONS)
    ]
    assert set().union(*found) == everyone
    assert sum(map(len, found)) == 60
    shop = {Partition("shop", number) for number in range(PARTITIONS)}
    assert all(row.app_id == "shop" for row in ann.store.ready(0, 100, shop))
    assert ann.store.ready(0, 100, ()) == ()


def test_members_are_told_in_the_order_of_nodes(ann: Sharer, ben: Sharer) -> None:
    ben.stand()
    ann.stand()
    assert [member.node for member in ben.stand().members] == ["ann", "ben"]


def test_a_finished_instance_is_in_its_partition_still(ann: Sharer) -> None:
    (key,) = ann.bear(birth_within(ONE, status=Status.COMPLETED))
    term = ann.take(ONE)
    assert ann.commit(key=key, term=term, purge=True).verdict is Verdict.LANDED


@pytest.mark.parametrize("suspended", [True, False])
def test_a_change_of_flags_that_moves_makes_turns_stale(ann: Sharer, suspended: bool) -> None:
    (born,) = ann.store.commit([Entry(key=None, births=(birth_within(ONE),))])
    key = born.births[0].key
    assert key is not None
    (plain,) = ann.store.commit([Entry(key=key, suspended=not suspended)])
    (moved,) = ann.store.commit([Entry(key=key, suspended=suspended, moves=True)])
    assert (plain.verdict, moved.verdict) == (Verdict.LANDED, Verdict.LANDED)
    found = ann.store.snapshot(key)
    assert found is not None
    assert (found.version, found.suspended) == (2, suspended)
    late = Entry(key=key, expect_version=1, head=head(), history=(HistoryAdd(1, b"late"),))
    anew = Entry(key=key, expect_version=2, head=head())
    verdicts = [each.verdict for each in ann.store.commit([late, anew])]
    assert verdicts == [Verdict.STALE, Verdict.LANDED]
    found = ann.store.snapshot(key)
    assert found is not None
    assert (found.version, found.suspended) == (3, suspended)
