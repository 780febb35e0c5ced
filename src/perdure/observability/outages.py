"""A store that is away, as those who write a log see it: told once, and once when it is back.

Everything that is tried meanwhile fails, again and again. It is back when something has been
written, or a lease renewed; that something could be read does not say that it can be written to.

A store that is there and cannot do what it is asked, its disk full for example, fails every call
in the same words: they are told again only after a while.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from typing_extensions import override

from perdure.base.errors import StoreAway, StoreError
from perdure.base.observer import NullObserver

_AGAIN_S: Final = 30.0


class Outages:
    """Tells the first fault of an outage from the others, and how long it was."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        """Begin with a store that is there."""
        self._monotonic_s = monotonic_s
        self._since_s: float | None = None
        self._told: tuple[str, float] | None = None  # what else failed last, and when

    def covers(self, error: BaseException) -> bool:
        """Tell whether a fault is one of an outage that has been told of."""
        return isinstance(error, StoreAway) and self._since_s is not None

    def begins(self, error: BaseException) -> bool:
        """Tell whether an outage begins with a fault, and take note of it."""
        if not isinstance(error, StoreAway) or self._since_s is not None:
            return False
        self._since_s = self._monotonic_s()
        return True

    def repeats(self, error: BaseException) -> bool:
        """Tell whether a store's fault, not of an outage, was told just now; else take note."""
        if not isinstance(error, StoreError):
            return False
        now_s, words = self._monotonic_s(), str(error)
        if self._told is not None and self._told[0] == words and now_s - self._told[1] < _AGAIN_S:
            return True
        self._told = words, now_s
        return False

    def ended(self) -> float | None:
        """Take note that the store is there; in seconds how long it was away, None if it was not.

        It is to be told of as ended just once.
        """
        if self._since_s is None:
            return None
        since_s, self._since_s = self._since_s, None
        return self._monotonic_s() - since_s


class OutageObserver(NullObserver, ABC):
    """Tells faults: the first and the end of an outage once each, and others as they come."""

    def __init__(self, outages: Outages | None = None) -> None:
        """Begin with a store that is there, unless `outages` knows better."""
        self._outages = outages or Outages()

    @abstractmethod
    def store_went_away(self, where: str, error: BaseException) -> None:
        """Tell that the store is away, which was found out at `where`."""
        ...

    @abstractmethod
    def store_is_still_away(self, where: str, error: BaseException) -> None:
        """Tell that something else failed since the store is away."""
        ...

    @abstractmethod
    def store_fails_still(self, where: str, error: BaseException) -> None:
        """Tell that the store failed once more with what it failed with just now."""
        ...

    @abstractmethod
    def store_came_back(self, away_s: float) -> None:
        """Tell that the store is back, after so many seconds."""
        ...

    @abstractmethod
    def other_fault(self, where: str, error: BaseException) -> None:
        """Tell a fault that is not of an outage."""
        ...

    @override
    def fault(self, where: str, error: BaseException) -> None:
        if self._outages.covers(error):
            self.store_is_still_away(where, error)
        elif self._outages.begins(error):
            self.store_went_away(where, error)
        elif self._outages.repeats(error):
            self.store_fails_still(where, error)
        else:
            self.other_fault(where, error)

    @override
    def commit_landed(self, *, entries: int, duration_us: int) -> None:
        self._store_is_there()

    @override
    def leases_renewed(self) -> None:
        self._store_is_there()

    def _store_is_there(self) -> None:
        away_s = self._outages.ended()
        if away_s is not None:
            self.store_came_back(away_s)
