"""A node: one process with the real engine, over a disk that outlives it.

It is booted, killed in the middle of anything, or stopped in good order, and booted again. What
comes in over the network runs in its home, so that a death cuts it off wherever it is.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Protocol

from perdure.base.errors import CallerFault, PerdureError, ShuttingDown, StoreError
from perdure.base.observer import Observer
from perdure.base.time import SECOND_US, Clock
from perdure.components.embedded import EmbeddedComponent
from perdure.engine.ownership import Leased
from perdure.engine.service import Engine
from perdure.engine.settings import EngineSettings, Sharing
from perdure.engine.work import Dialect, Profile, Stream
from perdure.proving.calls import Call, Reply, perform
from perdure.proving.crew import SimCrew
from perdure.proving.dialects import as_stored
from perdure.proving.disk import Disk, NodeDisk
from perdure.proving.here import HereApp
from perdure.proving.items import TurnItem, WorkItem, parsed
from perdure.proving.loop import HOME, Home, SimLoop
from perdure.proving.shared_disk import SharedNodeDisk, Ways
from perdure.store.leases import Term

_BOOT_AGAIN_US = SECOND_US
_REST_S = 2.0
# After so long everybody has heard, or looked.
HEARS_US = 60 * SECOND_US


class Link(Protocol):
    """A worker's end of a stream."""

    name: str
    stream: Stream | None

    def deliver(self, stream: Stream, item: bytes) -> None:
        """A work item has been written to a stream."""

    def ended(self, stream: Stream) -> None:
        """The server's end of a stream is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a node is put into."""

    loop: SimLoop
    disk: Disk
    seed: str
    settings: EngineSettings
    clock: Callable[["Node"], Clock]
    observer: Callable[["Node"], Observer]
    on_up: Callable[["Node"], None]
    on_down: Callable[["Node", str], None]
    on_handed_out: Callable[["Node", str, WorkItem, bytes], None]
    on_answered: Callable[["Node", Call, Reply], None]
    on_told: Callable[["Node", tuple[int, ...]], None]
    on_trouble: Callable[[str, BaseException], None]
    ways: Ways | None = None  # where several nodes share the disk
    here: Callable[["Node"], HereApp] | None = None  # the app that each has in its process


