"""An outage begins once and ends once."""

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
