"""Counts of what waits: never less than there is, and right once somebody has looked."""

import pytest

from perdure.engine.tally import Tally


@pytest.fixture
def tally() -> Tally:
    return Tally(most_of_one=2, most=3)


def test_what_is_being_written_counts_already(tally: Tally) -> None:
    tally.begin("a")
    assert "a" in tally
    tally.end("a", kept=True)
    assert tally.count("a") == 1
    tally.begin("a")
    tally.end("a", kept=False)
    tally.remove("a")
    assert "a" not in tally


def test_there_is_a_limit_for_one_and_for_all(tally: Tally) -> None:
    tally.begin("a")
    assert not tally.full("a")
    tally.begin("a")
    assert tally.full("a")
    assert not tally.full("b")
    tally.begin("b")
    assert tally.full("b")
    tally.remove("a")
    assert not tally.full("c")


def test_what_was_read_is_right_if_nothing_happened_meanwhile(tally: Tally) -> None:
    tally.begin("a")
    tally.end("a", kept=True)
    mark = tally.mark()
    tally.found({"b": 2}, mark)
    assert ("a" in tally, tally.count("b")) == (False, 2)
    tally.none_left("b", tally.mark())
    assert "b" not in tally
    assert not tally.full("b")


def test_what_was_read_is_out_of_date_if_something_was_written(tally: Tally) -> None:
    mark = tally.mark()
    tally.begin("a")
    tally.end("a", kept=True)
    tally.none_left("a", mark)
    assert "a" in tally
    tally.begin("b")
    assert tally.mark() is None, "what is being written may be read or not"
    tally.found({}, tally.mark())
    assert "b" in tally
    tally.end("b", kept=True)
    mark = tally.mark()
    tally.remove("b")
    tally.found({"b": 1}, mark)
    assert "b" not in tally


def test_more_cannot_be_taken_than_there_is(tally: Tally) -> None:
    with pytest.raises(AssertionError):
        tally.remove("a")
