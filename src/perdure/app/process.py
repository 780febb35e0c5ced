"""The running server as Dapr's health, metadata and shutdown calls see it."""

from collections.abc import Callable
from typing import Final

from perdure.app.stopping import Stopping
from perdure.base.errors import CallerFault
from perdure.base.limits import KIB

METADATA_PAIRS_MAX: Final = 100
METADATA_KEY_BYTES_MAX: Final = 1 * KIB
METADATA_VALUE_BYTES_MAX: Final = 64 * KIB


class Process:
    """An implementation of `components.runtime.Runtime`."""

    def __init__(self, *, app_id: str, version: str, stopping: Stopping) -> None:
        """Begin as one that is starting."""
        self.app_id = app_id
        self.version = version
        self.started = False
        # The number of open streams; the engine is made after this is.
        self.count_workers: Callable[[], int] = lambda: 0
        self._stopping = stopping
        self._extended: dict[str, str] = {}

    def not_ready_because(self) -> str | None:
        """Return why the server cannot serve just now, or None if it can."""
        if self._stopping.requested.is_set():
            return "the server is stopping"
        return None if self.started else "the server is starting"

    def connected_workers(self) -> int:
        """Return the number of open work item streams."""
        return self.count_workers()

    def extended_metadata(self) -> dict[str, str]:
        """Return the key-value pairs that callers added to the metadata."""
        return dict(self._extended)

    def set_extended_metadata(self, key: str, value: str) -> None:
        """Add a pair for as long as the process lives; raises CallerFault when it is too much."""
        if len(key.encode()) > METADATA_KEY_BYTES_MAX:
            raise CallerFault(f"a metadata key has at most {METADATA_KEY_BYTES_MAX} bytes")
        if len(value.encode()) > METADATA_VALUE_BYTES_MAX:
            raise CallerFault(f"a metadata value has at most {METADATA_VALUE_BYTES_MAX} bytes")
        if key not in self._extended and len(self._extended) >= METADATA_PAIRS_MAX:
            raise CallerFault(f"there are {METADATA_PAIRS_MAX} metadata pairs already")
        self._extended[key] = value

    def request_shutdown(self, *, force: bool) -> None:
        """Begin to stop: in good order, or with exit code 1 and without waiting."""
        if force:
            self._stopping.request_by_force("a request by force")
        else:
            self._stopping.request("a request")
