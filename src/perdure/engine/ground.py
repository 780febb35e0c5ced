"""What every room of the engine stands on."""

from dataclasses import dataclass

from perdure.base.observer import Observer
from perdure.base.time import Clock
from perdure.engine.crew import Crew
from perdure.engine.landing import Landing
from perdure.engine.ownership import Ownership
from perdure.engine.reading import Reader
from perdure.engine.settings import EngineSettings


@dataclass(frozen=True, slots=True)
class Ground:
    """The settings, the time, who listens, the ways to the store, the crew, and what is owned."""

    settings: EngineSettings
    clock: Clock
    observer: Observer
    reader: Reader
    landing: Landing
    crew: Crew
    owner: Ownership
