"""Stalled instances: tried again after a growing pause, or when a worker of their app comes."""

from perdure.base.limits import STALL_RETRY_FIRST_US, STALL_RETRY_LONGEST_US
from perdure.engine.ready import Delays


class Stalls:
    """Which instances are stalled, of which app, and how often in a row they have been."""

    def __init__(self, delays: Delays) -> None:
        """Let stalled instances wait in `delays`."""
        self._delays = delays
        self._stalled: dict[int, tuple[str | None, int]] = {}

    def note(self, key: int, app_id: str | None) -> None:
        """Note that an instance has stalled, once more or for the first time.

        Without an app the coming of a worker is no reason to try it again.
        """
        _, attempt = self._stalled.get(key, (None, 0))
        self._stalled[key] = (app_id, attempt + 1)
        self._delays.delay(
            key,
            attempt=attempt + 1,
            first_us=STALL_RETRY_FIRST_US,
            longest_us=STALL_RETRY_LONGEST_US,
        )

    def over(self, key: int) -> None:
        """Note that an instance has gone on, or is gone."""
        self._stalled.pop(key, None)

    def wake(self, app_id: str) -> list[int]:
        """Let an app's stalled instances wait no longer, and return them."""
        keys = [key for key, (stalled_app, _) in self._stalled.items() if stalled_app == app_id]
        return [key for key in keys if self._delays.end(key)]
