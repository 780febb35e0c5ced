"""Trigger files: what is read, and what is said about those that cannot be."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from perdure.app.trigger_files import read_trigger
from perdure.app.yaml_files import read_documents
from perdure.base.errors import ConfigurationError
from perdure.base.time import DAY_US, HOUR_US, SECOND_US
from perdure.core.deliveries import OnExisting, OnMissing
from perdure.triggers.definitions import Action, OfBinding, OfRoute, OfTopic, Trigger

SPEC: dict[str, Any] = {
    "source": {"pubsub": "messages", "topic": "orders"},
    "action": "start",
    "workflow": "order",
}
RAISE: dict[str, Any] = {
    "source": {"binding": "hook"},
    "action": "raiseEvent",
    "instanceID": "data.id",
}


def read(folder: Path, spec: dict[str, Any], **more: Any) -> Trigger:
    value = {
        "apiVersion": "perdure.io/v1alpha1",
        "kind": "WorkflowTrigger",
        "metadata": {"name": "orders"},
        "spec": spec,
        **more,
    }
    file = folder / "t.yaml"
    file.write_text(yaml.safe_dump(value, sort_keys=False))
    found = read_trigger(read_documents(file)[0], app_id="shop")
    assert found is not None
    return found


def refusal(folder: Path, spec: dict[str, Any], **more: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(folder, spec, **more)
    return str(caught.value).removeprefix(f"{folder}/")


def test_the_least_that_can_be_written(tmp_path: Path) -> None:
    found = read(tmp_path, SPEC)
    assert found.name == "orders"
    assert found.origin == OfTopic("messages", "orders")
    assert (found.action, found.workflow, found.component) == (Action.START, "order", "dapr")
    assert found.match is found.instance_id is found.input is found.event_name is None
    assert (found.on_existing, found.on_missing) == (OnExisting.DISCARD, OnMissing.DEAD_LETTER)
    assert (found.keep_us, found.event_expiry_us, found.paused) == (0, DAY_US, False)
    assert found.retry.attempts == 3
    assert found.place == f"{tmp_path}/t.yaml:4:3"
    assert found.spec == SPEC


def test_everything_that_can_be_written(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {
            **SPEC,
            "component": "temporal",
            "match": "event.type == 'x'",
            "instanceID": "data.id",
            "input": "data",
            "tags": {"who": "data.who"},
            "onExisting": "startNext",
            "keep": "36h",
            "retry": {"attempts": 5, "firstPause": "2s", "longestPause": "1m"},
            "paused": True,
        },
        scopes=["shop"],
    )
    assert found.match is not None
    assert found.match.text == "event.type == 'x'"
    assert isinstance(found.tags, tuple)
    assert [(key, each.text) for key, each in found.tags] == [("who", "data.who")]
    assert found.on_existing is OnExisting.START_NEXT
    assert found.keep_us == 36 * HOUR_US
    assert (found.retry.attempts, found.retry.first_pause_us) == (5, 2 * SECOND_US)
    assert found.paused


def test_sources(tmp_path: Path) -> None:
    binding = read(tmp_path, {**RAISE, "eventName": "'paid'", "onMissing": "keep"})
    assert binding.origin == OfBinding("hook")
    assert binding.on_missing is OnMissing.KEEP
    assert read(tmp_path, {**SPEC, "source": {"subscription": "s"}}).origin == OfRoute(
        "s", "/orders"
    )
    named = {"subscription": "s", "path": "/widgets"}
    assert read(tmp_path, {**SPEC, "source": named}).origin == OfRoute("s", "/widgets")
    raw = {"pubsub": "p", "topic": "t", "metadata": {"rawPayload": True}}
    assert read(tmp_path, {**SPEC, "source": raw}).origin == OfTopic(
        "p", "t", (("rawPayload", "true"),)
    )


def test_a_trigger_for_other_apps_is_passed_over(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        read(tmp_path, SPEC, scopes=["other"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"action": "run"}, "t.yaml:9:3: action: expected one of start, raiseEvent, startOrRaise"),
        ({"action": "raise"}, "did you mean raiseEvent?"),
        ({"workflow": None}, "t.yaml:9:3: start needs workflow, the type that it starts"),
        ({"match": "evnt.type == 'x'"}, "t.yaml:11:3: match: character 5: there is no 'evnt.type'"),
        ({"match": "'yes'"}, "t.yaml:11:3: match: expected true or false, and this is string"),
        ({"instanceID": "data.id =="}, "t.yaml:11:3: instanceID: character 11: Syntax error"),
        ({"instanceID": "[1]"}, "instanceID: expected text, and this is list"),
        ({"tags": {"a": "nope"}}, "t.yaml:12:5: tags.a: character 1: there is no 'nope'"),
        ({"tags": "'text'"}, "tags: expected a map, and this is string"),
        ({"onExisting": "Discard"}, "onExisting: expected one of discard, recycle, reject"),
        ({"onMissing": "keep"}, "t.yaml:11:3: onMissing means nothing to start; remove it"),
        ({"eventName": "'x'"}, "eventName means nothing to start"),
        ({"keep": "a day"}, "keep: expected a length of time such as 90s"),
        ({"keep": "10000h"}, "at most a year"),
        ({"retry": {"attempts": 0}}, "retry.attempts: the value should be greater than or equal"),
        ({"retry": {"tries": 1}}, "t.yaml:12:5: there is no key tries here; known are attempts"),
        ({"instanceId": "x"}, "there is no key instanceId here; did you mean instanceID?"),
        ({"source": {"pubsub": "p"}}, "source: expected binding, or pubsub with topic, or"),
        ({"source": {"binding": "b", "topic": "t"}}, "source: expected binding, or pubsub"),
        ({"source": {"bindin": "b"}}, "did you mean binding?"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    spec = {key: value for key, value in {**SPEC, **change}.items() if value is not None}
    text = refusal(tmp_path, spec)
    assert said in text
    assert text.startswith("t.yaml:")


def test_an_event_needs_to_know_whom_it_is_for(tmp_path: Path) -> None:
    spec = {key: value for key, value in RAISE.items() if key != "instanceID"}
    assert "raiseEvent needs instanceID, an expression such as" in refusal(tmp_path, spec)
    assert "tags means nothing to raiseEvent" in refusal(tmp_path, {**RAISE, "tags": {"a": "'b'"}})


@pytest.mark.parametrize("name", ["a b", "ü", "a/b", "x" * 254, "-"])
def test_a_name_can_stand_in_a_path(tmp_path: Path, name: str) -> None:
    assert "expected a name of letters" in refusal(tmp_path, SPEC, metadata={"name": name})
