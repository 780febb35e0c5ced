"""Records are compared by value, and in the tests they are frozen."""

import dataclasses

import pytest

from perdure.base.records import dataclass
from perdure.core.events import TimerFired
from perdure.store.port import Entry


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 2


def test_records_are_compared_and_hashed_by_value() -> None:
    assert Point(1) == Point(1, 2)
    assert len({Point(1), Point(1), Point(3)}) == 2
    assert dataclasses.replace(Point(1), y=5) == Point(1, 5)
    assert not hasattr(Point(1), "__dict__")


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (Point(1), "x"),
        (Entry(key=1), "key"),
        (TimerFired(at_us=1, timer_id=1, fire_at_us=1), "at_us"),
    ],
)
def test_nothing_can_be_assigned_to_a_record(record: object, name: str) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(record, name, 5)
