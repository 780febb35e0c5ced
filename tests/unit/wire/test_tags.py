"""The tags of a start, in cookie syntax, and their bounds."""

import pytest

from perdure.base.errors import CallerFault
from perdure.base.limits import TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_MAX
from perdure.wire.tags import checked_tags, parse_cookie_pairs


@pytest.mark.parametrize(
    ("values", "pairs"),
    [
        ([], ()),
        ([""], ()),
        ([" ; ;"], ()),
        (["a=1"], (("a", "1"),)),
        (["a=1; b=2"], (("a", "1"), ("b", "2"))),
        (["a=1;b=2;"], (("a", "1"), ("b", "2"))),
        (["a=1", "b=2"], (("a", "1"), ("b", "2"))),
        (["  a = 1 "], (("a", "1"),)),
        (["a="], (("a", ""),)),
        (["a=1=2"], (("a", "1=2"),)),
        (['a="x y"'], (("a", "x y"),)),
        (['a="'], (("a", '"'),)),
        (["a=1; a=2"], (("a", "2"),)),
        (["a=1", "b=x; a=3"], (("a", "3"), ("b", "x"))),
        (["stadt=Köln"], (("stadt", "Köln"),)),
    ],
)
def test_pairs(values: list[str], pairs: tuple[tuple[str, str], ...]) -> None:
    assert parse_cookie_pairs(values) == pairs


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "'a' is not a key=value pair"),
        ("a=1; nothing", "'nothing' is not a key=value pair"),
        ("=1", "a pair has no key"),
        ("a=x\x07y", "the pair of 'a' is not printable text"),
        ("k" * (TAG_KEY_CHARS_MAX + 1) + "=1", "is longer than 128 characters"),
        ("a=" + "v" * (TAG_VALUE_CHARS_MAX + 1), "the value of 'a' is longer than 1024 characters"),
        (";".join(f"k{n}=1" for n in range(TAGS_MAX + 1)), "more than 64 pairs"),
    ],
)
def test_what_is_no_tag(value: str, text: str) -> None:
    with pytest.raises(CallerFault, match=r"^dapr-workflow-metadata: ") as caught:
        parse_cookie_pairs([value])
    assert text in str(caught.value)


def test_the_largest_that_is_legal() -> None:
    pairs = [(f"{n:0{TAG_KEY_CHARS_MAX}}", "v" * TAG_VALUE_CHARS_MAX) for n in range(TAGS_MAX)]
    assert parse_cookie_pairs(f"{key}={value}" for key, value in pairs) == tuple(pairs)


def test_the_same_key_many_times_is_one_pair() -> None:
    assert checked_tags([("a", str(n)) for n in range(TAGS_MAX * 2)]) == (("a", "127"),)
