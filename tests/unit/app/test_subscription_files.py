"""Subscriptions as Dapr's files have them, in both versions."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from perdure.app.subscription_files import read_subscription
from perdure.app.yaml_files import read_documents
from perdure.base.errors import ConfigurationError
from perdure.triggers.definitions import Subscription

V2 = "dapr.io/v2alpha1"
BASE: dict[str, Any] = {"pubsubname": "messages", "topic": "orders"}


def read(folder: Path, spec: dict[str, Any], version: str = V2, **more: Any) -> Subscription | None:
    value = {
        "apiVersion": version,
        "kind": "Subscription",
        "metadata": {"name": "way"},
        "spec": {**BASE, **spec},
        **more,
    }
    file = folder / "s.yaml"
    file.write_text(yaml.safe_dump(value, sort_keys=False))
    return read_subscription(read_documents(file)[0], app_id="shop", warn=warnings.append)


warnings: list[str] = []


@pytest.fixture(autouse=True)
def _no_warnings() -> None:
    warnings.clear()


def test_rules_and_a_default(tmp_path: Path) -> None:
    rules = [
        {"match": 'event.type == "widget"', "path": "/widgets"},
        {"match": 'event.type == "gadget"', "path": "/gadgets"},
    ]
    found = read(
        tmp_path,
        {
            "routes": {"rules": rules, "default": "/products"},
            "deadLetterTopic": "broken",
            "metadata": {"rawPayload": "true"},
        },
    )
    assert found is not None
    assert [(match.text, path) for match, path in found.rules] == [
        ('event.type == "widget"', "/widgets"),
        ('event.type == "gadget"', "/gadgets"),
    ]
    assert found.default == "/products"
    assert found.paths() == ("/widgets", "/gadgets", "/products")
    assert found.dead_letter_topic == "broken"
    assert found.metadata == (("rawPayload", "true"),)
    assert (found.pubsub, found.topic) == ("messages", "orders")
    assert not warnings


def test_a_rule_without_a_match_is_the_default(tmp_path: Path) -> None:
    rules = [{"match": "event.id == '1'", "path": "/a"}, {"path": "/b"}, {"path": "/never"}]
    found = read(tmp_path, {"routes": {"rules": rules, "default": "/c"}})
    assert found is not None
    assert found.paths() == ("/a", "/b")


def test_the_older_version_has_one_route(tmp_path: Path) -> None:
    found = read(tmp_path, {"route": "/orders"}, "dapr.io/v1alpha1")
    assert found is not None
    assert (found.rules, found.default) == ((), "/orders")
    with pytest.raises(ConfigurationError, match=r"routes need apiVersion: dapr.io/v2alpha1"):
        read(tmp_path, {"routes": {"default": "/x"}}, "dapr.io/v1alpha1")


def test_scopes(tmp_path: Path) -> None:
    spec = {"routes": {"default": "/x"}}
    assert read(tmp_path, spec, scopes=["other"]) is None
    assert read(tmp_path, spec, scopes=["other", "shop"]) is not None


def test_what_has_no_effect_is_warned_about(tmp_path: Path) -> None:
    read(tmp_path, {"routes": {"default": "/x"}, "bulkSubscribe": {"enabled": True}, "more": 1})
    assert [text.split(": ", 1)[1][:20] for text in warnings] == [
        "spec.more is not use",
        "bulkSubscribe has no",
    ]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, "s.yaml:5:1: routes is missing; expected rules with paths, or a default"),
        ({"topic": "", "routes": {"default": "/x"}}, "s.yaml:7:3: spec.topic: String should have"),
        (
            {"routes": {"rules": [{"match": "evt.type == 'x'", "path": "/x"}]}},
            "s.yaml:10:7: routes.rules.0.match: character 4: there is no 'evt.type'",
        ),
        ({"routes": {"rules": [{"match": "'x'", "path": "/x"}]}}, "expected true or false"),
        ({"routes": {"rules": [{"match": "true"}]}}, "path: this key is missing"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    tmp_path: Path, spec: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, spec)
    assert said in str(caught.value)
