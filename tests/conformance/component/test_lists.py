"""Searching for instances, on every component."""

from collections.abc import Sequence

import pytest

from perdure.base.errors import CallerFault
from perdure.components.port import InstanceView
from perdure.core.status import Status
from perdure.store.query import AllOf, AnyOf, Compare, Field, Filter, InstanceQuery, Operator
from tests.conformance.component.looking import until
from tests.conformance.component.subjects import Subject


class _Listing:
    """Searches among the instances of one test; what it wants to see may be a moment behind."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._own = Compare(Field.ID, Operator.PREFIX, (f"{subject.mark}-",))

    async def finds(self, *terms: Filter, names: Sequence[str], payloads: bool = False) -> None:
        """Exactly these instances are found, each once."""
        wanted = sorted(self._subject.id(name) for name in names)
        await until(
            lambda: self._ids(terms, payloads=payloads), lambda seen: sorted(seen) == wanted
        )

    async def _ids(self, terms: Sequence[Filter], *, payloads: bool) -> list[str]:
        return [view.instance_id for view in await self.views(*terms, payloads=payloads)]

    async def views(self, *terms: Filter, payloads: bool = False) -> list[InstanceView]:
        """All that is found, page by page."""
        found: list[InstanceView] = []
        token: str | None = None
        while True:
            query = InstanceQuery(where=AllOf((self._own, *terms)), limit=2, token=token)
            page = await self._subject.component.find(query, payloads=payloads)
            assert len(page.instances) <= 2
            found += page.instances
            token = page.next_token
            if token is None:
                return found


def equal(field: Field | str, *values: str | int) -> Filter:
    return Compare(str(field), Operator.IN, values)


@pytest.fixture
async def listing(subject: Subject) -> _Listing:
    """Five instances: two that finished, one that failed, one that runs and one that waits."""
    listing = _Listing(subject)
    async with subject.working():
        await subject.finished(await subject.start("one", "echoes", input="1", tags=_tags(1)))
        await subject.finished(await subject.start("two", "echoes", input="2", tags=_tags(2)))
        await subject.finished(await subject.start("bad", "fails", tags=_tags(3)))
        await subject.started(await subject.start("runs", "waits", tags=_tags(4)))
        # A turn that a worker takes and never ends leaves no trace in a listing of Temporal's.
        await listing.finds(equal(Field.STATUS, Status.RUNNING), names=["runs"])
    await subject.start("new", "waits")
    return listing


def _tags(number: int) -> tuple[tuple[str, str], ...]:
    return (("city", "Prague" if number % 2 else "O'Brien"), ("items", str(number)))


async def test_all_are_found_page_by_page(listing: _Listing) -> None:
    await listing.finds(names=["one", "two", "bad", "runs", "new"])


async def test_by_status(listing: _Listing) -> None:
    for status, names in (
        (Status.COMPLETED, ["one", "two"]),
        (Status.FAILED, ["bad"]),
        (Status.RUNNING, ["runs"]),
        (Status.PENDING, ["new"]),
        (Status.SUSPENDED, []),
        (Status.STALLED, []),
    ):
        await listing.finds(equal(Field.STATUS, status), names=names)
    either = equal(Field.STATUS, Status.FAILED, Status.PENDING)
    await listing.finds(either, names=["bad", "new"])
    other = Compare(Field.STATUS, Operator.NEQ, (Status.COMPLETED,))
    await listing.finds(other, names=["bad", "runs", "new"])


async def test_by_type_and_id(listing: _Listing, subject: Subject) -> None:
    await listing.finds(equal(Field.NAME, "echoes"), names=["one", "two"])
    await listing.finds(equal(Field.NAME, "echoes", "fails"), names=["one", "two", "bad"])
    await listing.finds(equal(Field.NAME, "nothing"), names=[])
    await listing.finds(equal(Field.ID, subject.id("one")), names=["one"])
    not_one = Compare(Field.ID, Operator.NEQ, (subject.id("one"),))
    await listing.finds(not_one, names=["two", "bad", "runs", "new"])
    prefix = Compare(Field.ID, Operator.PREFIX, (subject.id("n"),))
    await listing.finds(prefix, names=["new"])


@pytest.mark.parametrize("name", ["it's", "100%_", "č", "a--b", "x' OR 'x' = 'x"])
async def test_by_a_type_that_has_to_be_quoted(subject: Subject, name: str) -> None:
    await subject.start("odd", name)
    await subject.start("even", "echoes")
    listing = _Listing(subject)
    await listing.finds(equal(Field.NAME, name), names=["odd"])
    await listing.finds(Compare(Field.NAME, Operator.PREFIX, (name,)), names=["odd"])
    await listing.finds(Compare(Field.NAME, Operator.NEQ, (name,)), names=["even"])


async def test_by_tag(listing: _Listing) -> None:
    await listing.finds(equal("tags.city", "Prague"), names=["one", "bad"])
    await listing.finds(equal("tags.city", "O'Brien"), names=["two", "runs"])
    await listing.finds(equal("tags.city", "O\\'Brien"), names=[])
    no_prague = Compare("tags.city", Operator.NEQ, ("Prague",))
    await listing.finds(no_prague, names=["two", "runs", "new"])
    either = AnyOf((equal("tags.items", "1"), equal("tags.items", "4")))
    await listing.finds(either, names=["one", "runs"])
    await listing.finds(AnyOf(()), names=[])


async def test_by_time(listing: _Listing, subject: Subject) -> None:
    two = await subject.view(subject.id("two"))
    before = Compare(Field.CREATED, Operator.LT, (two.created_at_us,))
    await listing.finds(before, names=["one"])
    after = Compare(Field.CREATED, Operator.GT, (two.created_at_us,))
    await listing.finds(after, names=["bad", "runs", "new"])
    assert two.completed_at_us is not None
    ended = Compare(Field.COMPLETED, Operator.GTE, (two.completed_at_us,))
    await listing.finds(ended, names=["two", "bad"])


async def test_children_are_found_by_their_parent(subject: Subject) -> None:
    listing = _Listing(subject)
    async with subject.working():
        parent = await subject.start("a", "bears")
        await subject.started(f"{parent}-child")
    await listing.finds(equal(Field.PARENT, parent), names=["a-child"])
    await subject.terminate(parent)


async def test_a_listing_has_payloads_only_if_they_are_asked_for(
    listing: _Listing, subject: Subject
) -> None:
    done = equal(Field.NAME, "echoes")
    await listing.finds(done, names=["one", "two"], payloads=True)
    found = await listing.views(done, payloads=True)
    assert sorted((view.input, view.output) for view in found) == [("1", "1"), ("2", "2")]
    bare = await listing.views(done)
    assert {(view.input, view.output) for view in bare} == {(None, None)}
    [view] = (await subject.component.find(_only(subject.id("one")), payloads=True)).instances
    assert (view.output, view.status) == ("1", Status.COMPLETED)
    assert (await subject.component.find(_only(subject.id("nobody")))).instances == ()


def _only(instance_id: str) -> InstanceQuery:
    return InstanceQuery(where=Compare(Field.ID, Operator.EQ, (instance_id,)))


async def test_ids_come_in_pages(subject: Subject) -> None:
    ids = {await subject.start(f"i{number}", "echoes") for number in range(5)}

    async def listed() -> set[str]:
        found: list[str] = []
        token: str | None = None
        while True:
            page = await subject.component.list_ids(token, 2)
            found += page.instance_ids
            token = page.next_token
            if token is None:
                return {name for name in found if name.startswith(f"{subject.mark}-")}

    await until(listed, lambda seen: seen == ids)


@pytest.mark.parametrize("token", ["x", "-1", "\u0661", "AAAA", "AAAAAAAAAAAAAAAAAAAA"])
async def test_a_token_that_is_not_ours_is_the_callers_fault(subject: Subject, token: str) -> None:
    with pytest.raises(CallerFault):
        await subject.component.find(InstanceQuery(token=token))


@pytest.mark.parametrize("limit", [0, 1_001])
async def test_a_page_has_bounds(subject: Subject, limit: int) -> None:
    with pytest.raises(CallerFault):
        await subject.component.find(InstanceQuery(limit=limit))
