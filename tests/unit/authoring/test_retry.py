"""Retry policies: numbers that make sense, and the pauses that follow from them."""

import math
from datetime import timedelta
from typing import Any

import pytest

from perdure.authoring.retry import RetryPolicy
from perdure.base.time import LATEST_US, SECOND_US

S = timedelta(seconds=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_retry_interval": -S},
        {"max_number_of_attempts": 0},
        {"backoff_coefficient": 0.5},
        {"backoff_coefficient": math.nan},
        {"max_retry_interval": -S},
        {"retry_timeout": -S},
    ],
)
def test_numbers_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    settings: dict[str, Any] = {"first_retry_interval": S, "max_number_of_attempts": 3, **wrong}
    with pytest.raises(ValueError, match="must be >="):
        RetryPolicy(**settings)


@pytest.mark.parametrize(
    ("settings", "pauses_s"),
    [
        ({}, [1, 1, 1, None]),
        ({"backoff_coefficient": None}, [1, 1, 1, None]),
        ({"backoff_coefficient": 3.0}, [1, 3, 9, None]),
        ({"backoff_coefficient": 3.0, "max_retry_interval": 2 * S}, [1, 2, 2, None]),
        ({"retry_timeout": 3 * S}, [1, 1, None, None]),
        ({"first_retry_interval": timedelta(0), "retry_timeout": timedelta(0)}, [None] * 4),
    ],
)
def test_pauses_follow_from_the_policy(
    settings: dict[str, Any], pauses_s: list[int | None]
) -> None:
    policy = RetryPolicy(**{"first_retry_interval": S, "max_number_of_attempts": 4, **settings})
    wanted = [None if pause is None else pause * SECOND_US for pause in pauses_s]
    assert [policy.next_pause_us(attempts) for attempts in (1, 2, 3, 4)] == wanted


def test_a_policy_tells_what_it_was_made_of() -> None:
    policy = RetryPolicy(
        first_retry_interval=S,
        max_number_of_attempts=4,
        max_retry_interval=2 * S,
        retry_timeout=3 * S,
        non_retryable_error_types=[KeyError, "Other"],
    )
    assert policy.obj is policy
    assert (policy.first_retry_interval, policy.max_number_of_attempts) == (S, 4)
    assert (policy.backoff_coefficient, policy.max_retry_interval) == (1.0, 2 * S)
    assert policy.retry_timeout == 3 * S
    assert policy.non_retryable_error_types == {"KeyError", "Other"}


def test_a_coefficient_that_multiplies_for_long_comes_to_the_longest_pause() -> None:
    """As a number it would overflow at the 1,025th attempt."""
    policy = RetryPolicy(
        first_retry_interval=S,
        max_number_of_attempts=5_000,
        backoff_coefficient=2.0,
        max_retry_interval=60 * S,
    )
    assert policy.next_pause_us(4_000) == 60 * SECOND_US
    endless = RetryPolicy(
        first_retry_interval=S, max_number_of_attempts=5_000, backoff_coefficient=2.0
    )
    assert endless.next_pause_us(4_000) == LATEST_US
