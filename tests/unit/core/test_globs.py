"""Patterns, read as Go reads them."""

import pytest

from perdure.core.globs import compiled


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("abc", "abc", True),
        ("abc", "abcd", False),
        ("abc", "ab", False),
        ("*", "", True),
        ("*", "abc", True),
        ("*", "a/b", False),
        ("*", "a\nb", True),
        ("Process*", "ProcessOrder", True),
        ("Process*", "Process", True),
        ("Process*", "process", False),
        ("*Order*", "BigOrderFlow", True),
        ("a*b?c*x", "abxbbxdbxebxczzx", True),
        ("a*b?c*x", "abxbbxdbxebxczzy", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("a?c", "ac", False),
        ("ab[c]", "abc", True),
        ("ab[b-d]", "abc", True),
        ("ab[e-g]", "abc", False),
        ("ab[^c]", "abc", False),
        ("ab[^e-g]", "abc", True),
        ("a[^a]b", "a/b", True),
        ("[a-ζ]*", "β", True),
        ("*[a-ζ]", "A", False),
        (r"a\*b", "a*b", True),
        (r"a\*b", "ab", False),
        (r"[\]a]", "]", True),
        (r"[\-]", "-", True),
        (r"[x\-]", "x", True),
        (r"[x\-]", "z", False),
        ("[z-a]", "b", False),
        ("[^z-a]", "b", True),
        ("a.c", "abc", False),
        ("(a|b)+", "(a|b)+", True),
        ("ünï*", "ünïcode", True),
    ],
)
def test_a_pattern_is_for_the_whole_name(pattern: str, name: str, matches: bool) -> None:
    assert (compiled(pattern).fullmatch(name) is not None) is matches


@pytest.mark.parametrize(
    "pattern", ["[", "[^", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "a[", "\\", "[a", "[\\"]
)
def test_what_is_no_pattern_says_so(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"class of letters|ends in the middle"):
        compiled(pattern)