class Node:
    """One process at a time, numbered by its epoch."""

    home: Home
    engine: Engine
    component: EmbeddedComponent
    crew: SimCrew
    store: NodeDisk
    shared: SharedNodeDisk  # the same, where it is shared
    clock: Clock

    def __init__(self, name: str, around: Surroundings) -> None:
        """Nothing runs before `boot`."""
        self.name = name
        self.epoch = 0
        self.up = False  # it takes requests and workers
        self.running = False  # there is a process
        self.links: dict[Stream, Link] = {}
        self._names: dict[Stream, str] = {}  # each stream has one of its own
        self.ahead_us = 0  # how far its wall clock is from that of the world
        self.secluded = False  # neither clients nor workers reach it
        self.serving: list[Call] = []
        self.here: HereApp | None = None
        self.touched: list[int] = []
        # When others have last changed what is on disk, by key.
        self.changed_elsewhere: dict[int, int] = {}
        self._around = around
        self._context: Context

    # ---- life

    def boot(self) -> None:
        """Begin a process; it is `up` once it has found what was under way."""
        assert not self.running, "one process at a time"
        self.epoch += 1
        self.running = True
        self.changed_elsewhere.clear()
        self.home = Home(f"{self.name}.{self.epoch}")
        self._around.loop.homes.append(self.home)
        self._context = copy_context()
        self._context.run(HOME.set, self.home)
        self._context.run(self._compose)
        self.spawn(self._start())

    def _compose(self) -> None:
        around = self._around
        crash = partial(self.kill, "at a commit")
        sharing = None
        if around.ways is None:
            self.store = NodeDisk(around.disk, self.home, crash)
        else:
            self.shared = SharedNodeDisk(around.disk, around.ways, self.home, crash)
            self.store = self.shared
            sharing = Sharing(store=self.shared, node=self.home.name, name=self.name)
        ids = Random(f"{around.seed}:ids:{self.home.name}")
        self.crew = SimCrew(around.loop, self.home, ids, around.disk.delay_us)
        self.crew.take_touched = self._take_touched
        self.crew.step = around.disk.step
        self.crew.on_told = lambda keys: around.on_told(self, keys)
        self.clock, observer = around.clock(self), around.observer(self)
        self.engine = Engine(around.settings, self.store, self.clock, observer, self.crew, sharing)
        self.component = EmbeddedComponent(self.engine, self.clock, observer)

    def _take_touched(self) -> tuple[int, ...]:
        touched, self.touched = tuple(self.touched), []
        return touched

    async def _start(self) -> None:
        try:
            await self.engine.start()
        except StoreError:
            # A server that cannot read does not start; whoever watches over it starts it again.
            self.kill("it cannot read")
            return
        self.up = True
        if self._around.here is not None:
            self.here = self._around.here(self)
            self.here.come()
        self._around.on_up(self)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something in the present process."""
        return self._around.loop.create_task(work, context=self._context.copy())

    def kill(self, why: str) -> None:
        """End the process here and now, whatever it does."""
        if self.running:
            self.home.alive = False
            self._gone(why)

    async def _stop(self) -> None:
        self.up = False
        await self.engine.rest(_REST_S)
        self.engine.stop_handing_out()
        await self.engine.stop()
        self.home.alive = False
        self._gone("stopped")

    def stop(self) -> None:
        """Stop the process in good order, as a server does."""
        if self.up:
            self.spawn(self._stop())

    def _gone(self, why: str) -> None:
        self.up = self.running = False
        self.store.close()
        self.here = None
        for call in self.serving:
            call.lost = True
        self.serving.clear()
        links, self.links = self.links, {}
        self._names.clear()
        for stream, link in links.items():
            link.ended(stream)
        self._around.on_down(self, why)

    # ---- among others

    def is_behind(self, key: int) -> bool:
        """Tell whether it may not know yet what others have done, or what it has done itself."""
        if self._around.ways is None:
            return False
        since_us = max(self.changed_elsewhere.get(key, -HEARS_US), self.shared.unsure_us)
        just_now = self._around.loop.now_us - since_us < HEARS_US
        return just_now or self.engine.rereading.is_at(key)

    def counts_inexactly(self) -> bool:
        """Tell whether what it noted may have been refused, or have been of what never left it."""
        leases = self.engine.leases
        if leases is None:
            return False
        return leases.lost + leases.given_back > 0 or self.home.stopped_until_us > 0

    def terms(self) -> tuple[Term, ...]:
        """Return the terms under which it would hand out now."""
        owner = self.engine.owner
        if not self.up or not isinstance(owner, Leased) or not owner.may_hand_out():
            return ()
        return owner.terms

    # ---- what befalls it

    @property
    def stopped_until_us(self) -> int:
        """Until when it does nothing."""
        return self.home.stopped_until_us if self.running else 0

    def stand_still(self, duration_us: int) -> None:
        """Do nothing for a while, and know nothing of it after."""
        self.home.stopped_until_us = self._around.loop.now_us + duration_us

    # ---- what comes in

    def takes(self) -> bool:
        """Tell whether requests and workers reach it just now."""
        return self.up and not self.secluded and self.stopped_until_us <= self._around.loop.now_us

    def open_links(self) -> set[str]:
        """Return the names of the streams that are open."""
        here = {self.here.link} if self.here is not None and self.here.app is not None else set()
        return {self._names[stream] for stream in self.links} | here

    def serve(self, call: Call, told: Callable[[Call], None]) -> None:
        """Do what a client asks; `told` is called with the reply in it."""
        assert self.up, "a node that is down takes no requests"
        call.since = self.knows_since()
        self.serving.append(call)
        self.spawn(self._serve(call, told))

    def knows_since(self) -> int:
        """Return the step whose state of the disk the engine knows at least."""
        doubt = self.store.in_doubt_since
        steps = [*self.crew.landed_steps, *([] if doubt is None else [doubt])]
        return min([*steps, self._around.disk.step()])

    async def _serve(self, call: Call, told: Callable[[Call], None]) -> None:
        reply = await perform(self.component, call.request)
        self.serving.remove(call)
        self._around.on_answered(self, call, reply)
        told(call)

    def open(self, profile: Profile, link: Link) -> bool:
        """Open a stream for a worker; tells whether the node takes it."""
        try:
            link.stream = self._context.run(self.engine.open_stream, profile)
        except ShuttingDown:
            return False
        self.links[link.stream] = link
        self._names[link.stream] = f"{link.name}/{len(self._names)}"
        plain = profile.dialect is Dialect.DAPR
        self.spawn(self._pump(link.stream, link, is_plain=plain))
        return True

    async def _pump(self, stream: Stream, link: Link, *, is_plain: bool) -> None:
        async for data in stream.items():
            item = parsed(data)
            if isinstance(item, TurnItem) and not is_plain:
                item = as_stored(item, self._around.disk.images.by_id.get(item.instance_id))
            self._around.on_handed_out(self, self._names[stream], item, data)
            link.deliver(stream, data)
        if self.links.pop(stream, None) is not None:
            link.ended(stream)

    def cut(self, stream: Stream | None) -> None:
        """Notice that a worker's end of a stream is gone."""
        left_us = self.stopped_until_us - self._around.loop.now_us
        if left_us > 0:
            self._around.loop.outside(left_us, self.cut, stream)
        elif stream is not None and stream in self.links and self.home.alive:
            del self.links[stream]
            self._context.run(stream.close)

    def take_answer(self, answer: bytes, *, of_turn: bool) -> None:
        """Take a worker's answer, as a unary call does."""
        self.spawn(self._take_answer(answer, of_turn=of_turn))

    async def _take_answer(self, answer: bytes, *, of_turn: bool) -> None:
        try:
            if of_turn:
                await self.engine.complete_turn(answer)
            else:
                await self.engine.complete_activity(answer)
        except (CallerFault, PerdureError) as error:
            self._around.on_trouble("answer", error)
