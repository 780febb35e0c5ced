"""What the doors may know of the process they are in: health, metadata and how to stop it."""

from typing import Protocol


class Runtime(Protocol):
    """The running server, as Dapr's health, metadata and shutdown calls see it."""

    app_id: str
    version: str

    def not_ready_because(self) -> str | None:
        """Return why the server cannot serve just now, or None if it can."""
        ...

    def connected_workers(self) -> int:
        """Return the number of open work item streams."""
        ...

    def extended_metadata(self) -> dict[str, str]:
        """Return the key-value pairs that callers added to the metadata."""
        ...

    def set_extended_metadata(self, key: str, value: str) -> None:
        """Add a pair to the metadata for as long as the process lives."""
        ...

    def request_shutdown(self, *, force: bool) -> None:
        """Begin to stop: in good order, or with exit code 1 and without waiting."""
        ...
