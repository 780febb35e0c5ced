"""Paths in their normal form, and the decoding of their parameters."""

from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.api.http.paths import BadEscape, decoded, normal_path


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("/", "/"),
        ("", "/"),
        ("//", "/"),
        ("/a", "/a"),
        ("/a/", "/a"),
        ("/a//b///c//", "/a/b/c"),
        ("/a%2F/", "/a%2F"),
        ("/a/../b", "/a/../b"),
    ],
)
def test_slashes_are_forgiven(path: str, normal: str) -> None:
    assert normal_path(path) == normal
    assert normal_path(normal) == normal


@given(st.text())
def test_what_was_quoted_is_decoded(text: str) -> None:
    assert decoded("x", quote(text, safe="")) == text


@pytest.mark.parametrize(
    ("segment", "text"), [("a+b", "a b"), ("a%2Bb", "a+b"), ("%252F", "%2F"), ("%2f", "/")]
)
def test_the_rules_are_those_of_a_query_and_apply_once(segment: str, text: str) -> None:
    assert decoded("x", segment) == text


@given(st.text(alphabet="%aF0g+é", min_size=1))
def test_anything_is_decoded_or_refused(segment: str) -> None:
    with suppress(BadEscape):
        assert decoded("x", segment).encode().decode()
