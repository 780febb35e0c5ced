"""A campaign: clients at any node, workers at each, and everything between them that goes wrong.

Its judgement is that of the single server (`tests.e2e.crash`): from what clients were told, what
workers did, and what the cluster tells in the end. It does not matter to it how many nodes there
are.
"""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Final, TypeAlias

from tests.e2e.cluster.nodes import Cluster, Node
from tests.e2e.cluster.plan import OF_NODE, OF_STORE, SETTLED_S, Blow, Round, Trouble
from tests.e2e.crash.calls import Calls
from tests.e2e.crash.company import Company
from tests.e2e.crash.diaries import SERVER
from tests.e2e.crash.observing import Window
from tests.kit.postgres import IMMEDIATE

Act: TypeAlias = Callable[[Node], object]

CLIENTS: Final = 6
# How long a node may say that its store is away when it is back.
BACK_DEADLINE_S: Final = 20.0


class Campaign:
    """One store from its first start to its last judgement, with a worker at every node."""

    def __init__(self, folder: Path, seed: int, nodes: int) -> None:
        chance = Random(f"{seed}-campaign")
        self.cluster = Cluster(folder, nodes)
        doors = self.cluster.doors
        window = Window(self.cluster.any_port(chance), patience_s=BACK_DEADLINE_S)
        self.company = Company(folder, seed, window, Calls(*doors, chance=chance))
        for number in range(CLIENTS):
            name = f"c{number}"
            self.company.invite(name, Calls(*doors, chance=Random(f"{seed}-{name}-doors")))
        self._waiting = threading.Event()  # never set: it only lets time pass

    @property
    def complaints(self) -> list[str]:
        """What was found to be wrong so far."""
        return self.company.complaints

    def begin(self) -> None:
        """Start everything, and let the clients in."""
        self.cluster.start()
        for node in self.cluster.nodes:
            self.company.hire(worker_of(node), node.worker_environment)
        self.company.note_death(SERVER, "it has just come together", SETTLED_S)
        self.company.begin()

    def play(self, planned: Round) -> None:
        """Play one round; at its end every node is up, and what was acknowledged is looked at."""
        self.company.ledger.write("round", plan=str(planned))
        self._waiting.wait(planned.after_s)
        # The store is last to go and first to come back, and a worker comes to a node that is up.
        blows = sorted(planned.blows, key=_place)
        for blow in blows:
            self._strike(blow, planned.lasts_s)
        self._waiting.wait(planned.lasts_s)
        for blow in reversed(blows):
            self._mend(blow)
        self._judge()

    def _judge(self) -> None:
        company = self.company
        company.gate.close()
        company.judge_now()
        company.gate.open()

    def finish(self) -> None:
        """Let everything come to its end, and judge it all."""
        self.company.finish()

    def close(self) -> None:
        """End everything."""
        self.company.close()
        self.cluster.close()

    # ---- trouble

    def _acts(self) -> Mapping[Trouble, tuple[Act, Act]]:
        """Return how each trouble begins, and how it is over."""
        cluster = self.cluster

        def start_store(_: Node) -> None:
            cluster.postgres.start()

        return {
            Trouble.KILL: (Node.kill, Node.start),
            Trouble.STOP: (self._stop, Node.start),
            Trouble.PAUSE: (Node.halt, Node.go_on),
            Trouble.BLINK: (Node.halt, Node.go_on),
            Trouble.SEVER: (lambda node: node.line.sever(), lambda node: node.line.heal()),
            Trouble.STALL: (lambda node: node.line.stall(), lambda node: node.line.heal()),
            Trouble.CRASH_STORE: (lambda _: cluster.postgres.stop(IMMEDIATE), start_store),
            Trouble.RESTART_STORE: (lambda _: cluster.postgres.stop(), start_store),
            Trouble.KILL_WORKER: (self._kill_worker, self._replace_worker),
            Trouble.CUT_WORKER: (self._cut_worker, _nothing),
            Trouble.CALM: (_nothing, _nothing),
        }

    def _strike(self, blow: Blow, lasts_s: float) -> None:
        node = self.cluster.nodes[blow.whom]
        begin, _ = self._acts()[blow.trouble]
        if blow.trouble is not Trouble.CALM:
            how = f"{blow.trouble.value}: {node.name}"
            self.company.note_death(SERVER, how, lasts_s + SETTLED_S)
        begin(node)

    def _mend(self, blow: Blow) -> None:
        node = self.cluster.nodes[blow.whom]
        _, end = self._acts()[blow.trouble]
        end(node)
        if blow.trouble is not Trouble.CALM:
            self.company.note_death(SERVER, f"{blow.trouble.value}: over", SETTLED_S)

    def _stop(self, node: Node) -> None:
        code = node.stop()
        if code != 0:
            self.complaints.append(f"{node.name} stopped with exit code {code}")

    def _kill_worker(self, node: Node) -> None:
        self.company.kill_worker(worker_of(node))

    def _replace_worker(self, node: Node) -> None:
        self.company.replace_worker(worker_of(node))

    def _cut_worker(self, node: Node) -> None:
        self.company.note_death(worker_of(node), "its connections are cut")
        node.way.cut()


def _nothing(_: Node) -> None:
    return


def _place(blow: Blow) -> int:
    return (blow.trouble in OF_NODE) + 2 * (blow.trouble in OF_STORE)


def worker_of(node: Node) -> str:
    return f"at-{node.name}"
