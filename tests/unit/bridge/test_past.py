"""A history as the bytes of work items: a prefix stays what it is, and is found while held."""

import gc

from perdure.bridge import past
from perdure.bridge.past import Past
from perdure.wire.work_items import past_field

EVENTS = [b"one", b"", b"three" * 100]


def test_a_prefix_is_the_fields_of_its_events() -> None:
    known = Past(EVENTS[:1])
    known.extend(EVENTS[1:])
    assert len(known) == 3
    assert known.fields(0) == b""
    for count in range(1, 4):
        assert known.fields(count) == b"".join(map(past_field, EVENTS[:count]))
    assert known.events() == EVENTS


def test_a_past_is_found_only_if_it_is_long_enough_and_held() -> None:
    known = Past(EVENTS)
    past.show("run", 1, known)
    assert past.find("run", 1, 3) is known
    assert past.find("run", 1, 4) is None
    assert past.find("run", 2, 0) is None
    assert past.find("other", 1, 0) is None
    del known
    gc.collect()
    assert past.find("run", 1, 0) is None
