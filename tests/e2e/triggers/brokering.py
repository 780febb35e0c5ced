"""A broker, a component and a trigger for it, and an application that publishes numbers."""

import asyncio
import json
import threading
from importlib import import_module
from pathlib import Path

import yaml

from perdure.triggers.port import Outgoing
from tests.e2e.polling import until
from tests.e2e.serving import Server
from tests.e2e.triggers.instances import instance_ids
from tests.kit.brokers.kinds import Broker
from tests.kit.brokers.settings import settings_of

DEADLINE_S = 120.0
SIDE_BY_SIDE = 20
TOPIC = "orders"
TRIGGER = "begin"


class Publisher:
    """An application that publishes numbers, in a thread of its own."""

    def __init__(
        self, broker: Broker, folder: Path, count: int, *, as_event: bool, first: int = 0
    ) -> None:
        self._module = import_module(f"perdure.triggers.pubsub.{broker.kind}")
        self._settings = settings_of(folder, f"pubsub.{broker.kind}", broker.metadata, name="app")
        self._first = first
        self._count = count
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

    def join(self) -> None:
        """Wait for the end."""
        self.wait_for(self._count)
        self._thread.join(DEADLINE_S)

    async def _run(self) -> None:
        pubsub = self._module.build(self._settings)
        try:
            end = self._first + self._count
            for first in range(self._first, end, SIDE_BY_SIDE):
                numbers = range(first, min(first + SIDE_BY_SIDE, end))
                await asyncio.gather(*(pubsub.publish(TOPIC, self._message(n)) for n in numbers))
                with self._changed:
                    self.published += len(numbers)
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


def resources(folder: Path, broker: Broker, *, as_event: bool) -> Path:
    """Write the component and the trigger; a second start of an instance is a dead letter."""
    place = folder / "resources"
    place.mkdir()
    items = [{"name": name, "value": value} for name, value in broker.metadata.items()]
    component = {
        "apiVersion": "dapr.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": "messages"},
        "spec": {"type": f"pubsub.{broker.kind}", "version": "v1", "metadata": items},
    }
    source: dict[str, object] = {"pubsub": "messages", "topic": TOPIC}
    if not as_event:
        source["metadata"] = {"rawPayload": "true"}
    trigger = {
        "apiVersion": "perdure.io/v1alpha1",
        "kind": "WorkflowTrigger",
        "metadata": {"name": TRIGGER},
        "spec": {
            "source": source,
            "action": "start",
            "workflow": "taken",
            "onExisting": "reject",
            "instanceID": '"n-" + string(int(data.n))',
        },
    }
    (place / "component.yaml").write_text(yaml.safe_dump(component))
    (place / "trigger.yaml").write_text(yaml.safe_dump(trigger))
    return place


def await_instances(server: Server, count: int) -> list[str]:
    """Wait until there are so many instances; return their ids."""
    return until(
        lambda: instance_ids(server),
        lambda found: len(found) >= count,
        deadline_s=DEADLINE_S,
        what=f"there have to be {count} instances",
    )


def await_duplicates(server: Server, count: int) -> None:
    """Wait until so many messages came that were there already."""
    until(
        lambda: duplicates(server),
        lambda found: found >= count,
        deadline_s=DEADLINE_S,
        what=f"{count} messages have to come again",
    )


def duplicates(server: Server) -> int:
    """Return how many messages came to this process that were there already."""
    wanted = f'perdure_trigger_messages_total{{outcome="duplicate",trigger="{TRIGGER}"}}'
    lines = server.request("GET", "/metrics").text.splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith(wanted))
