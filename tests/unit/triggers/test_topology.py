"""Which source feeds which triggers, and what does not fit together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from perdure.app.subscription_files import read_subscription
from perdure.app.trigger_files import read_trigger
from perdure.base.errors import ConfigurationError
from perdure.triggers.definitions import Subscription, Trigger
from perdure.triggers.topology import Stream, streams
from tests.kit.reception import document, trigger_spec

KINDS = {"messages": "pubsub.in-memory", "hook": "bindings.http"}
BY_ROUTE = {"source": {"subscription": "way"}}


class Files:
    """Triggers and subscriptions, and the streams that they make."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.triggers: list[Trigger] = []
        self.ways: list[Subscription] = []
        self.warnings: list[str] = []

    def trigger(self, name: str, **spec: Any) -> "Files":
        read = read_trigger(
            document(self.folder, "WorkflowTrigger", name, trigger_spec(**spec)), app_id="app"
        )
        assert read is not None
        self.triggers.append(read)
        return self

    def way(self, name: str, *paths: str, **more: Any) -> "Files":
        rules = [{"match": f"event.id == '{path}'", "path": path} for path in paths[1:]]
        spec = {
            "pubsubname": "messages",
            "topic": "orders",
            "routes": {"rules": rules, "default": paths[0]},
            **more,
        }
        read = read_subscription(
            document(self.folder, "Subscription", name, spec),
            app_id="app",
            warn=self.warnings.append,
        )
        assert read is not None
        self.ways.append(read)
        return self

    def streams(self) -> Sequence[Stream]:
        return streams(self.triggers, self.ways, KINDS, self.warnings.append)

    def refusal(self) -> str:
        with pytest.raises(ConfigurationError) as caught:
            self.streams()
        return str(caught.value)


def test_a_topic_is_received_once_for_all_who_want_it(tmp_path: Path) -> None:
    files = Files(tmp_path).trigger("a").trigger("b").trigger("c", source={"binding": "hook"})
    files.way("way", "/d", deadLetterTopic="broken").trigger("d", **BY_ROUTE)
    topic, hook = files.streams()
    assert (topic.component, topic.topic) == ("messages", "orders")
    assert [trigger.name for trigger, _ in topic.takers] == ["a", "b", "d"]
    assert (hook.component, hook.topic) == ("hook", None)
    assert not topic.raw
    by_name = {trigger.name: trigger for trigger, _ in topic.takers}
    assert topic.dead_letter_topic(by_name["d"]) == "broken"
    assert topic.dead_letter_topic(by_name["a"]) is None
    assert not files.warnings


def test_a_topic_may_be_raw(tmp_path: Path) -> None:
    raw = {"pubsub": "messages", "topic": "orders", "metadata": {"rawPayload": "true"}}
    (stream,) = Files(tmp_path).trigger("a", source=raw).streams()
    assert stream.raw


def test_a_subscription_that_no_trigger_uses_is_warned_about(tmp_path: Path) -> None:
    files = Files(tmp_path).way("way", "/a")
    assert files.streams() == ()
    (warning,) = files.warnings
    assert warning.endswith("no trigger uses subscription way, so it has no effect")


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    def files() -> Files:
        return Files(tmp_path)

    other = {"pubsub": "mesages", "topic": "orders"}
    assert (
        files().trigger("a", source=other).refusal()
        == f"{tmp_path}/a.yaml:4:3: there is no pub/sub component mesages; loaded are messages "
        "(is its file below --resources-path, and this app in its scopes?)"
    )
    assert "there is no input binding messages; loaded are hook" in (
        files().trigger("a", source={"binding": "messages"}).refusal()
    )
    assert "there is a trigger a already, at " in files().trigger("a").trigger("a").refusal()
    assert "there is a subscription way already" in (
        files().way("way", "/a").way("way", "/b").refusal()
    )
    assert (
        "there is no subscription way; loaded: none" in files().trigger("a", **BY_ROUTE).refusal()
    )
    assert "subscription way has no path /a; it has /b" in (
        files().way("way", "/b").trigger("a", **BY_ROUTE).refusal()
    )
    assert "sends messages to /b, and no trigger takes them there; add a WorkflowTrigger" in (
        files().way("way", "/a", "/b").trigger("a", **BY_ROUTE).refusal()
    )
    raw = {"pubsub": "messages", "topic": "orders", "metadata": {"rawPayload": "true"}}
    assert "is received with other metadata by another trigger" in (
        files().trigger("a").trigger("b", source=raw).refusal()
    )
