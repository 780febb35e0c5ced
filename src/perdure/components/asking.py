"""Who asks, and which app is meant: what a door knows of a caller besides the request."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asker:
    """The app that a call comes from, and the one that it names as the owner of the workflow."""

    app_id: str
    owner: str | None = None  # None: for starts the caller's own, else whoever owns the instance

    @property
    def starts_in(self) -> str:
        """The app whose worker runs what the call starts."""
        return self.owner or self.app_id
