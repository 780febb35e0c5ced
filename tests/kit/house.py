"""An engine in its house: a store, a clock, an observer, and the component that doors ask.

Whatever a test does in it, on leaving everything that must always hold is looked at: nothing that
should not happen was reported, nobody is stuck, and what is in memory is what is on disk.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, Self, TypeVar

from perdure.base.errors import StoreError
from perdure.base.limits import STREAM_ITEMS_MAX
from perdure.base.time import SECOND_US
from perdure.components.embedded import EmbeddedComponent
from perdure.components.port import InstanceView, Started
from perdure.core import requests as rq
from perdure.core.events import Event
from perdure.core.notes import Shelf
from perdure.core.status import Status
from perdure.engine.residents import resident_of
from perdure.engine.service import Engine
from perdure.engine.settings import EngineSettings
from perdure.engine.work import Dialect, Profile
from perdure.store.port import Snapshot
from perdure.wire.events import decode
from tests.kit.asking import Asking
from tests.kit.clock import VirtualClock
from tests.kit.commits import handed_in
from tests.kit.recorder import Recorder
from tests.kit.shaky_store import MARK, ShakyStore
from tests.kit.worker import Worker

APP = "app"
T = TypeVar("T")
_READERS = 4


class House(Asking):
    """Use it with `async with`. `engine` and `component` are new ones after each `restart`."""

    engine: Engine
    component: EmbeddedComponent

    def __init__(self, store: ShakyStore | None = None, **settings: Any) -> None:
        self.settings = EngineSettings(**({"app_id": APP} | settings))
        self.store = ShakyStore() if store is None else store
        self.clock = VirtualClock(asyncio.get_running_loop())
        self.recorder = Recorder()
        self.workers: list[Worker] = []
        # What went wrong in the loop with nobody there to hear of it.
        self.unheard: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(self._overhear)
        # Reports of trouble that a test asks for, by the beginning of where they come from.
        self.expected_faults: tuple[str, ...] = ()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.store.power_returns()
            await self.settle()
            self.check()
        await self.close()
        if kind is None:
            assert not self.unheard, self.unheard

    def _overhear(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.unheard.append(context)

    async def open(self) -> None:
        """Compose an engine on the store and start it."""
        self.engine = Engine(self.settings, self.store, self.clock, self.recorder)
        self.component = EmbeddedComponent(self.engine, self.clock, self.recorder)
        await self.engine.start()

    async def close(self) -> None:
        """Stop the engine; the store stays."""
        for worker in self.workers:
            worker.leave()
        self.workers.clear()
        self.store.let_commits_go()
        self.store.let_loads_go()
        self.store.let_looks_go()
        self.store.let_replies_go()
        await self.engine.stop()

    async def restart(self) -> None:
        """Stop the engine, and start another on the same store."""
        await self.close()
        self.store.power_returns()
        await self.open()

    # ---- workers

    def worker(
        self,
        app_id: str = APP,
        *,
        echoes: bool = True,
        dialect: Dialect = Dialect.DAPR,
        stateful: bool = False,
        recalls: bool = False,
        **limits: int,
    ) -> Worker:
        """Connect a worker."""
        profile = Profile(
            app_id=app_id,
            worker=f"worker {len(self.workers)}",
            dialect=dialect,
            stateful_history=stateful,
            takes_recalls=recalls,
            turns_max=limits.get("turns_max"),
            activities_max=limits.get("activities_max"),
            items_max=limits.get("items_max", STREAM_ITEMS_MAX),
        )
        worker = Worker(self.engine, profile, echoes=echoes)
        self.workers.append(worker)
        return worker

    # ---- requests

    async def start(self, instance_id: str, **fields: Any) -> None:
        """Start an instance, which must succeed."""
        request = rq.Start(**({"instance_id": instance_id, "name": "wf", "app_id": APP} | fields))
        assert await self.component.start(request) == Started(instance_id)

    # ---- what is to be seen

    async def view(self, instance_id: str) -> InstanceView:
        """Return what readers see of an instance that must be there."""
        view = await self.component.get(instance_id)
        assert view is not None, instance_id
        return view

    async def status(self, instance_id: str) -> Status:
        return (await self.view(instance_id)).status

    async def finished(self, instance_id: str) -> InstanceView:
        """Return an instance once it has ended."""
        view = await self.component.wait(instance_id, finished=True, timeout_us=None)
        assert view is not None, instance_id
        return view

    def history(self, instance_id: str) -> list[Event]:
        """Return an instance's history as it is on disk."""
        loaded = self.store.load(instance_id)
        assert loaded is not None, instance_id
        return [decode(row.event) for row in loaded.history]

    def kinds(self, instance_id: str) -> list[str]:
        """Return the kinds of an instance's events, in order."""
        return [type(event).__name__ for event in self.history(instance_id)]

    def on_disk(self, instance_id: str) -> Snapshot:
        found = self.store.snapshot(instance_id)
        assert found is not None, instance_id
        return found

    # ---- quiet

    def soon(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do something beside the test, which awaits it later."""
        return asyncio.create_task(work)

    async def blocking(self, wait: Callable[[], object]) -> None:
        """Wait for a signal of another thread."""
        await asyncio.to_thread(wait)

    async def gather(self, work: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Do many things at once."""
        await asyncio.gather(*work)

    async def pass_time(self, duration_us: int) -> None:
        """Let time pass, and everything happen that this brings about.

        What was under way before happens before: it must not look at the clock in between.
        """
        await self.settle()
        self.clock.advance(duration_us)
        await self.settle()

    async def pass_minutes(self, minutes: int = 1) -> None:
        """Let time pass in seconds, so that what tries again after pauses comes to do so."""
        for _ in range(minutes * 60):
            await self.pass_time(SECOND_US)

    async def settle(self) -> None:
        """Return once nothing is under way: no commit, no read, nothing waiting to run."""
        before = -1
        while before != self.store.calls:
            before = self.store.calls
            for _ in range(3):
                await self.reads_done()
                await self._commits_done()

    async def reads_done(self) -> None:
        """Let every read that was under way come back, and whatever waited for it go on."""
        meeting = threading.Barrier(_READERS)
        reads = [self.engine.read(lambda _: meeting.wait()) for _ in range(_READERS)]
        await asyncio.gather(*reads)
        for _ in range(10):
            await asyncio.sleep(0)

    async def _commits_done(self) -> None:
        # A mark goes behind all commits; it may share the trouble of those it stands beside.
        with suppress(StoreError):
            await handed_in(self.engine._committer, MARK)  # noqa: SLF001 - the only way in
        for _ in range(10):
            await asyncio.sleep(0)

    def check(self) -> None:
        """Look at what must always hold once nothing is under way."""
        faults = [
            report
            for report in self.recorder.faults()
            if not report.positional[0].startswith(self.expected_faults or ("\0",))
        ]
        assert not faults, faults
        for worker in self.workers:
            worker.check()
        assert self.store.stuck(10) == ()
        self.check_activities()
        self.check_residents()
        self.check_waiting()

    def check_activities(self) -> None:
        """The activities that are known here are those that have not ended on disk."""
        rows = self.store.tasks(0, 1_000_000)
        on_disk = {(row.key, row.add.generation, row.add.task_id) for row in rows}
        assert set(self.engine._queues._live) == on_disk  # noqa: SLF001 - it has no other face

    def check_waiting(self) -> None:
        """Nothing waits on disk, for a birth or an end, of which is not known here."""
        for shelf, room in (
            (Shelf.MAILBOX, self.engine.mailbox),
            (Shelf.PARKED, self.engine.parking),
        ):
            for instance_id, count in self.store.note_counts(shelf).items():
                assert room.kept.count(instance_id) >= count, instance_id
                found = self.store.snapshot(instance_id)
                there = found is not None and found.head.completed_at_us is None
                assert there is (shelf is Shelf.PARKED), f"{shelf}: {instance_id}"

    def check_residents(self) -> None:
        """What is in memory is the fold of what is on disk."""
        for key, resident in self.engine._residents._by_key.items():  # noqa: SLF001 - no door shows it
            loaded = self.store.load(key)
            assert loaded is not None, f"a ghost: {resident.instance_id}"
            read = resident_of(loaded)
            assert resident.snapshot() == read.snapshot()
            assert resident.state == read.state
            assert resident.past == read.past
            assert resident.ends == read.ends
            assert {s: i.add for s, i in resident.inbox.items()} == {
                s: i.add for s, i in read.inbox.items()
            }
            assert not resident.moving, resident.instance_id
