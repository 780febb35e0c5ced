"""The state query language, read into a filter tree."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.api.http.query_language import filter_of, query_of
from perdure.base.errors import CallerFault
from perdure.core.status import Status
from perdure.store.query import AllOf, AnyOf, Compare, Field, Filter, InstanceQuery, Operator, Order


def test_nothing_asked_is_everything_newest_first() -> None:
    assert query_of({}) == (InstanceQuery(), False)


def test_everything_asked() -> None:
    document = {
        "filter": {
            "AND": [
                {"IN": {"runtimeStatus": ["FAILED", "running"]}},
                {"OR": [{"PREFIX": {"id": "a"}}, {"NEQ": {"tags.a.b": "c"}}]},
                {"GTE": {"createdAt": "1970-01-01T00:00:01Z"}},
            ]
        },
        "sort": [{"key": "type"}, {"key": "lastUpdatedAt", "order": "desc"}],
        "page": {"limit": 7, "token": "t"},
        "payloads": True,
    }
    statuses = (Status.FAILED.value, Status.RUNNING.value)
    expected = InstanceQuery(
        where=AllOf(
            (
                Compare("runtimeStatus", Operator.IN, statuses),
                AnyOf(
                    (
                        Compare("instanceID", Operator.PREFIX, ("a",)),
                        Compare("tags.a.b", Operator.NEQ, ("c",)),
                    )
                ),
                Compare("createdAt", Operator.GTE, (1_000_000,)),
            )
        ),
        order=(Order(Field.NAME), Order(Field.UPDATED, descending=True)),
        limit=7,
        token="t",
    )
    assert query_of(document) == (expected, True)


_WORDS = st.sampled_from(
    ["AND", "OR", "EQ", "IN", "GT", "PREFIX", "instanceID", "runtimeStatus", "createdAt",
     "tags.a", "FAILED", "2001-01-01T00:00:00Z", "filter", "sort", "page", "limit", "key"]
)  # fmt: skip
_TREES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _WORDS | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=2),
    max_leaves=10,
)


@given(_TREES)
def test_any_tree_is_a_filter_or_the_callers_fault(tree: Any) -> None:
    with suppress(CallerFault):
        assert isinstance(filter_of(tree), Filter)


@given(_TREES)
def test_any_document_is_a_query_or_the_callers_fault(document: Any) -> None:
    with suppress(CallerFault):
        assert isinstance(query_of(document)[0], InstanceQuery)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"filtre": {}}, "unknown key 'filtre'; a query has filter, page, payloads, sort"),
        (
            {"filter": {"LIKE": {"a": "b"}}},
            "unknown operator 'LIKE'; the operators are AND, OR, EQ, NEQ, GT",
        ),
    ],
)
def test_the_text_says_what_would_be_right(document: Any, text: str) -> None:
    with pytest.raises(CallerFault, match=text):
        query_of(document)
