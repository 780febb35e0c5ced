"""A stream with its triggers before a real engine, so that messages are handed in one by one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from perdure.app.clock import SystemClock
from perdure.app.subscription_files import read_subscription
from perdure.app.trigger_files import read_trigger
from perdure.app.yaml_files import Document, read_documents
from perdure.base.errors import StoreUnavailable
from perdure.base.observer import NullObserver
from perdure.components.catalog import EMBEDDED, Catalog
from perdure.components.embedded import EmbeddedComponent
from perdure.components.port import InstanceView
from perdure.core.notes import Shelf
from perdure.core.status import Status
from perdure.engine.service import Engine
from perdure.engine.settings import EngineSettings
from perdure.triggers.cases import Post, Tally
from perdure.triggers.delivering import Delivering
from perdure.triggers.letters import Letters
from perdure.triggers.port import Message, Outgoing, PubSub, Settled, Source
from perdure.triggers.reception import Reception
from perdure.triggers.routing import Rules
from perdure.triggers.topology import streams
from tests.kit.shaky_store import ShakyStore

APP = "app"
QUICK = {"attempts": 2, "firstPause": "1ms", "longestPause": "1ms"}
_PAGE = 1_000


def document(folder: Path, kind: str, name: str, spec: dict[str, Any], **more: Any) -> Document:
    """Return a resource as it is read from a file."""
    version = "dapr.io/v2alpha1" if kind == "Subscription" else "perdure.io/v1alpha1"
    value = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec, **more}
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(value, sort_keys=False))
    return read_documents(file)[0]


def trigger_spec(**more: Any) -> dict[str, Any]:
    """Return a trigger that starts an order for each message of topic `orders`."""
    return {
        "source": {"pubsub": "messages", "topic": "orders"},
        "action": "start",
        "workflow": "order",
        "instanceID": "data.id",
        "retry": QUICK,
        **more,
    }


class Broker:
    """A broker that remembers what was published, or is away."""

    name = "messages"

    def __init__(self) -> None:
        self.published: list[tuple[str, Outgoing]] = []
        self.away = False

    def subscribe(self, topic: str, metadata: object) -> Source:
        raise AssertionError(f"nobody subscribes to {topic} here, {metadata}")

    async def publish(self, topic: str, message: Outgoing) -> None:
        if self.away:
            raise StoreUnavailable("the broker is away")
        self.published.append((topic, message))

    async def close(self) -> None:
        """There is nothing to let go of."""


class Bench:
    """Triggers of one stream, an engine on a store that can fail, and what it all came to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = ShakyStore()
        self.broker = Broker()
        self.stopping = asyncio.Event()
        self.tallies: dict[str, Tally] = {}
        self._documents: dict[str, list[Document]] = {"WorkflowTrigger": [], "Subscription": []}

    def add(self, name: str, kind: str = "WorkflowTrigger", **spec: Any) -> None:
        """Define a trigger or a subscription."""
        self._documents[kind].append(document(self.folder, kind, name, spec))

    async def open(self) -> None:
        """Begin, or begin again after a crash, on the same store."""
        clock = SystemClock()
        self.engine = Engine(EngineSettings(app_id=APP), self.store, clock, NullObserver())
        self.component = EmbeddedComponent(self.engine, clock, NullObserver())
        await self.engine.start()
        delivering = Delivering(Catalog({EMBEDDED: self.component}, {}))
        self.post = self._post(delivering, clock)
        self.receive = Reception(self.post)

    def _post(self, delivering: Delivering, clock: SystemClock) -> Post:
        triggers = [read_trigger(each, app_id=APP) for each in self._documents["WorkflowTrigger"]]
        ways = [
            read_subscription(each, app_id=APP, warn=print)
            for each in self._documents["Subscription"]
        ]
        (self.stream,) = streams(
            [each for each in triggers if each is not None],
            [each for each in ways if each is not None],
            {"messages": "pubsub.in-memory", "hook": "bindings.http"},
            print,
        )
        for trigger, _ in self.stream.takers:
            self.tallies.setdefault(trigger.name, Tally(trigger.paused, Counter()))
        broker: PubSub = self.broker
        return Post(
            delivering=delivering,
            clock=clock,
            rules=Rules(APP, 64),
            stopping=self.stopping,
            stream=self.stream,
            source="messages/orders",
            broker=broker,
            tally=self.tallies.__getitem__,
        )

    async def crash(self) -> None:
        """Lose everything but the store, as when the power fails."""
        self.store.power_returns()
        await self.engine.stop()

    # ---- messages

    async def send(self, data: bytes | str, message_id: str | None = "m1", **more: Any) -> Settled:
        """Hand in a message and return what became of it."""
        body = data.encode() if isinstance(data, str) else data
        return await self.receive(Message(message_id=message_id, data=body, topic="orders", **more))

    # ---- what it came to

    async def instance(self, instance_id: str) -> InstanceView | None:
        """Return an instance, if there is one."""
        return await self.component.get(instance_id)

    async def count(self) -> int:
        """Return how many instances there are."""
        return len((await self.component.list_ids(None, _PAGE)).instance_ids)

    async def status(self, instance_id: str) -> Status:
        """Return the status of an instance that is there."""
        view = await self.instance(instance_id)
        assert view is not None, instance_id
        return view.status

    def counts(self, name: str = "orders") -> dict[str, int]:
        """Return what became of a trigger's messages."""
        return dict(self.tallies[name].counts)

    def letters(self, name: str = "orders") -> Letters:
        """Return the dead letters of a trigger."""
        taker = next(taker for taker in self.stream.takers if taker[0].name == name)
        return Letters(self.post, taker)

    async def reasons(self, name: str = "orders") -> list[str]:
        """Return why a trigger's dead letters are such."""
        page = await self.letters(name).page(None, _PAGE)
        return [letter.reason for letter in page.letters]

    async def place(self) -> str | None:
        """Return where the source would go on."""
        keeper = self.post.delivering.keeper
        note = await keeper.note(Shelf.POSITIONS, "messages/orders")
        return None if note is None else note.body.decode()


@asynccontextmanager
async def bench(folder: Path, **spec: Any) -> AsyncIterator[Bench]:
    """Have a bench with one trigger, `orders`, of this spec, open while inside."""
    made = Bench(folder)
    made.add("orders", **trigger_spec(**spec))
    await made.open()
    try:
        yield made
    finally:
        await made.crash()
