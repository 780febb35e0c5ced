"""The workflow components whose engine is away from this process."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from perdure.base.errors import ConfigurationError
from perdure.base.time import Clock
from perdure.components.port import WorkflowComponent
from perdure.components.temporal.settings import TemporalSettings


class Remote(WorkflowComponent, Protocol):
    """A workflow component that is opened and closed; opening it needs no answer from afar."""

    async def open(self) -> None:
        """Begin to look after the connection. Returns at once, and raises nothing."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...


def remotes_of(
    settings: Iterable[TemporalSettings], clock: Clock, *, app_id: str
) -> dict[str, Remote]:
    """Return the components by name. Raises ConfigurationError if their library is missing."""
    found: dict[str, Remote] = {}
    for each in settings:
        try:
            # An optional library is loaded only when it is configured.
            from perdure.components.temporal.component import TemporalComponent
        except ModuleNotFoundError as error:
            library = str(error.name).partition(".")[0]
            raise ConfigurationError(
                f"component {each.name} is a Temporal cluster, and {library} is not installed; "
                "install perdure[temporal]"
            ) from error
        found[each.name] = TemporalComponent(each, clock, app_id=app_id)
    return found


def answering(remotes: Mapping[str, Remote]) -> dict[str, bool]:
    """Return of each component whether its engine answers, as far as the last call tells."""
    return {name: remote.trouble() is None for name, remote in remotes.items()}
