"""Messages of the broker in memory, with real servers that are stopped and killed."""

import json
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e import polling, venvs
from tests.e2e.programs import Line, Program, clean_environment
from tests.e2e.serving import HOST, Server
from tests.e2e.venvs import REPOSITORY

pytestmark = pytest.mark.timeout(400)

PHONES = REPOSITORY / "examples" / "phone_verification"
BROKER = """\
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: messages}
spec: {type: pubsub.in-memory, version: v1}
"""
TRIGGERS = """\
apiVersion: perdure.io/v1alpha1
kind: WorkflowTrigger
metadata: {name: orders}
spec:
  source: {pubsub: messages, topic: orders}
  action: start
  workflow: order
  instanceID: data.id
---
apiVersion: perdure.io/v1alpha1
kind: WorkflowTrigger
metadata: {name: payments}
spec:
  source: {pubsub: messages, topic: payments}
  action: raiseEvent
  instanceID: data.order
  eventName: "'paid'"
"""
DEADLINE_S = 60.0
MESSAGES = 150
_CODE = re.compile(r"your code is (\d{6})")

Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a server on resource files: the texts given, or a folder that there is."""
    servers: list[Server] = []

    def started(*texts: str, folder: Path | None = None) -> Server:
        resources = folder or tmp_path / "resources"
        if folder is None:
            resources.mkdir()
        for number, text in enumerate(texts):
            (resources / f"{number}.yaml").write_text(text)
        server = Server.in_folder(tmp_path, "--resources-path", str(resources))
        servers.append(server)
        return server.start()

    yield started
    for server in servers:
        server.close()


def until(met: Callable[[], Any], what: str) -> Any:
    """Ask until there is an answer, and return it."""
    return polling.until(met, bool, deadline_s=DEADLINE_S, what=f"not in time: {what}")


def publish(server: Server, pubsub: str, topic: str, value: object) -> None:
    path = f"/v1.0/publish/{pubsub}/{topic}"
    answer = server.request("POST", path, json.dumps(value), {"content-type": "application/json"})
    assert answer.status == 204, answer


def trigger(server: Server, name: str) -> dict[str, Any]:
    found: dict[str, Any] = server.request("GET", f"/v1.0/triggers/{name}").json()
    return found


def test_a_phone_is_verified_over_pub_sub(start: Start, tmp_path: Path) -> None:
    """The call begins a verification, and the published answer is raised to the one that waits."""
    server = start(folder=PHONES / "resources")
    worker = Program(
        [str(venvs.ensure(venvs.DAPR_1_18)), str(PHONES / "app.py")],
        log=tmp_path / "worker.log",
        folder=tmp_path,
        environment=server.worker_environment,
    )
    try:
        pubsub = "my-pubsub-component"
        call = {"id": "call-1", "phone": "+420 123 456 789", "expires_in_s": 300}
        publish(server, pubsub, "calls", call)
        code = _code(worker)
        for answer in ("000000x", code):
            value = {"verification": "call-1", "code": answer}
            publish(server, pubsub, "sms-challenge-topic", value)
        assert server.output("call-1") == {"verified": True, "answers": 2}
        publish(server, pubsub, "sms-challenge-topic", {"verification": "call-2", "code": "1"})
        until(lambda: trigger(server, "sms-answers")["deadLetters"] == 1, "a dead letter")
        counts = trigger(server, "sms-answers")["messages"]
        assert (counts["raised"], counts["dead-lettered"]) == (2, 1)
    finally:
        worker.kill()


def _code(worker: Program) -> str:
    def told(lines: list[Line]) -> list[Line]:
        return [line for line in lines if _CODE.search(str(line.get("text", "")))]

    found = worker.wait_until(told, DEADLINE_S)
    assert found, worker.lines
    code = _CODE.search(found[0]["text"])
    assert code is not None
    return code[1]


SDK = """
import json
from dapr.clients import DaprClient

