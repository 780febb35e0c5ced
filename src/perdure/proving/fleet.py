"""The workers of a run: one in each place, others after them, and what becomes of answers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any, Final

from perdure.base.time import SECOND_US
from perdure.engine.work import Dialect
from perdure.proving.auditor import Auditor
from perdure.proving.disk import Disk
from perdure.proving.items import TurnItem
from perdure.proving.loop import SimLoop
from perdure.proving.network import Network
from perdure.proving.node import Node
from perdure.proving.steps import RELEASE
from perdure.proving.trace import Trace
from perdure.proving.workers import Answer, Make, SimWorker

PLACES: Final = 3
_CONNECT_AGAIN_US: Final = SECOND_US
_GOOD: Final = Make(
    release=RELEASE, echoes=True, stateful=True, turns_max=None, activities_max=None
)


class Fleet:
    """Connects workers to nodes and carries what they say."""

    def __init__(
        self, loop: SimLoop, network: Network, disk: Disk, chance: Random, trace: Trace
    ) -> None:
        """Whoever composes the world sets who is there and who is told."""
        self.mixed: Random | None = None  # draws who speaks which dialect; None: all speak Dapr's
        self.nodes: Sequence[Node] = ()
        self.auditor: Auditor
        self.on_strayed: Callable[[str, str], None]
        self.workers: list[SimWorker] = []
        self.all_good = False
        self._loop = loop
        self._network = network
        self._disk = disk
        self._chance = chance
        self._trace = trace
        self._count = 0

    # ---- coming and going

    def begin(self) -> None:
        """Fill every place."""
        for _ in range(PLACES + 2 * (len(self.nodes) - 1)):
            self._hire()

    def replace_all(self) -> None:
        """Let good ones take every place."""
        self.all_good = True
        for worker in list(self.workers):
            self.gone(worker)

    def gone(self, worker: SimWorker) -> None:
        """Let a worker die with what it has in hand; its node learns of it after a while."""
        self._say("worker gone", worker.name)
        worker.alive = False
        self.workers.remove(worker)
        self._sever(worker)
        self._loop.outside(self._chance.randrange(1, 15) * SECOND_US, self._hire)

    def cut(self, worker: SimWorker) -> None:
        """Break a worker's stream, with whatever is on the way."""
        self._say("stream cut", worker.name)
        self._sever(worker)
        worker.stream = None
        self._loop.outside(self._chance.randrange(1, 5) * SECOND_US, self._connect, worker)

    def _sever(self, worker: SimWorker) -> None:
        stream = worker.stream
        later_us = self._chance.choice([0, SECOND_US, 10 * SECOND_US])
        for node in self.nodes:
            self._network.single(worker.name, partial(node.cut, stream), later_us)

    def _hire(self) -> None:
        self._count += 1
        worker = SimWorker(f"w{self._count}", self._make(), self._loop, self._chance)
        worker.on_answer = self._answered
        worker.on_run = self.auditor.results_made.add
        worker.on_strayed = self._strayed
        worker.on_ended = self._ended
        worker.arrives = self._arrives
        self.workers.append(worker)
        self._connect(worker)

    def _make(self) -> Make:
        chance = self._chance
        if self.all_good:
            return _GOOD
        make = Make(
            release=1 if chance.random() < 0.25 else RELEASE,  # noqa: PLR2004 - how likely it is
            echoes=chance.random() < 0.8,  # noqa: PLR2004 - how likely it is
            stateful=chance.random() < 0.5,  # noqa: PLR2004 - how likely it is
            turns_max=chance.choice([None, None, 1, 4]),
            activities_max=chance.choice([None, None, 1, 4]),
        )
        return make if self.mixed is None else replace(make, **_family(make, self.mixed))

    def _connect(self, worker: SimWorker) -> None:
        if not worker.alive or worker.stream is not None:
            return
        up = [node for node in self.nodes if node.takes()]
        if up and self._chance.choice(up).open(worker.profile(), worker):
            self._say("connected", worker.name)
            worker.begin()
        else:
            self._loop.outside(_CONNECT_AGAIN_US, self._connect, worker)

    def _ended(self, worker: SimWorker) -> None:
        self._loop.outside(self._chance.randrange(0, 3) * SECOND_US, self._connect, worker)

    def _arrives(self, worker: SimWorker, arrive: Callable[[], None]) -> None:
        self._network.stream(worker.name, arrive)

    def _strayed(self, worker: SimWorker, item: TurnItem, text: str) -> None:
        self._say("strayed", f"{worker.name} {item.instance_id} {text}")
        self.on_strayed(item.instance_id, text)

    # ---- answers

    def _answered(self, worker: SimWorker, answer: Answer) -> None:
        happens = self._disk.happens
        data = answer.data
        if isinstance(answer.item, TurnItem) and happens("answer_nonsense"):
            data = worker.nonsense(answer.item)
        if happens("answer_lost"):
            return
        later_us = 0
        if happens("answer_late"):
            later_us = self._chance.randrange(5, 200) * SECOND_US
        self._send(worker, answer, data, later_us)
        if happens("answer_twice"):
            again_us = self._chance.choice([0, SECOND_US, 30 * SECOND_US])
            self._send(worker, answer, data, later_us + again_us)

    def _send(self, worker: SimWorker, answer: Answer, data: bytes, later_us: int) -> None:
        self._network.single(worker.name, lambda: self._arrived(worker, answer, data), later_us)

    def _arrived(self, worker: SimWorker, answer: Answer, data: bytes) -> None:
        up = [node for node in self.nodes if node.up]
        kind = "turn" if isinstance(answer.item, TurnItem) else "activity"
        self._say("answer", f"{kind} {answer.item.instance_id} by {worker.name}")
        self._trace.note(data)
        if not up:
            return  # a call that fails: no worker says it twice of its own accord
        node = next((each for each in up if worker.stream in each.links), up[0])
        if not worker.make.echoes:
            self.auditor.met(answer.item, node.home.name)
        node.take_answer(data, of_turn=kind == "turn")

    def _say(self, what: str, text: str) -> None:
        self._trace.add(self._loop.now_us, what, text)


def _family(make: Make, chance: Random) -> dict[str, Any]:
    """Draw which dialect a worker speaks, and whether it says so as it opens its stream."""
    draw = chance.random()
    if draw < 0.4:  # noqa: PLR2004 - how likely it is
        return {}
    says = Dialect.UNDECIDED if draw < 0.7 else Dialect.MICROSOFT  # noqa: PLR2004 - how likely it is
    # Microsoft's know nothing of patches, as old code does not; who says nothing keeps nothing.
    is_microsofts = says is Dialect.MICROSOFT or chance.random() < 0.5  # noqa: PLR2004 - how likely it is
    return {
        "says": says,
        "speaks": Dialect.MICROSOFT if is_microsofts else Dialect.DAPR,
        "release": 1 if is_microsofts else make.release,
        "stateful": False,
    }
