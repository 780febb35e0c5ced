"""kill -9 between receive and acknowledge, on every broker: nothing is lost, nothing starts twice.

A second start of an instance would become a dead letter (`onExisting: reject`). An app publishes
while the server is killed again and again, with messages in hand each time.
"""

import asyncio
import json
import random
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from perdure.triggers.port import Outgoing
from tests.e2e.serving import POLL_S, Server
from tests.e2e.triggers.instances import dead_letters, instance_ids
from tests.kit.brokers.kinds import KINDS, Broker
from tests.kit.brokers.settings import settings_of

pytestmark = pytest.mark.timeout(300)

KILLS = 6
MESSAGES = 600
DEADLINE_S = 120.0
TOPIC = "orders"


class Publisher:
    """An application that publishes numbers, in a thread of its own."""

    def __init__(self, broker: Broker, folder: Path, *, as_event: bool) -> None:
        self._module = import_module(f"perdure.triggers.pubsub.{broker.kind}")
        self._settings = settings_of(folder, f"pubsub.{broker.kind}", broker.metadata, name="app")
        self._as_event = as_event
        self._changed = threading.Condition()
        self.published = 0
        self.trouble: BaseException | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait_for(self, count: int) -> None:
        """Return once so many are published."""
        with self._changed:
            self._changed.wait_for(lambda: self.published >= count or self.trouble, DEADLINE_S)
        assert self.trouble is None, self.trouble
        assert self.published >= count

    async def _run(self) -> None:
        pubsub = self._module.build(self._settings)
        try:
            for number in range(MESSAGES):
                await pubsub.publish(TOPIC, self._message(number))
                with self._changed:
                    self.published += 1
                    self._changed.notify_all()
        except BaseException as error:
            self.trouble = error
            raise
        finally:
            await pubsub.close()

    def _message(self, number: int) -> Outgoing:
        data: dict[str, object] = {"n": number}
        if not self._as_event:
            return Outgoing(data=json.dumps(data).encode(), content_type="application/json")
        event = {"specversion": "1.0", "id": str(number), "source": "/test", "type": "order"}
        body = json.dumps({**event, "datacontenttype": "application/json", "data": data})
        return Outgoing(data=body.encode(), content_type="application/cloudevents+json")


@pytest.fixture(params=list(KINDS))
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A broker of the test's own, with the topic."""
    folder = tmp_path / "broker"
    folder.mkdir()
    broker = KINDS[request.param](folder)
    broker.process.start()
    try:
        asyncio.run(_prepared(broker))
        yield broker
    finally:
        broker.stop_for_good()


async def _prepared(broker: Broker) -> None:
    await broker.prepare(TOPIC)


def resources(folder: Path, broker: Broker, *, as_event: bool) -> Path:
    """Write the component and the trigger."""
    place = folder / "resources"
    place.mkdir()
    items = [{"name": name, "value": value} for name, value in broker.metadata.items()]
    component = {
        "apiVersion": "dapr.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": "messages"},
        "spec": {"type": f"pubsub.{broker.kind}", "version": "v1", "metadata": items},
    }
    trigger = {
        "apiVersion": "perdure.io/v1alpha1",
        "kind": "WorkflowTrigger",
        "metadata": {"name": "begin"},
        "spec": {
            "source": {"pubsub": "messages", "topic": TOPIC},
            "action": "start",
            "workflow": "taken",
            "onExisting": "reject",
            "instanceID": '"n-" + string(int(data.n))',
        },
    }
    if not as_event:
        trigger["spec"]["source"]["metadata"] = {"rawPayload": "true"}  # type: ignore[index]
    (place / "component.yaml").write_text(yaml.safe_dump(component))
    (place / "trigger.yaml").write_text(yaml.safe_dump(trigger))
    return place


@pytest.mark.parametrize("as_event", [True, False], ids=["event", "raw"])
def test_a_server_that_is_killed_takes_each_message_once(
    broker: Broker, tmp_path: Path, *, as_event: bool
) -> None:
    chance = random.Random(7)
    place = resources(tmp_path, broker, as_event=as_event)
    # It says that it is ready once its source is connected.
    server = Server.in_folder(tmp_path, "--resources-path", str(place)).start()
    publisher = Publisher(broker, tmp_path, as_event=as_event)
    try:
        publisher.start()
        for kill in range(1, KILLS + 1):
            publisher.wait_for(kill * MESSAGES // (KILLS + 2) + chance.randrange(40))
            server.kill()
            server.start()
        publisher.wait_for(MESSAGES)
        found = await_instances(server)
        assert not dead_letters(server, "begin")
    finally:
        server.close()
    assert sorted(found) == sorted(f"n-{number}" for number in range(MESSAGES))


def await_instances(server: Server) -> list[str]:
    end = time.monotonic() + DEADLINE_S
    while len(found := instance_ids(server)) < MESSAGES:
        assert time.monotonic() < end, f"{len(found)} instances, not {MESSAGES}"
        time.sleep(POLL_S)
    return found
