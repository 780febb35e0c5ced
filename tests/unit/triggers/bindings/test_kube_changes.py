"""A cluster in which everything happens at random, and a source that is torn, stopped and killed.

Whatever happens, each object is told as added once at most, and what is there in the end is known
in its last version. The source is the real one; the API server is a model that speaks its protocol.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from perdure.base import rfc3339
from perdure.base.limits import DELIVERY_GRACE_US
from perdure.base.time import SECOND_US
from perdure.triggers.bindings import kubernetes
from perdure.triggers.port import Message, Settled
from tests.kit.clock import BEGINNING_US, VirtualClock
from tests.kit.kube_cluster import GONE, RESOURCES
from tests.kit.metadata import Metadata
from tests.kit.scripted_server import Request, ScriptedServer

STEPS = 120
ROUNDS_MAX = 4_000


class Model:
    """The objects of a cluster, and what happened to them."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.version = 1
        self.floor = 0  # what happened up to here is forgotten
        self.objects: dict[str, dict[str, Any]] = {}
        self.log: list[tuple[int, str, dict[str, Any]]] = []
        self.now_us = BEGINNING_US
        self.made = 0

    def happen(self) -> None:
        """Let something happen to some object."""
        self.version += 1
        kind = self.chance.choice(["ADDED", "ADDED", "MODIFIED", "MODIFIED", "DELETED"])
        if kind == "ADDED" or not self.objects:
            self.made += 1
            found = self._object(f"o{self.made:04}", rfc3339.render(self.now_us))
            kind = "ADDED"
        else:
            old = self.objects[self.chance.choice(sorted(self.objects))]["metadata"]
            found = self._object(old["name"], old["creationTimestamp"])
        uid = found["metadata"]["uid"]
        if kind == "DELETED":
            del self.objects[uid]
        else:
            self.objects[uid] = found
        self.log.append((self.version, kind, found))
        # Some of them happen within one second.
        self.now_us += self.chance.choice([0, 0, SECOND_US])

    def forget(self) -> None:
        """Compact: from now on only what follows can be watched."""
        self.floor = self.version

    def _object(self, name: str, created: str) -> dict[str, Any]:
        metadata = {
            "name": name,
            "uid": f"{name}-uid",
            "resourceVersion": str(self.version),
            "creationTimestamp": created,
        }
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}


