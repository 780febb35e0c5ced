"""The world of one run: a disk, a node, workers, clients, a network, and the court that watches."""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import replace
from random import Random
from typing import Final

from perdure.base.observer import Observer
from perdure.base.time import SECOND_US, Clock
from perdure.proving.auditor import Auditor
from perdure.proving.broker import Broker
from perdure.proving.calls import Call, Reply, Request
from perdure.proving.court import Court
from perdure.proving.disk import Commit, Disk
from perdure.proving.fleet import Fleet
from perdure.proving.hand_outs import hand_out_of
from perdure.proving.here import HereApp, Watchers, is_of
from perdure.proving.items import ActivityItem, TurnItem, WorkItem
from perdure.proving.loop import Home, SimLoop
from perdure.proving.network import Network
from perdure.proving.node import Node, Surroundings
from perdure.proving.odds import QUIET
from perdure.proving.plan import Plan
from perdure.proving.shared_disk import Cluster, Ways
from perdure.proving.trace import Trace
from perdure.proving.watching import Watching
from perdure.proving.weather import Weather
from perdure.proving.workload import Workload
from perdure.store.port import Store

# 2026-01-01T00:00:00Z: any moment would do, as long as it is not zero.
BEGINNING_US: Final = 1_767_225_600 * SECOND_US
MakeClock = Callable[[Callable[[], int], Callable[[], int]], Clock]


