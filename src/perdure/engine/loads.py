"""Instances that were let go of, read again for their turns: several at once, never too many."""

from typing import Protocol

from perdure.base.limits import LOADS_AT_ONCE_MAX
from perdure.engine.landing import Landing
from perdure.engine.residents import Resident, Residents


class Loaded(Protocol):
    """Whoever is told that an instance has been read, or that it cannot be."""

    def __call__(self, resident: Resident | None, app_id: str, *, was_full: bool) -> None:
        """Take in an instance of an app; `was_full` tells that others may have been put off."""


class Loads:
    """Reads instances beside the caller."""

    def __init__(self, residents: Residents, landing: Landing, loaded: Loaded) -> None:
        """Read into `residents`, and tell `loaded` of each."""
        self._residents = residents
        self._landing = landing
        self._loaded = loaded
        self._count = 0

    @property
    def full(self) -> bool:
        """Whether no more may be read just now."""
        return self._count >= LOADS_AT_ONCE_MAX

    @property
    def idle(self) -> bool:
        """Whether nothing is being read."""
        return self._count == 0

    def begin(self, key: int, app_id: str) -> None:
        """Read an instance of an app."""
        assert not self.full, "whoever reads looks whether it may"
        self._count += 1
        self._landing.spawn(self._load(key, app_id), "loading for a turn")

    async def _load(self, key: int, app_id: str) -> None:
        resident = None
        try:
            resident = await self._residents.get(key)
        finally:
            # Told in any case: one that cannot be read must not hold up those behind it.
            was_full = self.full
            self._count -= 1
            self._loaded(resident, app_id, was_full=was_full)