with DaprClient() as client:
    order = json.dumps({"id": "from-sdk"})
    client.publish_event("messages", "orders", order, data_content_type="application/json")
    metadata = {"cloudevent.id": "e1", "cloudevent.source": "sdk"}
    for _ in range(2):
        client.publish_event(
            "messages", "payments", json.dumps({"order": "from-sdk"}),
            publish_metadata=metadata, data_content_type="application/json",
        )
    try:
        client.publish_event("nobody", "orders", order)
    except Exception as error:
        print("refused:", error)
"""


def test_a_released_sdk_publishes(start: Start, tmp_path: Path) -> None:
    server = start(BROKER, TRIGGERS)
    (tmp_path / "publish.py").write_text(SDK)
    done = subprocess.run(
        [str(venvs.ensure(venvs.DAPR_1_18)), str(tmp_path / "publish.py")],
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        env=clean_environment(server.worker_environment),
    )
    assert done.returncode == 0, done
    assert "pubsub nobody not found" in done.stdout
    # An event that overtakes its instance is tried again, until the instance is there.
    until(lambda: trigger(server, "payments")["messages"].get("duplicate") == 1, "both came")
    assert trigger(server, "payments")["messages"]["raised"] == 1
    assert trigger(server, "orders")["messages"] == {"started": 1}


class Publisher(threading.Thread):
    """Publishes the same events, each under its own id, until it is told to stop."""

    def __init__(self, server: Server, number: int) -> None:
        super().__init__(daemon=True)
        self.confirmed = 0
        self.enough = threading.Event()
        self._url = f"http://{HOST}:{server.http_port}/v1.0/publish/messages"
        self._number = number

    def wait_for(self, more: int) -> None:
        """Return once so many more events are confirmed."""
        before = self.confirmed
        until(lambda: self.confirmed >= before + more, f"{more} events are confirmed")

    def run(self) -> None:
        with httpx.Client(trust_env=False, timeout=5) as client:
            for _ in range(1_000):
                for topic, event in events():
                    if self.enough.is_set():
                        return
                    self._publish(client, topic, event)

    def _publish(self, client: httpx.Client, topic: str, event: dict[str, Any]) -> None:
        headers = {"content-type": "application/cloudevents+json"}
        try:
            answer = client.post(f"{self._url}/{topic}", json=event, headers=headers)
            self.confirmed += answer.status_code == httpx.codes.NO_CONTENT
        except httpx.TransportError:
            # The server was killed; the event is published again in the next round.
            self.enough.wait(0.02)


def events() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every event that there is: each starts a workflow, or pays for the one that waits."""
    for number in range(MESSAGES):
        event = {"id": f"e{number}", "source": "till", "type": "sale", "specversion": "1.0"}
        yield "orders", {**event, "data": {"id": f"order-{number}"}}
        yield "payments", {**event, "data": {"order": "account", "amount": number}}


@pytest.mark.parametrize("kills", [4])
def test_kills_in_the_middle_of_deliveries_double_nothing(start: Start, kills: int) -> None:
    """An event that is published again and again, with kills in between, takes effect once."""
    spec = TRIGGERS.replace("eventName", "onMissing: keep\n  eventName")
    server = start(BROKER, spec)
    publisher = Publisher(server, MESSAGES)
    publisher.start()
    for _ in range(kills):
        publisher.wait_for(60)
        server.kill()
        server.start()
    publisher.wait_for(2 * 2 * MESSAGES)
    publisher.enough.set()
    publisher.join(DEADLINE_S)
    until(lambda: _received(server) == 0, "the queues are empty")
    assert server.stop() == 0
    with sqlite3.connect(server.store) as store:
        (starts,) = store.execute("SELECT count(*) FROM instances").fetchone()
        (mails,) = store.execute("SELECT count(*) FROM notes WHERE shelf = 'mailbox'").fetchone()
    assert (starts, mails) == (MESSAGES, MESSAGES)


