"""kill -9 between receive and acknowledge: each message starts one workflow, and none is lost.

A workflow that is started a second time would become a dead letter (`onExisting: reject`).
"""

import hmac
import json
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.e2e.polling import POLL_S
from tests.e2e.serving import Server
from tests.e2e.triggers.instances import dead_letters, instance_ids
from tests.e2e.triggers.posting import Send, Senders

pytestmark = pytest.mark.timeout(900)

KILLS = 6
DELIVERIES = 240
SECRET = b"shared"
TICKS_DEADLINE_S = 200.0

TRIGGER = """\
apiVersion: perdure.io/v1alpha1
kind: WorkflowTrigger
metadata:
  name: begin
spec:
  source:
    binding: source
  action: start
  workflow: taken
  onExisting: reject
  instanceID: {instance_id}
"""
COMPONENT = """\
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: source
spec:
  type: {type}
  version: v1
  metadata: {metadata}
"""


def resources(folder: Path, kind: str, instance_id: str, **items: str) -> Path:
    metadata = [{"name": name, "value": value} for name, value in items.items()]
    place = folder / "resources"
    place.mkdir()
    # JSON is YAML.
    text = COMPONENT.format(type=kind, metadata=json.dumps(metadata))
    (place / "component.yaml").write_text(text)
    (place / "trigger.yaml").write_text(TRIGGER.format(instance_id=json.dumps(instance_id)))
    return place


def signed(client: httpx.Client, number: int) -> httpx.Response:
    body = json.dumps({"n": number}).encode()
    digest = hmac.digest(SECRET, body, "sha256").hex()
    headers = {"X-Hub-Signature-256": f"sha256={digest}", "X-GitHub-Delivery": f"d-{number}"}
    return client.post("/hooks/a", content=body, headers=headers)


def binary(client: httpx.Client, number: int) -> httpx.Response:
    headers = {
        "ce-specversion": "1.0",
        "ce-id": str(number),
        "ce-source": "/test",
        "ce-type": "taken",
        "Content-Type": "application/json",
    }
    return client.post("/hooks/a", content=json.dumps({"n": number}), headers=headers)


def batched(client: httpx.Client, number: int) -> httpx.Response:
    """Two events at once; of neighbours, one is the same, as when a batch is cut anew."""
    events = [
        {"specversion": "1.0", "id": str(n), "source": "/t", "type": "taken", "data": {"n": n}}
        for n in (number, number + 1)
    ]
    kind = {"Content-Type": "application/cloudevents-batch+json"}
    return client.post("/hooks/a", content=json.dumps(events), headers=kind)


@pytest.mark.parametrize(
    ("send", "items", "extra"),
    [
        (signed, {"secret": SECRET.decode()}, 0),
        (binary, {}, 0),
        (batched, {}, 1),
    ],
)
def test_a_webhook_that_is_killed_takes_each_delivery_once(
    tmp_path: Path, send: Send, items: dict[str, str], extra: int
) -> None:
    chance = random.Random(7)
    place = resources(
        tmp_path, "bindings.http", '"n-" + string(int(event.data.n))', path="/hooks/a", **items
    )
    server = Server.in_folder(tmp_path, "--resources-path", str(place)).start()
    try:
        senders = Senders(server, send, DELIVERIES)
        for kill in range(1, KILLS + 1):
            senders.wait_for(kill * DELIVERIES // (KILLS + 2) + chance.randrange(20))
            server.kill()
            server.start()
        senders.join()
        assert senders.attempts > DELIVERIES, "no kill has met a delivery"
        found = instance_ids(server)
        assert not dead_letters(server, "begin")
    finally:
        server.close()
    assert sorted(found) == sorted(f"n-{n}" for n in range(DELIVERIES + extra))


def test_a_cron_that_is_killed_ticks_once_each_second(tmp_path: Path) -> None:
    place = resources(
        tmp_path,
        "bindings.cron",
        'metadata.scheduledTime.replace(":", "-")',
        schedule="@every 1s",
        misfire="all",
    )
    server = Server.in_folder(tmp_path, "--resources-path", str(place)).start()
    chance = random.Random(7)
    try:
        for kill in range(1, KILLS // 2 + 1):
            await_ticks(server, 2 * kill)
            await_moment(chance.random())
            server.kill()
            server.start()
        await_ticks(server, KILLS + 4)
        found = sorted(instance_ids(server))
        assert not dead_letters(server, "begin")
    finally:
        server.close()
    moments = [datetime.strptime(each, "%Y-%m-%dT%H-%M-%SZ").replace(tzinfo=UTC) for each in found]
    first = moments[0]
    assert moments == [first + timedelta(seconds=n) for n in range(len(moments))]


def await_ticks(server: Server, count: int) -> None:
    end = time.monotonic() + TICKS_DEADLINE_S
    while (found := len(instance_ids(server))) < count:
        assert time.monotonic() < end, f"{found} ticks, not {count}"
        time.sleep(POLL_S)


def await_moment(part: float) -> None:
    """Wait for a part of the second: kills are to meet a tick before, in and after its commit."""
    end = time.monotonic() + 2.0
    while time.monotonic() < end and abs(time.time() % 1.0 - part % 0.05) > 0.005:
        time.sleep(0.001)
