"""Triggers, from the files that define them to the room in which they run.

The room and its language of rules are loaded only where something is configured for them.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog
from starlette.routing import BaseRoute

from perdure.app.component_files import Resources
from perdure.base.errors import ConfigurationError
from perdure.base.time import Clock
from perdure.components.catalog import Catalog
from perdure.components.publishing import Publisher
from perdure.components.triggering import TriggerFigures, Triggers

_FAMILIES: Final = ("bindings.", "pubsub.")

_log = structlog.get_logger(__name__)


class Room(Triggers, Protocol):
    """The triggers of this process, as the server runs them."""

    @property
    def publisher(self) -> Publisher:
        """What publishes for apps."""
        ...

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The routes of sources that are called."""
        ...

    @property
    def open_paths(self) -> frozenset[str]:
        """The paths among them that need no API token."""
        ...

    def figures(self) -> TriggerFigures:
        """Return what there is to count; may be asked from another thread."""
        ...

    async def start(self) -> None:
        """Begin to receive for all triggers that are not paused."""
        ...

    async def stop(self) -> None:
        """Stop receiving; what is on disk is also acknowledged, if its broker is there."""
        ...

    async def close(self) -> None:
        """Let go of the brokers, once nothing is published any more."""
        ...


class TriggerConfig(Protocol):
    """What of the configuration concerns triggers."""

    @property
    def app_id(self) -> str: ...
    @property
    def resources(self) -> Resources: ...
    @property
    def instance_id_bytes_max(self) -> int: ...
    @property
    def instance_id_extra_characters(self) -> str: ...
    @property
    def message_bytes_max(self) -> int: ...


def check_triggers(config: TriggerConfig) -> list[str]:
    """Return what there is to warn about; raises ConfigurationError for what cannot be used."""
    warnings: list[str] = []
    if _is_configured(config.resources):
        _plans(config, warnings.append)
    return warnings


def open_room(config: TriggerConfig, catalog: Catalog, clock: Clock) -> Room | None:
    """Return the room, not yet started, or None if nothing is configured for it.

    Raises ConfigurationError, also for a library that is not installed.
    """
    if not _is_configured(config.resources):
        return None
    from perdure.triggers.room import Plans, TriggerRoom
    from perdure.triggers.routing import Rules

    plans = _plans(config, _silent)
    assert isinstance(plans, Plans)
    rules = Rules(
        config.app_id,
        config.instance_id_bytes_max,
        config.instance_id_extra_characters,
        config.message_bytes_max,
    )
    room = TriggerRoom(plans, catalog, clock, rules)
    used = {stream.component for stream in plans.streams}
    for name, each in config.resources.components.items():
        if each.type.startswith("pubsub.") or name in used:
            for warning in each.unused():
                _log.warning(warning)
    return room


def _is_configured(resources: Resources) -> bool:
    families = (each.type.startswith(_FAMILIES) for each in resources.components.values())
    return bool(resources.triggers or resources.subscriptions) or any(families)


def _plans(config: TriggerConfig, warn: Callable[[str], None]) -> object:
    from perdure.app.subscription_files import read_subscription
    from perdure.app.trigger_files import read_trigger
    from perdure.triggers.identity import ID_BYTES_LEAST
    from perdure.triggers.room import Plans
    from perdure.triggers.topology import streams

    resources, app_id = config.resources, config.app_id
    triggers = [read_trigger(document, app_id=app_id) for document in resources.triggers]
    found = [each for each in triggers if each is not None]
    ways = [
        read_subscription(document, app_id=app_id, warn=warn)
        for document in resources.subscriptions
    ]
    subscriptions = [each for each in ways if each is not None]
    components = {
        name: each for name, each in resources.components.items() if each.type.startswith(_FAMILIES)
    }
    kinds = {name: each.type for name, each in components.items()}
    fed = streams(found, subscriptions, kinds, warn)
    if found and config.instance_id_bytes_max < ID_BYTES_LEAST:
        raise ConfigurationError(
            f"--instance-id-max-bytes {config.instance_id_bytes_max}: triggers make instance ids "
            f"of up to {ID_BYTES_LEAST} bytes; allow at least so many"
        )
    used = {stream.component for stream in fed}
    for name, each in components.items():
        if each.type.startswith("bindings.") and name not in used:
            warn(f"{each.place}: no trigger uses binding {name}, so it has no effect")
    return Plans(components=components, triggers=found, subscriptions=subscriptions, streams=fed)


def _silent(_text: str) -> None:
    """Say nothing: what there is to warn about was said when the configuration was read."""
