"""Retry policies: how often a failing activity or child is tried again, and after which pauses."""

import math
import sys
from collections.abc import Iterable
from datetime import timedelta
from typing import Final, Self

from perdure.base.time import LATEST_US, SECOND_US

_NO_TIME: Final = timedelta(0)
_ALL_TIME_S: Final = LATEST_US / SECOND_US


class RetryPolicy:
    """How a failing activity or child workflow is tried again. Never changed once it is made."""

    def __init__(
        self,
        *,
        first_retry_interval: timedelta,
        max_number_of_attempts: int,
        backoff_coefficient: float | None = 1.0,
        max_retry_interval: timedelta | None = None,
        retry_timeout: timedelta | None = None,
        non_retryable_error_types: Iterable[str | type[BaseException]] | None = None,
    ) -> None:
        """Keep the policy.

        - `max_number_of_attempts` counts the first one too.
        - Each pause is the one before times `backoff_coefficient`, up to `max_retry_interval`.
        - No attempt begins later than `retry_timeout` after the first.
        - Errors of `non_retryable_error_types`, named or given as classes, end the attempts.

        Raises ValueError for a number that makes no sense.
        """
        if first_retry_interval < _NO_TIME:
            raise ValueError("first_retry_interval must be >= 0")
        if max_number_of_attempts < 1:
            raise ValueError("max_number_of_attempts must be >= 1")
        if backoff_coefficient is not None and not backoff_coefficient >= 1:  # no number is not
            raise ValueError("backoff_coefficient must be >= 1")
        if max_retry_interval is not None and max_retry_interval < _NO_TIME:
            raise ValueError("max_retry_interval must be >= 0")
        if retry_timeout is not None and retry_timeout < _NO_TIME:
            raise ValueError("retry_timeout must be >= 0")
        self._first_retry_interval = first_retry_interval
        self._max_number_of_attempts = max_number_of_attempts
        self._backoff_coefficient = backoff_coefficient
        self._max_retry_interval = max_retry_interval
        self._retry_timeout = retry_timeout
        self._non_retryable = frozenset(
            kind if isinstance(kind, str) else kind.__name__
            for kind in non_retryable_error_types or ()
        )

    @property
    def obj(self) -> Self:
        """The policy itself, which other packages keep behind another one."""
        return self

    @property
    def first_retry_interval(self) -> timedelta:
        """The pause before the second attempt."""
        return self._first_retry_interval

    @property
    def max_number_of_attempts(self) -> int:
        """How many attempts there are at most, the first one included."""
        return self._max_number_of_attempts

    @property
    def backoff_coefficient(self) -> float | None:
        """By what each pause is longer than the one before."""
        return self._backoff_coefficient

    @property
    def max_retry_interval(self) -> timedelta | None:
        """How long a pause may become."""
        return self._max_retry_interval

    @property
    def retry_timeout(self) -> timedelta | None:
        """How long after the first attempt another one may begin."""
        return self._retry_timeout

    @property
    def non_retryable_error_types(self) -> frozenset[str]:
        """The names of the errors that end the attempts."""
        return self._non_retryable

    def next_pause_us(self, attempts: int) -> int | None:
        """Return the pause after so many attempts have failed, or None if they were the last.

        It follows from the policy alone, so that a replay comes to the same. None is longer than
        the time that there is, however often its coefficient multiplies it.
        """
        if attempts >= self._max_number_of_attempts:
            return None
        first_s = self._first_retry_interval.total_seconds()
        longest = self._max_retry_interval
        longest_s = _ALL_TIME_S if longest is None else min(longest.total_seconds(), _ALL_TIME_S)
        pause_s = elapsed_s = 0.0
        for number in range(attempts):
            pause_s = min(_power(self._backoff_coefficient or 1.0, number) * first_s, longest_s)
            elapsed_s += pause_s
        timeout = self._retry_timeout
        if timeout is not None and elapsed_s >= timeout.total_seconds():
            return None
        return min(round(pause_s * SECOND_US), LATEST_US)


def _power(coefficient: float, exponent: int) -> float:
    try:
        return math.pow(coefficient, exponent)
    except OverflowError:
        return sys.float_info.max
