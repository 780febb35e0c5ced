"""Ids and times against other implementations of the same."""

import unicodedata
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from perdure.base import rfc3339
from perdure.base.ids import derived_id, is_legal_instance_id
from perdure.base.time import LATEST_US

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
zones = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda m: timezone(timedelta(minutes=m)))


@given(st.datetimes(timezones=zones).filter(lambda moment: 1 < moment.year < 9999))
def test_what_datetime_writes_is_read(moment: datetime) -> None:
    assert rfc3339.parse(moment.isoformat()) == (moment - EPOCH) // timedelta(microseconds=1)


@given(st.integers(-62_135_596_800_000_000, LATEST_US))
def test_what_is_written_datetime_reads_and_so_do_we(at_us: int) -> None:
    text = rfc3339.render(at_us)
    assert datetime.fromisoformat(text) == EPOCH + timedelta(microseconds=at_us)
    assert rfc3339.parse(text) == at_us


@given(st.text(max_size=40))
def test_any_text_is_read_or_is_not(text: str) -> None:
    found = rfc3339.parse(text)
    assert found is None or isinstance(found, int)


@given(st.text(max_size=10))
def test_legal_ids_are_letters_digits_underscores_and_dashes(text: str) -> None:
    """As Unicode has it: categories L and Nd, which are Go's letters and digits."""
    expected = all(
        letter in "_-" or unicodedata.category(letter)[0] == "L" or letter.isdecimal()
        for letter in text
    )
    assert is_legal_instance_id(text) is expected


@given(st.lists(st.text() | st.integers(), max_size=4))
def test_ids_that_are_derived_are_legal(cause: list[str | int]) -> None:
    assert is_legal_instance_id(derived_id(*cause))
