"""Orders of every field, ties, missing values, and the tokens that lead from page to page."""

from dataclasses import replace

import pytest

from perdure.base.errors import CallerFault
from perdure.core.status import Status
from perdure.store.port import Store
from perdure.store.query import (
    AllOf,
    AnyOf,
    Compare,
    Field,
    InstanceQuery,
    Operator,
    Order,
)
from tests.conformance.store.making import bear, land


def _walk(store: Store, query: InstanceQuery) -> list[str]:
    """Every page of a listing, with no page longer than asked for."""
    found: list[str] = []
    while True:
        page = store.find(query)
        assert len(page.rows) <= query.limit
        found += [row.identity.instance_id for row in page.rows]
        if page.next_token is None:
            return found
        assert page.rows
        query = replace(query, token=page.next_token)


def _bear_seven(store: Store) -> None:
    """Equal and missing values in every field, keys in the order of the names."""
    for name, level in zip("abcdefg", (2, None, 1, 2, 1, None, 2), strict=True):
        text = None if level is None else str(level)
        bear(
            store,
            name,
            Status.RUNNING if level is None else Status.COMPLETED,
            name=f"n{level}",
            app_id=f"p{level}",
            parent_id=text,
            version=text,
            created_at_us=level or 0,
            started_at_us=level,
            updated_at_us=level or 0,
            completed_at_us=level,
            custom_status=text,
            waits_for=f"w{level}",
        )


ASCENDING = ["b", "f", "c", "e", "a", "d", "g"]  # the missing first, ties by birth


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
@pytest.mark.parametrize(
    "field",
    [
        Field.PARENT,
        Field.VERSION,
        Field.CREATED,
        Field.STARTED,
        Field.UPDATED,
        Field.COMPLETED,
        Field.CUSTOM_STATUS,
    ],
)
def test_a_field_orders_both_ways_in_pages_of_any_size(
    store: Store, field: Field, limit: int
) -> None:
    _bear_seven(store)
    ascending, descending = (
        InstanceQuery(order=(Order(field, d),), limit=limit) for d in (False, True)
    )
    assert _walk(store, ascending) == ASCENDING
    assert _walk(store, descending) == ASCENDING[::-1]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (Field.ID, "abcdefg"),
        (Field.NAME, "ceadgbf"),
        (Field.APP, "ceadgbf"),
        (Field.WAITS_FOR, "ceadgbf"),
        (Field.STATUS, "bfacdeg"),
    ],
)
def test_the_other_fields_order_too(store: Store, field: Field, expected: str) -> None:
    _bear_seven(store)
    for limit in (1, 2, 10):
        ascending = InstanceQuery(order=(Order(field),), limit=limit)
        descending = InstanceQuery(order=(Order(field, descending=True),), limit=limit)
        assert _walk(store, ascending) == list(expected)
        assert _walk(store, descending) == list(expected)[::-1]


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ((), "abcdefg"),
        ((Order(Field.COMPLETED), Order(Field.ID, descending=True)), "fbecgda"),
        ((Order(Field.COMPLETED, descending=True), Order(Field.ID)), "adgcebf"),
        ((Order(Field.STATUS), Order(Field.PARENT, descending=True)), "bfadgce"),
        ((Order(Field.STATUS, descending=True), Order(Field.PARENT)), "ecgdafb"),
        ((Order(Field.PARENT), Order(Field.PARENT, descending=True)), "bfceadg"),
        (
            (Order(Field.CUSTOM_STATUS, descending=True), Order(Field.NAME), Order(Field.ID)),
            "adgcebf",
        ),
        ((Order(Field.CREATED), Order(Field.COMPLETED), Order(Field.STATUS)), "bfceadg"),
    ],
)
def test_several_keys_order_one_after_the_other(
    store: Store, order: tuple[Order, ...], expected: str, limit: int
) -> None:
    _bear_seven(store)
    assert _walk(store, InstanceQuery(order=order, limit=limit)) == list(expected)