def _received(server: Server) -> int:
    found = server.request("GET", "/v1.0/triggers").json()["triggers"]
    counted = [sum(each["messages"].values()) for each in found]
    received = [each["source"]["received"] for each in found]
    return int(sum(received) - sum(counted))


def test_a_broker_that_is_away_is_told_by_health_and_by_nothing_else(
    start: Start, tmp_path: Path
) -> None:
    resources = tmp_path / "resources"
    resources.mkdir()
    away = BROKER.replace(
        "{type: pubsub.in-memory, version: v1}",
        "{type: pubsub.redis, version: v1, metadata: [{name: redisHost, value: '127.0.0.1:1'}]}",
    )
    (resources / "all.yaml").write_text(f"{away}---\n{TRIGGERS}")
    server = Server.in_folder(tmp_path, "--resources-path", str(resources))
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            server.command, stdout=log, stderr=log, env=clean_environment({})
        )
    try:
        until(lambda: _answers(server, "/v1.0/healthz/outbound") == 204, "it serves workers")
        until(lambda: "is away" in _health(server), "health names the source")
        assert "messages/orders" in _health(server)
        server.begin("order", "still")
        answer = server.request("POST", "/v1.0/publish/messages/orders", "1")
        assert answer.status == 503
        assert answer.json()["errorCode"] == "ERR_PUBSUB_PUBLISH_MESSAGE"
        assert not trigger(server, "orders")["source"]["connected"]
        process.terminate()
        assert process.wait(DEADLINE_S) == 0
    finally:
        process.kill()
        process.wait()


def _answers(server: Server, path: str) -> int:
    try:
        return server.request("GET", path).status
    except httpx.TransportError:
        # Nobody listens yet: that is what is being waited for.
        return 0


def _health(server: Server) -> str:
    answer = server.request("GET", "/v1.0/healthz")
    return answer.json()["message"] if answer.status == 500 else ""


def test_a_pause_outlasts_a_restart(start: Start) -> None:
    server = start(BROKER, TRIGGERS)
    assert server.request("POST", "/v1.0/triggers/orders/pause").status == 204
    server.kill()
    server.start()
    assert trigger(server, "orders")["paused"]
    publish(server, "messages", "orders", {"id": "a"})
    publish(server, "messages", "payments", {"order": "none"})
    until(lambda: trigger(server, "payments")["deadLetters"] == 1, "the other trigger goes on")
    assert server.request("GET", "/v1.0/workflows/order/a").status == 404
    assert server.request("POST", "/v1.0/triggers/orders/resume").status == 204
    until(lambda: trigger(server, "orders")["messages"].get("started") == 1, "it is started")


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([TRIGGERS], "0.yaml:3:12: there is no pub/sub component messages; none is loaded"),
        ([BROKER, TRIGGERS.replace("data.id", "dat.id")], "1.yaml:8:3: instanceID: character 4"),
        ([BROKER, TRIGGERS.replace("payments}", "orders}", 1)], "there is a trigger orders"),
        ([BROKER.replace("in-memory", "inmemory"), TRIGGERS], "did you mean pubsub.in-memory?"),
        (
            [BROKER, TRIGGERS.replace("workflow: order", "workflow: order\n  component: tempo")],
            "there is no workflow component tempo; loaded: dapr",
        ),
    ],
)
def test_bad_configuration_stops_the_start(tmp_path: Path, texts: list[str], said: str) -> None:
    resources = tmp_path / "resources"
    resources.mkdir()
    for number, text in enumerate(texts):
        (resources / f"{number}.yaml").write_text(text)
    server = Server.in_folder(tmp_path, "--resources-path", str(resources))
    done = subprocess.run(
        [sys.executable, *server.command[1:]],
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        env=clean_environment({}),
    )
    assert done.returncode == 2, done
    assert said in done.stderr
    assert str(resources) in done.stderr
