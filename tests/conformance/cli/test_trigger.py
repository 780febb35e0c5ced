"""`perdure trigger`: what people see of triggers, and what they can do about them."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conformance.cli.calling import Caller, Outcome

BROKER = """\
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: messages}
spec: {type: pubsub.in-memory, version: v1}
"""
TRIGGER = """\
apiVersion: perdure.io/v1alpha1
kind: WorkflowTrigger
metadata: {name: orders}
spec:
  source: {pubsub: messages, topic: orders}
  action: start
  workflow: order
  instanceID: data.id
  tags: {customer: data.customer}
  keep: 1h
  retry: {attempts: 1}
"""
EVENT = {
    "id": "1",
    "source": "shop",
    "type": "order",
    "specversion": "1.0",
    "data": {"id": "o/7", "customer": "ada"},
}
DEADLINE_S = 30


@dataclass
class Shop:
    """A server with one trigger, and the program that asks it."""

    caller: Caller
    url: str
    folder: Path

    def trigger(self, *arguments: str, code: int = 0, given: str = "") -> Outcome:
        return self.caller.inside("trigger", *arguments, code=code, given=given)

    def read(self, *arguments: str) -> Any:
        return json.loads(self.trigger(*arguments, "--json").stdout)

    def publish(self, value: object) -> None:
        answer = httpx.post(f"{self.url}/v1.0/publish/messages/orders", json=value, trust_env=False)
        assert answer.status_code == 204, answer.text

    def until(self, met: Callable[[Any], object]) -> Any:
        """Ask until the trigger is as wanted."""
        end = time.monotonic() + DEADLINE_S
        while not met(found := self.read("show", "orders")):
            assert time.monotonic() < end, found
        return found

    def letters(self, count: int) -> list[str]:
        """Return the ids of the dead letters, once there are so many."""
        self.until(lambda found: found["deadLetters"] == count)
        return [each["id"] for each in self.read("dead-letters", "orders")["deadLetters"]]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    resources = tmp_path / "resources"
    resources.mkdir()
    (resources / "broker.yaml").write_text(BROKER)
    (resources / "orders.yaml").write_text(TRIGGER)
    ports = ("--dapr-http-port", "0", "--dapr-grpc-port", "0")
    with Caller(tmp_path).running("serve", *ports, "--resources-path", "resources") as lines:
        url = lines.read_until("url=").partition("url=")[2].split()[0]
        lines.read_until("is ready")
        yield Shop(Caller(tmp_path, {"DAPR_HTTP_ENDPOINT": url}), url, tmp_path)


def test_triggers_are_listed_and_shown(shop: Shop) -> None:
    shop.publish({"id": "a", "customer": "ada"})
    shop.until(lambda found: found["messages"].get("started") == 1)
    lines = shop.trigger("list").stdout.splitlines()
    assert lines[0].split() == ["TRIGGER", "DOES", "SOURCE", "STATE", "MESSAGES", "DEAD", "LETTERS"]
    assert lines[1].split() == [
        "orders",
        "start",
        "order",
        "messages/orders",
        "receiving",
        "1",
        "0",
    ]
    shown = shop.trigger("show", "orders").stdout
    for words in ("messages/orders (pubsub.in-memory)", "instanceID: data.id", "orders.yaml:3:12"):
        assert words in shown
    assert shop.read("list")["triggers"][0]["name"] == "orders"
    missing = shop.trigger("show", "order", code=3).stderr
    assert "There is no trigger order." in missing
    assert "orders" in missing


def test_a_trigger_is_paused_and_resumed(shop: Shop) -> None:
    assert shop.trigger("pause", "orders").stdout == "orders is paused.\n"
    assert "paused" in shop.trigger("list").stdout
    shop.publish({"id": "a", "customer": "ada"})
    assert shop.trigger("resume", "orders").stdout == "orders takes messages again.\n"
    shop.until(lambda found: found["messages"].get("started") == 1)
    shop.trigger("pause", "none", code=3)


def test_dead_letters_are_put_right(shop: Shop) -> None:
    assert "has no dead letters" in shop.trigger("dead-letters", "orders").stderr
    for number in range(3):
        shop.publish({"n": number})
    first, second, third = shop.letters(3)
    listed = shop.trigger("dead-letters", "orders").stdout
    assert listed.count('there is no "id"') == 3
    shown = shop.trigger("dead-letters", "orders", first).stdout
    assert '"n":0' in shown
    assert (
        "3 of 3 could not be used still" in shop.trigger("replay", "orders", "--all", code=1).stderr
    )
    payload = json.dumps({"id": "a", "customer": "ada"})
    assert f"{first} is changed." in shop.trigger("edit", "orders", first, "-i", payload).stdout
    assert shop.trigger("replay", "orders", first).stdout == f"{first}: started\n"
    shop.trigger("replay", "orders", first, code=3)
    assert shop.trigger("discard", "orders", second).stdout == f"{second} is deleted.\n"
    assert shop.trigger("discard", "orders", "--all").stdout == f"{third} is deleted.\n"
    assert shop.read("show", "orders")["messages"]["started"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("replay", "orders"), 2, "It is not said which dead letters are meant."),
        (("replay", "orders", "x", "--all"), 2, "It is not said which dead letters are meant."),
        (("discard", "orders", "x"), 3, "trigger orders has no dead letter x"),
        (("edit", "orders", "x"), 2, "There is nothing to put there."),
        (("edit", "orders", "x", "-i", "{"), 2, "is not JSON"),
        (("backtest", "resources/orders.yaml", "--since", "soon"), 2, "is no moment"),
        (("backtest", "none.yaml"), 2, "cannot be read"),
    ],
)
def test_what_cannot_be_done_says_why(
    shop: Shop, arguments: tuple[str, ...], code: int, said: str
) -> None:
    arguments = tuple(
        str(shop.folder / each) if each.endswith(".yaml") else each for each in arguments
    )
    assert said in shop.trigger(*arguments, code=code).stderr


def test_a_backtest_compares_what_was_with_what_would_be(shop: Shop) -> None:
    for value in (
        {"id": "a", "customer": "ada"},
        {"id": "b", "customer": "bob"},
        {"customer": "x"},
    ):
        shop.publish(value)
    shop.until(lambda found: sum(found["messages"].values()) == 3)
    same = str(shop.folder / "resources" / "orders.yaml")
    assert shop.trigger("backtest", same).stdout == (
        "orders: 0 of 3 messages would be dealt with anew.\n"
    )
    changed = shop.folder / "changed.yaml"
    changed.write_text(TRIGGER.replace("action:", 'match: data.customer != "bob"\n  action:'))
    (report,) = shop.read("backtest", str(changed), "--since", "1h")["triggers"]
    assert (report["trigger"], report["messages"]) == ("orders", 3)
    (difference,) = report["differences"]
    assert difference["recorded"] == "start order as b (if it exists: discard)"
    assert difference["before"]["outcome"] == "start"
    assert difference["after"] == {
        "outcome": "ignored",
        "reason": 'it does not match data.customer != "bob"',
    }
    told = shop.trigger("backtest", str(changed)).stdout
    assert "1x start → ignored" in told


def test_a_file_is_tried_without_a_server(caller: Caller) -> None:
    (caller.folder / "t.yaml").write_text(TRIGGER)
    (caller.folder / "e.json").write_text(json.dumps(EVENT))
    tried = caller.call("trigger", "test", "t.yaml", "--event", "e.json", "--json")
    (outcome,) = json.loads(tried.stdout)["triggers"]
    assert outcome["instanceID"].startswith("o-7--")
    assert outcome == {
        "trigger": "orders",
        "outcome": "start",
        "workflow": "order",
        "instanceID": outcome["instanceID"],
        "input": '{"id":"o/7","customer":"ada"}',
        "tags": {"customer": "ada"},
        "onExisting": "discard",
    }


@pytest.mark.parametrize(
    ("spec", "event", "options", "code", "said"),
    [
        ("", '{"no": 1}', (), 1, 'orders: dead-lettered: data.id: there is no "id"'),
        ('match: event.type == "x"', json.dumps(EVENT), (), 0, "orders: ignored: it does not"),
        ("", "[1]", ("--content-type", "application/cloudevents+json"), 1, "is a JSON object"),
        (
            'match: event.type == "t" && metadata["x"] == "y=z"',
            '{"id": "a", "customer": "b"}',
            *(
                (
                    *("--header", "ce-id=1", "--header", "ce-source=s", "--header", "ce-type=t"),
                    *("--header", "x=y=z"),
                ),
                0,
                "orders: start order as a",
            ),
        ),
        ("", "{}", ("--header", "x"), 2, "is not NAME=VALUE"),
        ("match: nope", "{}", (), 2, "t.yaml:6:3: match: character 1: there is no 'nope'"),
    ],
)
def test_what_a_file_would_do(
    caller: Caller, spec: str, event: str, options: tuple[str, ...], code: int, said: str
) -> None:
    file = caller.folder / "t.yaml"
    file.write_text(TRIGGER.replace("  action:", f"  {spec}\n  action:") if spec else TRIGGER)
    arguments = ("trigger", "test", str(file), "--event", "-", *options)
    outcome = caller.inside(*arguments, code=code, given=event)
    assert said in outcome.stdout + outcome.stderr
