"""Text that Postgres cannot hold goes in and comes out as it is, and is ordered as before."""

from hypothesis import given
from hypothesis import strategies as st

from perdure.store.postgres.texts import bound, escaped, plain, plain_row

texts = st.text(st.sampled_from("\x00\x01\x02a"), max_size=6) | st.text(max_size=6)


@given(texts)
def test_a_text_comes_out_as_it_went_in(text: str) -> None:
    assert "\x00" not in escaped(text)
    assert plain(escaped(text)) == text


@given(texts, texts)
def test_texts_compare_as_before(one: str, other: str) -> None:
    assert (escaped(one) < escaped(other)) == (one < other)
    assert (escaped(one) == escaped(other)) == (one == other)
    assert escaped(one + other).startswith(escaped(one))


def test_only_text_is_changed() -> None:
    assert bound(["a\x00", None, b"\x00", 1]) == ["a\x01\x01", None, b"\x00", 1]
    assert bound(7) == 7
    assert plain_row(["a\x01\x01", None, b"\x01\x01", 1]) == ("a\x00", None, b"\x01\x01", 1)
