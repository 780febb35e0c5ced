"""Several `perdure serve` as one, each with a line of its own to the store, which can be cut."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from tests.e2e.crash.calls import Door
from tests.e2e.proxy import Proxy
from tests.e2e.serving import Server, free_ports
from tests.kit.postgres import Postgres

# Little is waited for that is not there: a node that cannot come to its store shall find that out.
LINE_PATIENCE_S: Final = 0.0


@dataclass(slots=True)
class Node:
    """One process, which may be dead or halted, and what leads to it and from it."""

    name: str
    server: Server
    line: Proxy  # from it to the store
    way: Proxy  # from its workers to it; keeps them waiting while it is away
    up: bool = False

    @property
    def door(self) -> Door:
        """Where clients connect."""
        return Door(self.server.http_port, self.server.grpc_port)

    @property
    def worker_environment(self) -> dict[str, str]:
        """What a worker of this node reads."""
        return {**self.server.worker_environment, "DAPR_GRPC_PORT": str(self.way.port)}

    def start(self) -> None:
        """Start it, and return when it takes requests."""
        self.server.start()
        self.up = True

    def kill(self) -> None:
        """Kill it as a crash does."""
        self.up = False
        self.server.kill()

    def stop(self) -> int:
        """Stop it as an operator does, and return its exit code."""
        self.up = False
        return self.server.stop()

    def halt(self) -> None:
        """Let it stand still; it does not know, and everything goes on around it."""
        self.up = False
        os.kill(self.server.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on from where it stood."""
        os.kill(self.server.pid, signal.SIGCONT)
        self.up = True

    def close(self) -> None:
        """End it, however it stands."""
        if self.server.runs:
            os.kill(self.server.pid, signal.SIGCONT)
            self.server.kill()
        self.line.close()
        self.way.close()


class Cluster:
    """Nodes over one Postgres, all of this test."""

    def __init__(self, folder: Path, count: int, *options: str) -> None:
        """Make a Postgres with its defaults, and nothing of it runs before `start`."""
        self.postgres = Postgres.made()
        self.nodes = [self._node(folder, f"n{number}", options) for number in range(1, count + 1)]

    def _node(self, folder: Path, name: str, options: tuple[str, ...]) -> Node:
        home = folder / name
        home.mkdir()
        http_port, grpc_port = free_ports(2)
        line = Proxy(self.postgres.port, patience_s=LINE_PATIENCE_S).start()
        server = Server(
            home / "none.db",
            folder / f"{name}.log",
            http_port,
            grpc_port,
            options=(*options, "--node-name", name),
            store_url=self.postgres.url_by(line.port),
        )
        return Node(name, server, line, Proxy(grpc_port).start())

    def start(self) -> None:
        """Start Postgres, then every node."""
        self.postgres.start()
        for node in self.nodes:
            node.start()

    @property
    def doors(self) -> list[Door]:
        """Where clients connect, whichever node they like."""
        return [node.door for node in self.nodes]

    def any_port(self, chance: Random) -> Callable[[], int]:
        """Return what names the port of a node that is up, another one each time."""
        return lambda: chance.choice([node for node in self.nodes if node.up]).server.http_port

    def close(self) -> None:
        """End everything, and delete the data."""
        for node in self.nodes:
            node.close()
        self.postgres.remove()