def test_a_listing_is_youngest_first_if_nothing_else_is_asked(store: Store) -> None:
    for name, created in (("a", 5), ("b", 9), ("c", 5)):
        bear(store, name, created_at_us=created)
    page = store.find(InstanceQuery())
    assert [row.identity.instance_id for row in page.rows] == ["b", "c", "a"]
    assert page.rows[1] == store.snapshot("c")
    assert page.next_token is None


def test_a_last_page_that_is_full_has_no_token(store: Store) -> None:
    bear(store, "a")
    bear(store, "b")
    assert store.find(InstanceQuery(limit=2)).next_token is None
    assert store.find(InstanceQuery(limit=1)).next_token is not None


def test_pages_are_of_what_the_filter_leaves(store: Store) -> None:
    _bear_seven(store)
    where = AnyOf(
        (
            Compare(Field.NAME, Operator.EQ, ("n2",)),
            AllOf((Compare(Field.STATUS, Operator.EQ, (0,)),)),
        )
    )
    order = (Order(Field.COMPLETED, descending=True),)
    for limit in (1, 2, 5):
        assert _walk(store, InstanceQuery(where, order, limit)) == ["g", "d", "a", "f", "b"]


def test_a_page_goes_on_where_the_last_one_ended_whatever_came_or_went(store: Store) -> None:
    for name in "abcd":
        bear(store, name, created_at_us=5)
    query = InstanceQuery(order=(Order(Field.CREATED),), limit=2)
    first = store.find(query)
    land(store, key=2, purge=True)
    bear(store, "before", created_at_us=1)
    bear(store, "after", created_at_us=5)
    assert _walk(store, replace(query, token=first.next_token)) == ["c", "d", "after"]


def _token(store: Store, query: InstanceQuery) -> str:
    token = store.find(query).next_token
    assert token is not None
    return token


def test_a_token_of_another_listing_is_refused(store: Store) -> None:
    _bear_seven(store)
    query = InstanceQuery(
        Compare(Field.NAME, Operator.GT, ("m",)), (Order(Field.CREATED),), limit=2
    )
    token = _token(store, query)
    others = [
        replace(query, where=AllOf(())),
        replace(query, where=Compare(Field.NAME, Operator.GTE, ("m",))),
        replace(query, order=(Order(Field.CREATED, descending=True),)),
        replace(query, order=(Order(Field.UPDATED),)),
        replace(query, order=()),
    ]
    for other in others:
        with pytest.raises(CallerFault, match="continuation token"):
            store.find(replace(other, token=token))


def test_a_token_serves_a_page_of_another_size(store: Store) -> None:
    _bear_seven(store)
    query = InstanceQuery(order=(Order(Field.ID),), limit=2)
    rest = store.find(replace(query, limit=50, token=_token(store, query)))
    assert [row.identity.instance_id for row in rest.rows] == list("cdefg")


@pytest.mark.parametrize("change", ["", "x", "====", "é", "\ud800", "a" * 10_000, "AAAA"])
def test_what_is_no_token_is_refused(store: Store, change: str) -> None:
    _bear_seven(store)
    with pytest.raises(CallerFault, match="continuation token"):
        store.find(InstanceQuery(token=change))


def test_a_token_that_was_changed_is_refused(store: Store) -> None:
    _bear_seven(store)
    query = InstanceQuery(limit=2)
    token = _token(store, query)
    for index in range(len(token)):
        other = "A" if token[index] != "A" else "B"
        changed = token[:index] + other + token[index + 1 :]
        try:
            page = store.find(replace(query, token=changed))
        except CallerFault:
            continue
        # The last character of base64 has bits that mean nothing.
        assert page == store.find(replace(query, token=token))


def test_tokens_hold_text_of_every_kind(store: Store) -> None:
    names = ["\U0001f4e6", "\x00", "'\"", "ü", ""]
    for number, name in enumerate(names):
        bear(store, str(number), custom_status=name)
    query = InstanceQuery(order=(Order(Field.CUSTOM_STATUS), Order(Field.ID, descending=True)))
    for limit in (1, 2):
        assert _walk(store, replace(query, limit=limit)) == ["4", "1", "2", "3", "0"]
