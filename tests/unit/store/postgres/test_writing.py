"""A commit whose reply is lost is settled; several nodes that commit at once lose nothing."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from perdure.base.errors import StoreUnsure
from perdure.core.notes import NoteAdd, NoteEnd, NoteRule
from perdure.core.status import Status
from perdure.store.port import (
    FIRST_VERSION,
    Entry,
    InboxAdd,
    LifecycleAdd,
    LifecycleRow,
    Message,
    Outcome,
    TaskEnd,
    Verdict,
)
from perdure.store.postgres import PostgresStore
from tests.conformance.store.making import START, bear, birth, head, held_by, land, task
from tests.kit.schemas import a_schema, shared_server
from tests.unit.store.postgres.cutting import Cut, Way

NODES = 4
ROUNDS = 25


@pytest.fixture
def url() -> Iterator[str]:
    with a_schema() as made:
        yield made


@pytest.fixture
def way() -> Iterator[Way]:
    made = Way(shared_server())
    yield made
    made.close()


def _births(*ids: str) -> list[Entry]:
    return [Entry(key=None, births=(birth(each, inbox=(START,)),)) for each in ids]


@pytest.mark.parametrize("cut", [Cut.BEFORE_COMMIT, Cut.AFTER_COMMIT])
def test_a_commit_whose_line_is_cut_lands_once(url: str, way: Way, cut: Cut) -> None:
    with closing(PostgresStore(way.url(url))) as store, closing(PostgresStore(url)) as other:
        bear(store, "before")
        way.cut = cut
        outcomes = store.commit(_births("a", "b"))
        assert way.cuts == 1
        assert [outcome.verdict for outcome in outcomes] == [Verdict.LANDED] * 2
        keys = [outcome.births[0].key for outcome in outcomes]
        assert [key for key, _ in other.list_ids(0, 9)[1:]] == keys
        bear(store, "after")
        assert other.counts() == {0: 4}


@pytest.mark.parametrize("cut", [Cut.BEFORE_COMMIT, Cut.AFTER_COMMIT])
def test_where_nobody_tells_what_became_of_a_commit_that_is_said(
    url: str, way: Way, cut: Cut
) -> None:
    with closing(PostgresStore(way.url(url), settle_timeout_s=0.5)) as store:
        bear(store, "before")
        way.cut, way.is_open = cut, False
        with pytest.raises(StoreUnsure, match="whether it has kept the changes is unknown"):
            store.commit(_births("a"))
        way.is_open = True
        (outcome,) = store.commit(_births("a"))
        landed = {Cut.BEFORE_COMMIT: Verdict.LANDED, Cut.AFTER_COMMIT: Verdict.ID_TAKEN}
        assert outcome.verdict is landed[cut]
        way.cut = Cut.AFTER_COMMIT
        bear(store, "the next one is settled again")
        assert way.cuts == 2


def test_a_commit_that_changes_nothing_needs_no_settling(url: str, way: Way) -> None:
    with closing(PostgresStore(way.url(url), settle_timeout_s=0.1)) as store:
        bear(store, "a")
        way.cut = Cut.AFTER_COMMIT
        (outcome,) = store.commit(_births("a"))
        assert outcome.verdict is Verdict.ID_TAKEN


@pytest.fixture
def nodes(url: str) -> Iterator[list[PostgresStore]]:
    with ExitStack() as closing_all:
        yield [closing_all.enter_context(closing(PostgresStore(url))) for _ in range(NODES)]


def test_of_many_births_under_one_id_one_lands(nodes: list[PostgresStore]) -> None:
    ids = [f"i{n % ROUNDS}" for n in range(ROUNDS * 2)]

    def bear_all(store: PostgresStore) -> list[Outcome]:
        # Each in another order: so they meet in the middle of each other.
        at = nodes.index(store) * 7
        rotated = ids[at:] + ids[:at]
        return [each for n in range(0, len(ids), 5) for each in store.commit(
            _births(*rotated[n : n + 5]))]  # fmt: skip

    with ThreadPoolExecutor(NODES) as threads:
        outcomes = [each for found in threads.map(bear_all, nodes) for each in found]
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    assert verdicts == {
        Verdict.LANDED: ROUNDS,
        Verdict.ID_TAKEN: (2 * NODES - 1) * ROUNDS,
    }
    told = [outcome.births[0].key for outcome in outcomes if outcome.births]
    assert sorted(filter(None, told)) == [key for key, _ in nodes[0].list_ids(0, 1_000)]


def test_what_many_put_into_one_inbox_is_all_there_in_order(nodes: list[PostgresStore]) -> None:
    keys = [bear(nodes[0], each) for each in ("a", "b")]

    def raise_all(store: PostgresStore) -> list[int]:
        own = str(nodes.index(store)).encode()
        seqs: list[int] = []
        for at in range(ROUNDS):
            add = InboxAdd(15, own + b" %d" % at)
            towards = (Message("a", add), Message(keys[1], add))
            # Both ways round: whoever locks as it likes would wait for the other.
            one = Entry(key=None, messages=towards if at % 2 else towards[::-1])
            (outcome,) = store.commit([one])
            seqs += [told[1] for told in outcome.messages if told is not None]
        return seqs

    with ThreadPoolExecutor(NODES) as threads:
        seqs = [each for found in threads.map(raise_all, nodes) for each in found]
    assert len(set(seqs)) == len(seqs) == 2 * NODES * ROUNDS
    for key in keys:
        loaded = nodes[0].load(key)
        assert loaded is not None
        events = [row.add.event for row in loaded.inbox]
        for own in range(NODES):
            mine = [each for each in events if each.startswith(b"%d " % own)]
            assert mine == [b"%d %d" % (own, at) for at in range(ROUNDS)]


def test_a_result_counts_once_and_a_version_is_taken_once(nodes: list[PostgresStore]) -> None:
    tasks = tuple(task(n) for n in range(ROUNDS))
    key = bear(nodes[0], "a", tasks=tasks)

    def end_all(store: PostgresStore) -> list[Verdict]:
        entries = [Entry(key=key, ended_tasks=(TaskEnd(1, n, 5),)) for n in range(ROUNDS)]
        turn = Entry(key=key, expect_version=FIRST_VERSION, head=head())
        outcomes = [store.commit([each])[0] for each in entries]
        return [outcome.verdict for outcome in (*outcomes, *store.commit([turn]))]

    with ThreadPoolExecutor(NODES) as threads:
        verdicts = Counter(each for found in threads.map(end_all, nodes) for each in found)
    assert verdicts == {
        Verdict.LANDED: ROUNDS + 1,
        Verdict.ENDED: (NODES - 1) * ROUNDS,
        Verdict.STALE: NODES - 1,
    }
    assert held_by(nodes[0]) == held_by(nodes[1])


def test_a_note_is_new_once_and_replaced_by_all(nodes: list[PostgresStore]) -> None:
    def note_all(store: PostgresStore) -> list[Verdict]:
        found: list[Verdict] = []
        for n in range(ROUNDS):
            new = NoteAdd(shelf="receipts", key=str(n), at_us=1)
            place = NoteAdd(shelf="positions", key="x", at_us=n, rule=NoteRule.REPLACE)
            found += [each.verdict for each in store.commit([Entry(key=None, notes=(new, place))])]
        return found

    with ThreadPoolExecutor(NODES) as threads:
        verdicts = Counter(each for found in threads.map(note_all, nodes) for each in found)
    assert verdicts == {Verdict.LANDED: ROUNDS, Verdict.NOTED: (NODES - 1) * ROUNDS}
    assert nodes[0].note_count("receipts") == ROUNDS
    assert nodes[0].note_count("positions") == 1
    gone = NoteEnd("receipts", "0")
    ends = [store.commit([Entry(key=None, ended_notes=(gone,))])[0].verdict for store in nodes[:2]]
    assert ends == [Verdict.LANDED, Verdict.ENDED]


def test_who_follows_the_lifecycle_misses_no_row(nodes: list[PostgresStore]) -> None:
    """Rows of several nodes land in any order; what is read is never followed by a lower number."""

    def write_all(store: PostgresStore) -> None:
        for n in range(ROUNDS):
            store.commit([Entry(key=None, lifecycle=(LifecycleAdd("created", n, "a", "b"),))] * 3)

    read: list[LifecycleRow] = []
    with ThreadPoolExecutor(NODES) as threads:
        writing = [threads.submit(write_all, store) for store in nodes[1:]]
        while not all(each.done() for each in writing):
            read += nodes[0].lifecycle(read[-1].seq if read else 0, 10)
        for each in writing:
            each.result()
    while more := nodes[0].lifecycle(read[-1].seq if read else 0, 10):
        read += more
    assert len(read) == (NODES - 1) * ROUNDS * 3
    assert [row[1] for row in nodes[0].dump() if row[0] == "lifecycle"] == [r.seq for r in read]


def test_a_replacement_is_born_once(nodes: list[PostgresStore]) -> None:
    old = bear(nodes[0], "a", Status.COMPLETED)

    def replace(store: PostgresStore) -> Verdict:
        return store.commit([Entry(key=None, births=(birth("a", replaces=old),))])[0].verdict

    with ThreadPoolExecutor(NODES) as threads:
        verdicts = Counter(threads.map(replace, nodes))
    assert verdicts == {Verdict.LANDED: 1, Verdict.ID_TAKEN: NODES - 1}
    land(nodes[0], key=None, messages=(Message("a", START),))