class World:
    """Everything of one run, put together. `make_clock` is given a wall and a monotonic clock."""

    def __init__(
        self, plan: Plan, store: Store, make_clock: MakeClock, cluster: Cluster | None = None
    ) -> None:
        """Nothing happens before `begin`. Several nodes share `cluster`; `store` looks into it."""
        self.plan, self.trace = plan, Trace()
        self.figures: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.calls = 0
        chance = {name: Random(f"{plan.seed}:{name}") for name in ("disk", "net", "fleet", "sky")}
        self.disk = Disk(store, chance["disk"])
        self.loop = SimLoop(lambda: (self.disk.delay_us() // 2, self.disk.delay_us() // 2))
        self.loop.on_fault = self._unheard
        self.network = Network(self.loop, chance["net"])
        self.weather = Weather(self.loop, self.disk, chance["sky"])
        self.auditor = Auditor(self.disk.images)
        self.court = Court(self.auditor, self.trace, plan.settings.retention_us, self.wall_us)
        self.fleet = Fleet(self.loop, self.network, self.disk, chance["fleet"], self.trace)
        self.workload = Workload(Random(f"{plan.seed}:clients"), self.disk.images, self.wall_us)
        self.broker = Broker(Random(f"{plan.seed}:bus"), self.ask)
        self._make_clock = make_clock
        self.ways: Ways | None = None
        if cluster is not None:
            # Its leases run out by a clock of its own, which no node can set.
            cluster.now_us = lambda: BEGINNING_US + self.loop.now_us
            self.ways = Ways(cluster, self.loop, Random(f"{plan.seed}:ways"), odds=plan.ways)
        around = self._surroundings()
        names = ["node"] if self.ways is None else [f"node{n}" for n in range(plan.nodes)]
        self.nodes = tuple(Node(name, around) for name in names)
        self._connect()

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            loop=self.loop,
            disk=self.disk,
            seed=str(self.plan.seed),
            settings=self.plan.settings,
            clock=self._clock,
            observer=self._observer,
            on_up=lambda node: self.say("up", node.home.name),
            on_down=self._down,
            on_handed_out=self._handed_out,
            on_answered=self._answered,
            on_told=self._heard,
            on_trouble=lambda what, error: self.say(what, type(error).__name__),
            here=self._here if self.plan.here else None,
            ways=self.ways,
        )

    def _here(self, node: Node) -> HereApp:
        def on_out(link: str, key: Hashable, item: WorkItem) -> None:
            image = self.disk.images.by_id.get(item.instance_id)
            # The first turn of somebody who is not born yet has nothing to be compared with.
            if isinstance(item, ActivityItem) or (image is not None and is_of(image, key)):
                self._handed_out(node, link, item, repr(item).encode())

        watchers = Watchers(
            happens=self.disk.happens,
            calm=lambda: self.fleet.all_good,
            on_out=on_out,
            on_run=self.auditor.results_made.add,
            on_strayed=self.court.replay.strayed,
        )
        chance = Random(f"{self.plan.seed}:here:{node.home.name}")
        return HereApp(node.engine, self.loop, chance, watchers)

    def _connect(self) -> None:
        disk, fleet, weather = self.disk, self.fleet, self.weather
        disk.odds = self.plan.odds
        disk.on_landed = self._landed
        disk.on_broken = lambda text: self.court.accuse("invariant", text)
        disk.on_fault = self._injected
        disk.step = lambda: self.trace.step
        fleet.nodes = weather.nodes = self.nodes
        weather.ways = self.ways
        weather.scatter_clocks()
        fleet.auditor = self.auditor
        fleet.mixed = Random(f"{self.plan.seed}:families") if self.plan.mixed else None
        self.auditor.clock_us = self._engine_us
        self.auditor.ways = self.ways
        fleet.on_strayed = self.court.replay.strayed
        weather.workers = lambda: fleet.workers
        weather.on_gone, weather.on_cut = fleet.gone, fleet.cut

    # ---- time

    def wall_us(self) -> int:
        """Return the wall clock, which jumps."""
        return BEGINNING_US + self.loop.now_us + self.weather.shift_us

    def _clock(self, node: Node) -> Clock:
        return self._make_clock(
            lambda: (self.wall_us() + node.ahead_us) * 1_000, lambda: self.loop.now_us * 1_000
        )

    def _engine_us(self) -> int:
        """Return what time the engine believes it is, or the one that is furthest on."""
        return max(node.clock.now_us() for node in self.nodes)

    # ---- life

    def begin(self) -> None:
        """Boot the nodes, and let workers and trouble come."""
        for node in self.nodes:
            node.boot()
        self.fleet.begin()
        self.weather.begin()

    def calm_down(self) -> None:
        """Let nothing more go wrong, and give every workflow what it needs to finish."""
        self.say("calm", "")
        self.disk.odds = QUIET
        self.weather.calm_down()
        self.court.replies.calm = True
        self.fleet.replace_all()
        for node in self.nodes:
            if node.up and node.store.in_doubt:
                node.stop()

    def _down(self, node: Node, why: str) -> None:
        self.say("down", f"{node.home.name}: {why}")
        longest_us = (8 if self.ways is None else 30) * SECOND_US
        pause_us = self.disk.chance.randrange(100_000, longest_us)
        self.loop.outside(pause_us, node.boot)

    def _observer(self, node: Node) -> Observer:
        def accuse(text: str) -> None:
            self.court.accuse("fault", text)

        return Watching(node, self.figures, accuse, self.loop.interrupt)

    def _unheard(self, home: Home | None, error: BaseException) -> None:
        # Also where nobody knows whose it is: what a task leaves behind is found between two steps.
        where = "" if home is None else f" at {home.name}"
        self.court.accuse("fault", f"nobody heard of {type(error).__name__}{where}: {error}")

    def _injected(self, kind: str) -> None:
        self.faults[kind] += 1
        self.say("fault", kind)

    # ---- requests

    def ask(self, client: str, request: Request) -> Call:
        """Send a request; what comes of it is in the call."""
        self.calls += 1
        call = Call(self.calls, client, request)
        self.auditor.step = self.trace.step
        self.auditor.sent(call)
        self.say("ask", f"{call.number} {client} {call.kind} {call.target}")
        if self.disk.happens("request_lost"):
            call.lost = True
        else:
            self.network.stream(client, lambda: self._arrive(call))
        return call

    def _arrive(self, call: Call) -> None:
        node = self._node_for(call)
        left_us = node.stopped_until_us - self.loop.now_us
        if node.up and left_us > 0:
            self.loop.outside(left_us, self._arrive, call)
        elif node.takes():
            node.serve(call, self._told)
        else:
            call.lost = True
            self.figures["requests refused by a closed door"] += 1

    def _node_for(self, call: Call) -> Node:
        """Return whom a client asks: always the same, or its events could overtake each other."""
        if self.court.replies.calm:
            return next((node for node in self.nodes if node.takes()), self.nodes[0])
        return self.nodes[sum(map(ord, call.client)) % len(self.nodes)]

    def _answered(self, node: Node, call: Call, reply: Reply) -> None:
        call.reply = reply
        self.say("reply", f"{call.number} {call.kind} {call.target}: {call.told()}")
        self.auditor.answered(call)
        self.court.answered(node, call)

    def _told(self, call: Call) -> None:
        if self.disk.happens("client_untold"):
            call.lost = True
        else:
            self.network.stream(f"to {call.client}", lambda: setattr(call, "heard", True))

    # ---- what is seen

    def say(self, what: str, text: str) -> None:
        """Add a line to the trace; it is a step."""
        self.trace.add(self.loop.now_us, what, text)
        self.auditor.step = self.trace.step
        self.auditor.now_us = self.loop.now_us

    def _landed(self, commit: Commit) -> None:
        self.figures["commits"] += 1
        self.figures["entries"] += len(commit.entries)
        changed = [change.key for change in commit.changes]
        for node in self.nodes:
            if node.running and node.home.name == commit.node:
                node.touched += changed
            else:
                node.changed_elsewhere |= dict.fromkeys(changed, self.loop.now_us)
        keys = " ".join(str(change.key) for change in commit.changes)
        self.say("landed", f"{len(commit.entries)} entries, changing {keys}")
        for outcome in commit.outcomes:
            self.trace.note(repr(outcome).encode())
        self.auditor.landed(commit)
        self.court.landed(commit)

    def _heard(self, node: Node, keys: tuple[int, ...]) -> None:
        self.say("told", node.home.name)
        self.court.told(node, keys)

    def _handed_out(self, node: Node, stream: str, item: WorkItem, data: bytes) -> None:
        kind = "turn" if isinstance(item, TurnItem) else "activity"
        self.say("hand out", f"{kind} {item.instance_id} to {stream}")
        self.trace.note(data)
        self.figures[f"{kind} hand-outs"] += 1
        out = hand_out_of(item, self.disk.images.by_id.get(item.instance_id), node, stream)
        term = 0 if self.ways is None else self.ways.term_number(item.instance_id)
        out = replace(out, term=term, step=self.trace.step, at_us=self.loop.now_us)
        self.auditor.handed_out(out)
        self.court.handed_out(node, out)

    def is_quiet(self) -> bool:
        """Tell whether nothing is under way, so that memory and disk can be compared."""
        on_the_way = 0 if self.ways is None else self.ways.news_on_the_way
        return self.loop.quiet and not on_the_way and all(map(_is_quiet, self.nodes))


def _is_quiet(node: Node) -> bool:
    return (
        node.up
        and not node.store.in_doubt
        and node.crew.writing.idle
        and not node.home.reads
        and not node.serving
    )
