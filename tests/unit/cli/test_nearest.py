"""The known name that an unknown one was meant for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.cli.nearest import did_you_mean, nearest

NAMES = ["order", "order_refund", "ship", "phone_verification"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("oder", ["order"]),
        ("Order", ["order", "order_refund"]),
        ("ordr_refund", ["order_refund"]),
        ("phone", ["phone_verification"]),
        ("shpi", ["ship"]),
        ("zzz", []),
        ("", []),
    ],
)
def test_the_nearest_come_first(name: str, expected: list[str]) -> None:
    assert nearest(name, NAMES) == expected


@given(st.text(), st.lists(st.text()))
def test_only_known_names_are_offered_once_each(name: str, known: list[str]) -> None:
    found = nearest(name, known)
    assert set(found) <= set(known)
    assert len(found) == len(set(found)) <= 3


@pytest.mark.parametrize(
    ("names", "question"),
    [
        ([], ""),
        (["a"], "Did you mean a?"),
        (["a", "b"], "Did you mean a or b?"),
        (["a", "b", "c"], "Did you mean a, b or c?"),
    ],
)
def test_the_question_is_a_sentence(names: list[str], question: str) -> None:
    assert did_you_mean(names) == question
