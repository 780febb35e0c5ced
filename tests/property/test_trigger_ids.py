"""Instance ids that follow from messages: legal, within the limit, and never shared."""

from hypothesis import assume, example, given
from hypothesis import strategies as st

from perdure.base.ids import is_legal_instance_id
from perdure.triggers.identity import ID_BYTES_LEAST, event_id, legal_id

LIMITS = st.integers(ID_BYTES_LEAST, 1_024)
EXTRAS = st.sampled_from(["", ":", ".:/", "é"])
# Texts that are near each other, and near to what the rule itself makes.
NEAR = st.text("ab-_:/é2 ", max_size=80)
TEXTS = st.one_of(st.text(max_size=200), NEAR, st.from_regex(r"[a-z]{0,4}--[a-z2-7]{26}"))


@given(TEXTS, LIMITS, EXTRAS)
@example("", 64, "")
@example("\ud800", 64, "")
def test_an_id_is_legal_and_short_enough(text: str, bytes_max: int, extra: str) -> None:
    found = legal_id(text, bytes_max=bytes_max, extra_characters=extra)
    assert found
    assert is_legal_instance_id(found, extra)
    assert len(found.encode()) <= bytes_max
    assert found == legal_id(text, bytes_max=bytes_max, extra_characters=extra)


@given(st.text("abcXYZ019_-", min_size=1, max_size=64))
def test_what_is_legal_stays_as_it_is(text: str) -> None:
    assume("--" not in text)
    assert legal_id(text, bytes_max=64) == text


@given(TEXTS, TEXTS, LIMITS)
@example("a/b", "a:b", 64)
@example("a" * 64, "a" * 65, 64)
def test_two_texts_never_share_an_id(one: str, other: str, bytes_max: int) -> None:
    assume(one != other)
    assert legal_id(one, bytes_max=bytes_max) != legal_id(other, bytes_max=bytes_max)


@given(TEXTS, LIMITS)
def test_an_id_of_our_making_is_not_the_id_of_itself(text: str, bytes_max: int) -> None:
    """Nobody can claim another message's instance by naming the id that was made for it."""
    made = legal_id(text, bytes_max=bytes_max)
    assume(made != text)
    assert legal_id(made, bytes_max=bytes_max) != made


@given(TEXTS, TEXTS, TEXTS, TEXTS, LIMITS)
@example("a", "bc", "ab", "c", 64)
@example("a-", "b", "a", "-b", 64)
@example("1:a", "b", "1:", "ab", 64)
def test_two_events_never_share_an_id(
    source: str, key: str, other_source: str, other_key: str, bytes_max: int
) -> None:
    assume((source, key) != (other_source, other_key))
    one = event_id(source, key, bytes_max=bytes_max)
    assert one != event_id(other_source, other_key, bytes_max=bytes_max)
    assert is_legal_instance_id(one)
    assert len(one.encode()) <= bytes_max
    assert one != legal_id(f"{source}-{key}", bytes_max=bytes_max)


def test_an_id_can_be_read() -> None:
    made = event_id("https://shop.example/orders", "42", bytes_max=64)
    assert made.startswith("https-shop-example-orders-42--")
    assert legal_id("order/42", bytes_max=64).startswith("order-42--")
    assert legal_id("order-42", bytes_max=64) == "order-42"
