"""What every room of the engine stands on."""

from dataclasses import dataclass

from perdure.base.observer import Observer
from perdure.base.time import Clock
from perdure.engine.crew import Crew
from perdure.engine.landing import Landing
from perdure.engine.reading import Reader
from perdure.engine.settings import EngineSettings


@dataclass(frozen=True, slots=True)
class Ground:
    """The settings, the time, who listens, the two ways to the store, and the crew."""

    settings: EngineSettings
    clock: Clock
    observer: Observer
    reader: Reader
    landing: Landing
    crew: Crew
