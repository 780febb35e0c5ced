"""A schedule is a line that a person can read and that can be read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.base.errors import ConfigurationError
from perdure.testing.schedule import DELAYS_US, LATE, MEANINGS, Fault, Kind, read, written

faults = st.one_of(
    st.builds(Fault, st.sampled_from(sorted(set(Kind) - LATE)), st.integers(1, 999_999_999)),
    st.builds(Fault, st.sampled_from(sorted(LATE)), st.integers(1, 9), st.sampled_from(DELAYS_US)),
)


@given(st.lists(faults).map(tuple))
def test_a_schedule_is_read_as_it_was_written(schedule: tuple[Fault, ...]) -> None:
    assert read(written(schedule)) == schedule


def test_a_schedule_reads_like_this() -> None:
    schedule = (Fault(Kind.CRASH_AFTER_RUN, 1), Fault(Kind.RESULT_LATE, 2, 60_000_000))
    assert written(schedule) == "crash-after-run:1 result-late:2+1m"
    assert schedule[0].told("charge in 'o-1'") == (
        "the process dies after charge in 'o-1' has run, before its result is handed in"
    )


def test_every_kind_says_what_it_means() -> None:
    assert set(MEANINGS) == set(Kind)


@pytest.mark.parametrize(
    "text", ["crash", "crash-after-run:0", "sneeze:1", "restart:1+5s", "result-late:1", "a b"]
)
def test_what_is_no_fault_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="'"):
        read(text)
