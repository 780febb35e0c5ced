"""The engine's face: requests and reads for the components, streams for the workers' door."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from perdure.base.observer import Observer
from perdure.base.time import Clock
from perdure.core import requests as rq
from perdure.core.requests import Refusal
from perdure.engine.aftermath import Aftermath
from perdure.engine.births import Births
from perdure.engine.committer import Committer
from perdure.engine.crew import THREADS, Crew
from perdure.engine.deliveries import Deliveries
from perdure.engine.dispatcher import Dispatcher, WorkStream
from perdure.engine.forgetting import Forgetting
from perdure.engine.ground import Ground
from perdure.engine.housekeeping import Housekeeping
from perdure.engine.inboxes import Inboxes, ReadyTurns
from perdure.engine.intake import Intake
from perdure.engine.landing import Landing
from perdure.engine.leases import LeaseFigures, Leases
from perdure.engine.local import LocalApp, LocalWork
from perdure.engine.looking import Looking
from perdure.engine.lookup import Lookup
from perdure.engine.mailbox import Mailbox
from perdure.engine.memory import Memory
from perdure.engine.moves import Moves
from perdure.engine.neighbours import Neighbours
from perdure.engine.ownership import Leased, owner_of
from perdure.engine.parking import Parking
from perdure.engine.proposals import Proposals
from perdure.engine.queueing import TaskQueues
from perdure.engine.reading import Reader
from perdure.engine.recovery import Recovery
from perdure.engine.recycling import Recycling
from perdure.engine.removal import Removal
from perdure.engine.rereading import Rereading
from perdure.engine.rerunning import Rerunning
from perdure.engine.residents import Resident, Residents
from perdure.engine.retention import Retention
from perdure.engine.settings import EngineSettings, Sharing
from perdure.engine.tasks import Tasks
from perdure.engine.timers import Timers
from perdure.engine.turns import Turns
from perdure.engine.waiters import Waiters
from perdure.engine.waking import Waking
from perdure.engine.work import Profile
from perdure.store.port import Snapshot, Store

T = TypeVar("T")


class Engine:
    """One owner of one store. Make it on the loop that it is to run on."""

    def __init__(
        self,
        settings: EngineSettings,
        store: Store,
        clock: Clock,
        observer: Observer,
        crew: Crew = THREADS,
        sharing: Sharing | None = None,
    ) -> None:
        """Compose the rooms; nothing runs before `start`.

        With `sharing` it is one of several nodes on that store, and owns what it has leases on.
        """
        self.settings = settings
        self.owner = owner = owner_of(sharing)
        self._clock = clock
        self._reader = Reader(store, observer)
        self._committer = Committer(store, observer, crew)
        self._landing = Landing(self._committer, observer)
        ground = Ground(settings, clock, observer, self._reader, self._landing, crew, owner)
        self._residents = Residents(
            self._reader,
            owner,
            count_max=settings.residents_max,
            bytes_max=settings.resident_bytes_max,
        )
        self._waiters = Waiters()
        self._lookup = Lookup(self._reader, self._residents, self._waiters, owner)
        self._ready = ReadyTurns(settings.ready_max)
        self._inboxes = Inboxes(self._residents, self._ready, self._landing)
        self._queues = TaskQueues(settings.ready_max, owner)
        self._timers = Timers(ground, self._residents, self._inboxes)
        self._aftermath = Aftermath(
            ground, self._residents, self._inboxes, self._queues, self._timers, self._waiters
        )
        self._moves = Moves(ground, self._lookup, self._aftermath)
        self._dispatcher = Dispatcher(observer)
        self._turns = Turns(ground, self._residents, self._ready, self._dispatcher, self._moves)
        self._tasks = Tasks(ground, self._queues, self._dispatcher, self._inboxes, self._turns)
        self._recovery = Recovery(ground, self._ready, self._inboxes, self._queues)
        self._take_requests(ground)
        self._look_after(ground, sharing)
        self._connect()

    def _take_requests(self, ground: Ground) -> None:
        """Compose the rooms that do what is asked."""
        proposals = Proposals(ground, self._residents, self._inboxes, self._queues, self._aftermath)
        births = Births(ground, self._turns, self._moves, self._aftermath, proposals)
        self._intake = Intake(ground, self._lookup, proposals, births)
        self._removal = Removal(
            ground, self._lookup, self._residents, self._inboxes, self._queues, self._turns
        )
        self._rerunning = Rerunning(ground, self._inboxes, self._aftermath, self._timers)
        self.mailbox = Mailbox(ground, self._lookup, self._inboxes, proposals)
        self.parking = Parking(ground, self._lookup, proposals)
        recycling = Recycling(
            ground, self._residents, self._inboxes, self._turns, self._moves, proposals
        )
        self.deliveries = Deliveries(
            ground, self._lookup, proposals, self.mailbox, self.parking, recycling
        )

    def _look_after(self, ground: Ground, sharing: Sharing | None) -> None:
        """Compose the rooms that see to what nobody asks for."""
        self._retention = Retention(ground, self._removal)
        self.forgetting = Forgetting(ground, self.mailbox)
        self._housekeeping = Housekeeping(
            ground, self.mailbox, self.parking, self._retention, self.forgetting
        )
        memory = Memory(
            self._residents, self._inboxes, self._ready, self._queues, self._turns, self._timers
        )
        self.rereading = Rereading(ground, self._lookup, memory)
        self._waking = Waking(ground, memory, self._tasks, self._moves, self._recovery)
        self._neighbours = self._among(ground, memory, sharing)

    def _among(self, ground: Ground, memory: Memory, sharing: Sharing | None) -> Neighbours | None:
        """Return what keeps memory true among others, if there can be any."""
        if sharing is None or not isinstance(ground.owner, Leased):
            return None
        owner = ground.owner
        looking = Looking(ground, memory, self.rereading, self._recovery)
        neighbours = Neighbours(ground, owner, memory, looking, self._waiters)
        landing, apps = ground.landing, self._dispatcher.apps
        neighbours.leases = Leases(sharing, owner, landing, ground.observer, apps, neighbours)
        neighbours.recovery, neighbours.moves = self._recovery, self._moves
        neighbours.housekeeping = self._housekeeping
        return neighbours

    def _connect(self) -> None:
        """Tell each room whom it wakes."""
        self._inboxes.early = self._turns.early
        self._dispatcher.on_join = self._joined
        self._dispatcher.on_leave = self._waking.left
        self._aftermath.on_finished = self._ended
        self._aftermath.on_born = self.mailbox.look
        self._aftermath.on_dropped = self._turns.let_go
        self._removal.on_gone = self.parking.look
        self.mailbox.on_kept = self.forgetting.note
        self._landing.on_unsure = self.rereading.look_at_all
        if self._neighbours is not None:
            self._landing.on_fenced = self._neighbours.leases.fenced
            self._aftermath.on_not_moved = self.rereading.look
            self._inboxes.look = self.rereading.look

    def _joined(self, app_id: str) -> None:
        if self._neighbours is not None:
            self._neighbours.leases.look_again()
        self._waking.joined(app_id)

    def _ended(self, instance_id: str) -> None:
        self._retention.note_finished()
        self.parking.look(instance_id)

    # ---- life

    async def start(self) -> None:
        """Find what was under way, and begin to run."""
        self._committer.start()
        if self._neighbours is not None:
            await self._neighbours.start()
        else:
            await self._housekeeping.recover()
            await self._recovery.recover()
            self._housekeeping.begin()
        self._landing.keep(self._timers.run, "firing timers")

    async def rest(self, timeout_s: float) -> bool:
        """Hand out nothing more, and let workers finish what they have; whether all did in time."""
        return await self._dispatcher.rest(timeout_s)

    def stop_handing_out(self) -> None:
        """Hand out nothing more and end every stream well; answers are still landed."""
        self._turns.early.together.hurry()
        self._dispatcher.stop()

    async def stop(self) -> None:
        """Land what was handed in, then stop. The store is not closed."""
        self.stop_handing_out()
        self._landing.stop()
        self._ready.delays.stop()
        self._residents.stop()
        await self._committer.stop()
        self._waiters.stop()
        if self._neighbours is not None:
            await self._neighbours.stop()
        self._reader.stop()

    # ---- requests

    def begin(self, request: rq.Start) -> Coroutine[Any, Any, str | Refusal]:
        """Start an instance; its id, once that is on disk."""
        return self._intake.start(request)

    async def change(
        self, request: rq.RaiseEvent | rq.Terminate | rq.Suspend | rq.Resume
    ) -> Snapshot | Refusal:
        """Land a change; what it met, once it is on disk."""
        return await self._intake.change(request)

    async def purge(self, request: rq.Purge) -> int | Refusal:
        """Delete an instance; how many were deleted."""
        return await self._removal.purge(request)

    async def rerun(self, request: rq.Rerun) -> str | Refusal:
        """Begin an instance anew; its id, once that is on disk."""
        return await self._rerunning.rerun(request)

    # ---- reads

    def resident(self, instance_id: str) -> Resident | None:
        """Return an instance if it is in memory."""
        return self._residents.peek(instance_id)

    async def snapshot(self, instance_id: str) -> Snapshot | None:
        """Return an instance without its history."""
        return await self._lookup.snapshot(instance_id)

    async def read(self, question: Callable[[Store], T]) -> T:
        """Ask the store something, off the loop's thread."""
        return await self._reader.read(question)

    def wait(
        self, instance_id: str, *, finished: bool, timeout_us: int | None
    ) -> Coroutine[Any, Any, Snapshot | None]:
        """Return an instance once it has started, or with `finished` ended, or time is up."""
        return self._lookup.reached(instance_id, finished=finished, timeout_us=timeout_us)

    def figures(self) -> dict[str, int]:
        """Return how much of everything there is in memory just now, for metrics."""
        return {
            "ready_turns": self._ready.count,
            "ready_activities": self._queues.count,
            "outstanding_turns": self._turns.outstanding,
            "outstanding_activities": self._tasks.outstanding,
            "streams": self._dispatcher.count,
            "residents": len(self._residents),
        }

    @property
    def leases(self) -> LeaseFigures | None:
        """What there is to tell of leases; None where the store is not shared."""
        return None if self._neighbours is None else self._neighbours.leases.figures

    # ---- workers

    def open_stream(self, profile: Profile) -> WorkStream:
        """Begin to hand out work (see `engine.work.Workplace`)."""
        return self._dispatcher.open(profile)

    def attach(self, profile: Profile, work: LocalWork) -> LocalApp:
        """Let an app of this process have its work (see `engine.local`); `close` detaches it.

        Raises CallerFault if its app id is attached, ShuttingDown as `open_stream` does.
        """
        errands = self._tasks.errands
        stream = self._dispatcher.open(
            profile, lambda profile, leave: LocalApp(profile, leave, work, errands)
        )
        assert isinstance(stream, LocalApp), stream
        return stream

    async def complete_turn(self, answer: bytes) -> None:
        """Take a turn's answer (see `engine.work.Workplace`)."""
        landing = self._turns.complete(answer)
        if landing is not None:
            landing.add_done_callback(_reported)

    async def land_turn(self, answer: bytes) -> None:
        """Take a turn's answer, and return once what it came to is on disk and true in memory."""
        landing = self._turns.complete(answer)
        if landing is not None:
            await landing

    async def complete_activity(self, answer: bytes) -> None:
        """Land an activity's answer (see `engine.work.Workplace`)."""
        await self._tasks.complete(answer)


def _reported(landing: "asyncio.Future[Any]") -> None:
    # Nobody awaits it: what went wrong has been reported by those who land.
    if not landing.cancelled():
        landing.exception()
