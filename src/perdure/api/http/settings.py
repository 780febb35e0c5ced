"""What the HTTP door is told when it is built, and what every handler is given."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.requests import Request

from perdure.components.asking import Asker
from perdure.components.catalog import EMBEDDED, Catalog
from perdure.components.port import WorkflowComponent
from perdure.components.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """What a person may set about the HTTP door."""

    api_token: str | None  # every call but the health checks has to carry it
    allowed_origins: tuple[str, ...]  # for browsers; `*` is any, none is none
    body_bytes_max: int
    instance_id_bytes_max: int
    instance_id_extra_characters: str  # legal in an instance id besides letters, digits, _ and -
    retry_after_seconds: int  # when to ask again about an instance that has not finished


@dataclass(frozen=True, slots=True)
class Door:
    """What every handler works with."""

    settings: HttpSettings
    catalog: Catalog
    runtime: Runtime
    stopping: asyncio.Event  # set when the server stops: long polls end

    def seen_by(self, asker: Asker) -> "Door":
        """Return the door as one caller finds it."""
        catalog = self.catalog.seen_by(asker)
        return self if catalog is self.catalog else replace(self, catalog=catalog)

    @property
    def component_names(self) -> frozenset[str]:
        """The names of the loaded workflow components."""
        return frozenset(self.catalog.components)

    def component(self, segment: str) -> WorkflowComponent:
        """Return the component that a path in released form means.

        Released Dapr takes any name there, so an unknown one is the embedded component.
        """
        return self.catalog.named(segment) or self.catalog.components[EMBEDDED]


@dataclass(frozen=True, slots=True)
class Call:
    """One request at the door, with the decoded parameters of its path."""

    door: Door
    request: Request
    path: Mapping[str, str]
    asker: Asker
    whole: Catalog  # as no policy narrows it: for what the door itself has to know
