"""The bridge's face: started once and stopped once, a workplace for the workers' door."""

from temporalio.client import Client

from perdure.base.observer import Observer
from perdure.base.time import Clock
from perdure.bridge.cluster import connected
from perdure.bridge.desk import Desk
from perdure.bridge.polling import Polling
from perdure.bridge.settings import BridgeSettings
from perdure.engine.work import Profile, Stream


class Bridge:
    """Runs workflows of a Temporal cluster with the workers that connect to this process."""

    def __init__(self, settings: BridgeSettings, clock: Clock, observer: Observer) -> None:
        """Take the settings; nothing is connected before `start`."""
        self._settings = settings
        self._observer = observer
        self._desk = Desk(settings, clock, observer)
        self._polling: Polling | None = None
        self._client: Client | None = None

    async def start(self) -> None:
        """Connect and begin to poll. Raises ConfigurationError if the cluster cannot be used."""
        self._client = await connected(self._settings.cluster)
        self._polling = Polling(self._settings, self._client, self._desk, self._observer)
        self._polling.start()

    async def rest(self, timeout_s: float) -> bool:
        """Hand out nothing more, and let workers finish what they have; whether all did in time."""
        return await self._desk.rest(timeout_s)

    def stop_handing_out(self) -> None:
        """Hand out nothing more and end every stream well."""
        self._desk.stop()

    async def stop(self) -> None:
        """Stop; what is under way is gone on with by whichever bridge comes next."""
        self.stop_handing_out()
        if self._polling is not None:
            await self._polling.stop()
            self._polling = None

    def open_stream(self, profile: Profile) -> Stream:
        """Begin to hand out work (see `engine.work.Workplace`)."""
        return self._desk.open_stream(profile)

    async def complete_turn(self, answer: bytes) -> None:
        """Take a turn's answer (see `engine.work.Workplace`)."""
        await self._desk.complete_turn(answer)

    async def complete_activity(self, answer: bytes) -> None:
        """Take an activity's answer (see `engine.work.Workplace`)."""
        await self._desk.complete_activity(answer)