class ModelServer:
    """Answers by the model, and sometimes breaks off."""

    def __init__(self, model: Model, server: ScriptedServer) -> None:
        self.model = model
        self.server = server
        self.is_faulty = True

    async def serve(self) -> None:
        """Answer for ever."""
        while True:
            request = await self.server.next()
            with suppress(ConnectionError):
                await self._answer(request)

    async def _answer(self, request: Request) -> None:
        model = self.model
        if self._chance(0.05):
            request.tear()
        elif request.path == "/apis/apps/v1":
            await request.answer(RESOURCES)
        elif "watch" not in request.query:
            items = sorted(model.objects.values(), key=lambda _: model.chance.random())
            metadata = {"resourceVersion": str(model.version)}
            await request.answer({"kind": "DeploymentList", "metadata": metadata, "items": items})
        elif int(request.query["resourceVersion"]) < model.floor:
            if self._chance(0.5):
                await request.answer(GONE, 410)
            else:
                stream = await request.stream()
                await stream.send_json({"type": "ERROR", "object": GONE})
                await stream.end()
        else:
            await self._watch(request, int(request.query["resourceVersion"]))

    async def _watch(self, request: Request, after: int) -> None:
        stream = await request.stream()
        for version, kind, found in [each for each in self.model.log if each[0] > after]:
            line = json.dumps({"type": kind, "object": found}).encode() + b"\n"
            if self._chance(0.05):
                await stream.send(line[: len(line) // 2])
                stream.tear()
                return
            await stream.send(line)
            after = version
        if self._chance(0.5):
            metadata = {"resourceVersion": str(after)}
            await stream.send_json({"type": "BOOKMARK", "object": {"metadata": metadata}})
        await stream.end()

    def _chance(self, part: float) -> bool:
        return self.is_faulty and self.model.chance.random() < part


class Disk:
    """What a receiver keeps: which messages there were, and the position, in one commit."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.known: set[str] = set()
        self.position: str | None = None
        self.events: list[tuple[str, str, int]] = []
        self.is_dying = False

    async def receive(self, message: Message) -> Settled:
        """Keep a message, unless the process dies before."""
        if self.is_dying:
            await asyncio.Event().wait()
        if self.chance.random() < 0.05:
            return Settled.LATER
        self.position = message.position or self.position
        assert message.message_id is not None
        if message.message_id not in self.known:
            self.known.add(message.message_id)
            about = dict(message.attributes)
            self.events.append((about["event"], about["name"], int(about["resourceVersion"])))
        return Settled.ACCEPTED


class World:
    """All of it, with a source that is started again and again."""

    def __init__(self, seed: int, server: ScriptedServer, folder: Path) -> None:
        chance = random.Random(seed)
        self.chance = chance
        self.model = Model(chance)
        self.server = ModelServer(self.model, server)
        self.disk = Disk(chance)
        self.clock = VirtualClock(asyncio.get_running_loop())
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(
            json.dumps(
                {
                    "current-context": "h",
                    "contexts": [{"name": "h", "context": {"cluster": "c", "user": "u"}}],
                    "clusters": [{"name": "c", "cluster": {"server": server.url}}],
                    "users": [{"name": "u", "user": {"token": "let-me-in"}}],
                }
            )
        )
        self.run: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start a source of which nothing is known but its position."""
        items = {"namespace": "shop", "kind": "Deployment", "kubeconfigPath": str(self.kubeconfig)}
        source = kubernetes.build(Metadata("bindings.kubernetes", **items), self.clock)
        self.disk.is_dying = False
        self.run = asyncio.create_task(source.run(self.disk.receive, self.disk.position))

    async def end(self) -> None:
        """Stop it; half of the time as a kill does, with a message in hand that is not kept."""
        assert self.run is not None
        self.disk.is_dying = self.chance.random() < 0.5
        await self.pass_time(self.chance.randrange(5))
        self.run.cancel()
        while not self.run.done():
            self.clock.advance(DELIVERY_GRACE_US)
            await asyncio.sleep(0)

    async def pass_time(self, rounds: int) -> None:
        """Let a little happen."""
        for _ in range(rounds):
            self.clock.advance(SECOND_US // 10)
            for _ in range(10):
                await asyncio.sleep(0)

    def is_told(self) -> bool:
        """Tell whether everything that is there is known in its last version."""
        last: dict[str, int] = {}
        for _, name, version in self.disk.events:
            last[name] = max(version, last.get(name, 0))
        found = [each["metadata"] for each in self.model.objects.values()]
        return all(last.get(each["name"]) == int(each["resourceVersion"]) for each in found)


@asynccontextmanager
async def world(seed: int, folder: Path) -> AsyncIterator[World]:
    async with ScriptedServer() as server:
        made = World(seed, server, folder)
        serving = asyncio.create_task(made.server.serve())
        yield made
        serving.cancel()
        await asyncio.wait({serving})


@pytest.mark.parametrize("seed", range(30))
async def test_each_object_is_added_once_and_known_in_its_last_version(
    seed: int, tmp_path: Path
) -> None:
    async with world(seed, tmp_path) as made:
        made.begin()
        for _ in range(STEPS):
            what = made.chance.random()
            if what < 0.1:
                await made.end()
                for _ in range(made.chance.randrange(4)):
                    made.model.happen()
                if made.chance.random() < 0.6:
                    made.model.forget()
                made.begin()
            elif what < 0.15:
                made.model.forget()
            else:
                made.model.happen()
            await made.pass_time(made.chance.randrange(4))
        made.server.is_faulty = False
        for _ in range(ROUNDS_MAX):
            if made.is_told():
                break
            await made.pass_time(1)
        assert made.is_told()
        await made.end()
    added = [name for event, name, _ in made.disk.events if event == "add"]
    assert len(added) == len(set(added))
    told = {name for _, name, _ in made.disk.events}
    # What was told at all was told as added, unless it came with a list after its beginning.
    assert {each["metadata"]["name"] for each in made.model.objects.values()} <= set(added) <= told
