"""An outage begins once and ends once, and what a store says again and again is told rarely."""

from perdure.base.errors import StoreAway, StoreFailed, StoreUnsure
from perdure.observability.outages import Outages


def test_the_first_fault_begins_it_and_the_others_are_of_it() -> None:
    outages = Outages(iter([5.0, 7.5, 9.0, 9.5]).__next__)
    assert outages.ended() is None
    assert not outages.begins(StoreFailed("full"))
    assert not outages.covers(StoreAway("away"))
    assert outages.begins(StoreAway("away"))
    assert outages.covers(StoreUnsure("unsure"))
    assert not outages.begins(StoreUnsure("unsure"))
    assert not outages.covers(StoreFailed("full"))
    assert outages.ended() == 2.5
    assert outages.ended() is None
    assert outages.begins(StoreUnsure("unsure"))
    assert outages.ended() == 0.5


def test_what_a_store_says_again_is_told_again_only_after_a_while() -> None:
    outages = Outages(iter([0.0, 1.0, 29.0, 31.0, 32.0, 33.0]).__next__)
    assert not outages.repeats(RuntimeError("no store's"))
    assert not outages.repeats(RuntimeError("no store's"))
    assert not outages.repeats(StoreFailed("full"))
    assert outages.repeats(StoreFailed("full"))
    assert outages.repeats(StoreFailed("full"))
    assert not outages.repeats(StoreFailed("full")), "half a minute later"
    assert not outages.repeats(StoreFailed("lost"))
    assert outages.repeats(StoreFailed("lost"))
