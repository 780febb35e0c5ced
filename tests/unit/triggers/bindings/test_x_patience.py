"""How long to stay away, as the documentation of the X API asks for."""

import httpx
import pytest

from perdure.base.time import MINUTE_US, SECOND_US
from perdure.triggers.bindings.x_api import Disconnected, XTrouble
from perdure.triggers.bindings.x_patience import Patience

NOW_US = 1_767_225_600 * SECOND_US


def pauses(*errors: Exception, was_open: bool = False) -> list[float]:
    patience = Patience()
    return [
        patience.pause_us(each, was_open=was_open, now_us=NOW_US) / SECOND_US for each in errors
    ]


def test_trouble_of_the_network_grows_by_steps() -> None:
    found = pauses(*[httpx.ConnectError("away")] * 70)
    assert found[:4] == [0.25, 0.5, 0.75, 1.0]
    assert found[-1] == 16.0


def test_a_stream_that_was_open_is_opened_again_at_once() -> None:
    assert pauses(*[Disconnected("torn")] * 3, was_open=True) == [0.0, 0.25, 0.5]


def test_refusals_double() -> None:
    found = pauses(*[XTrouble("503", status=503)] * 9)
    assert found == [5, 10, 20, 40, 80, 160, 320, 320, 320]


def test_rate_limits_double_from_a_minute() -> None:
    found = pauses(*[XTrouble("429", status=429)] * 6)
    assert found == [60, 120, 240, 480, 900, 900]


@pytest.mark.parametrize(("in_seconds", "expected"), [(30, 31), (-5, 1), (10_000, 900)])
def test_a_limit_that_says_when_it_ends_is_believed(in_seconds: int, expected: int) -> None:
    reset_s = NOW_US // SECOND_US + in_seconds
    assert pauses(XTrouble("429", status=429, reset_s=reset_s)) == [expected]


def test_after_a_good_while_everything_begins_again() -> None:
    patience = Patience()
    refused = XTrouble("503", status=503)
    for _ in range(5):
        patience.pause_us(refused, was_open=False, now_us=NOW_US)
    patience.begin_again()
    assert patience.pause_us(refused, was_open=False, now_us=NOW_US) == 5 * SECOND_US
    assert patience.pause_us(Disconnected("x"), was_open=True, now_us=NOW_US) == 0
    limited = XTrouble("429", status=429)
    assert patience.pause_us(limited, was_open=False, now_us=NOW_US) == MINUTE_US
