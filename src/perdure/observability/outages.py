"""A store that is away, as those who write a log see it: told once, and once when it is back.

Everything that is tried meanwhile fails, again and again. It is back when something has been
written, or a lease renewed; that something could be read does not say that it can be written to.
"""

import time
from collections.abc import Callable

from perdure.base.errors import StoreAway


class Outages:
    """Tells the first fault of an outage from the others, and how long it was."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        """Begin with a store that is there."""
        self._monotonic_s = monotonic_s
        self._since_s: float | None = None

    def covers(self, error: BaseException) -> bool:
        """Tell whether a fault is one of an outage that has been told of."""
        return isinstance(error, StoreAway) and self._since_s is not None

    def begins(self, error: BaseException) -> bool:
        """Tell whether an outage begins with a fault, and take note of it."""
        if not isinstance(error, StoreAway) or self._since_s is not None:
            return False
        self._since_s = self._monotonic_s()
        return True

    def ended(self) -> float | None:
        """Take note that the store is there; in seconds how long it was away, None if it was not.

        It is to be told of as ended just once.
        """
        if self._since_s is None:
            return None
        since_s, self._since_s = self._since_s, None
        return self._monotonic_s() - since_s
