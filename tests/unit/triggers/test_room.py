"""The room: sources that come and go with their triggers, and what is told of them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from perdure.app.clock import SystemClock
from perdure.app.component_files import Resources, read_resources
from perdure.app.triggering import Room, check_triggers, open_room
from perdure.base.errors import ConfigurationError
from perdure.base.observer import NullObserver
from perdure.components.catalog import EMBEDDED, Catalog
from perdure.components.embedded import EmbeddedComponent
from perdure.components.publishing import Publication
from perdure.engine.service import Engine
from perdure.engine.settings import EngineSettings
from perdure.store.memory.store import MemoryStore

COMPONENTS = """\
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: messages}
spec: {type: pubsub.in-memory, version: v1}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: hook}
spec: {type: bindings.http, version: v1}
"""
TRIGGER = """\
---
apiVersion: perdure.io/v1alpha1
kind: WorkflowTrigger
metadata: {{name: {name}}}
spec:
  source: {{pubsub: messages, topic: {topic}}}
  action: start
  workflow: {name}
  instanceID: "'{name}-' + data.id"
  {more}
"""


def trigger(name: str, topic: str = "orders", more: str = "") -> str:
    return TRIGGER.format(name=name, topic=topic, more=more)


@dataclass
class Config:
    """What of the configuration concerns triggers."""

    resources: Resources
    app_id: str = "app"
    instance_id_bytes_max: int = 64
    instance_id_extra_characters: str = ""
    message_bytes_max: int = 1_000_000


@dataclass
class House:
    """A store with the rooms of one server after another."""

    folder: Path
    store: MemoryStore = field(default_factory=MemoryStore)

    def config(self, *texts: str) -> Config:
        file = self.folder / "all.yaml"
        file.write_text(COMPONENTS + "".join(texts))
        return Config(read_resources([file], app_id="app"))

    @asynccontextmanager
    async def room(self, *texts: str) -> AsyncIterator[tuple[Room, EmbeddedComponent]]:
        clock = SystemClock()
        engine = Engine(EngineSettings(app_id="app"), self.store, clock, NullObserver())
        component = EmbeddedComponent(engine, clock, NullObserver())
        await engine.start()
        try:
            room = open_room(self.config(*texts), Catalog({EMBEDDED: component}, {}), clock)
            assert room is not None
            await room.start()
            yield room, component
            await room.stop()
            await room.close()
        finally:
            await engine.stop()


async def until(met: Callable[[], object]) -> None:
    """Let the loop run until something is so."""
    async with asyncio.timeout(20):
        while not met():  # noqa: ASYNC110 - the loop is let run, and nothing slept through
            await asyncio.sleep(0)


async def publish(room: Room, instance_id: str, topic: str = "orders") -> None:
    data = json.dumps({"id": instance_id}).encode()
    sent = Publication(pubsub="messages", topic=topic, data=data, content_type="application/json")
    assert await room.publisher.publish(sent) is None


async def test_messages_start_workflows_of_every_trigger(tmp_path: Path) -> None:
    async with House(tmp_path).room(trigger("a"), trigger("b"), trigger("c", "other")) as (
        room,
        component,
    ):
        await publish(room, "1")
        await publish(room, "2", "other")
        await until(lambda: sum(map(len, room.figures().messages.values())) == 3)
        ids = (await component.list_ids(None, 10)).instance_ids
        assert sorted(ids) == ["a-1", "b-1", "c-2"]
        views = await room.list()
        assert [view.name for view in views] == ["a", "b", "c"]
        assert views[0].source.name == views[1].source.name == "messages/orders"
        assert views[0].counts == {"started": 1}
        assert room.trouble() is None
        assert room.figures().connected == {"messages/orders": True, "messages/other": True}
        assert {view.name for view in room.component_views()} == {"messages", "hook"}
        assert [view.topic for view in room.subscription_views()] == ["orders", "other"]


async def test_a_source_is_left_when_nobody_wants_it(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.room(trigger("a"), trigger("b")) as (room, _):
        await until(lambda: room.trouble() is None)
        assert await room.pause("a")
        assert room.figures().connected["messages/orders"]
        assert await room.pause("b")
        assert not room.figures().connected["messages/orders"]
        assert room.trouble() is None
        await publish(room, "1")
    async with house.room(trigger("a"), trigger("b")) as (room, component):
        assert [view.paused for view in await room.list()] == [True, True]
        await publish(room, "2")
        assert await room.resume("a")
        assert await room.resume("b")
        # What came between the two resumptions comes to the second one later.
        counts = room.figures
        await until(lambda: all(counts().messages[name].get("started") for name in ("a", "b")))
        assert sorted((await component.list_ids(None, 10)).instance_ids) == ["a-2", "b-2"]


async def test_a_trigger_may_be_paused_by_its_file(tmp_path: Path) -> None:
    async with House(tmp_path).room(trigger("a", more="paused: true")) as (room, _):
        view = await room.get("a")
        assert view is not None
        assert view.paused
        assert not view.source.connected


async def test_what_there_is_not(tmp_path: Path) -> None:
    async with House(tmp_path).room(trigger("a")) as (room, _):
        assert await room.get("b") is None
        assert not await room.pause("b")
        assert not await room.resume("b")
        assert await room.dead_letters("b", token=None, limit=10) is None
        assert await room.kept("b", since_us=0, token=None, limit=10) is None
        assert await room.dead_letter("a", "x") is None
        assert await room.replay("b", "x") is None
        assert not await room.edit("b", "x", b"", None)
        assert not await room.discard("a", "x")


def test_nothing_is_opened_where_nothing_is_configured(tmp_path: Path) -> None:
    config = Config(Resources())
    assert open_room(config, Catalog({}, {}), SystemClock()) is None
    assert check_triggers(config) == []
    warnings = check_triggers(House(tmp_path).config())
    assert [text.split(": ", 1)[1] for text in warnings] == [
        "no trigger uses binding hook, so it has no effect"
    ]


async def test_an_item_that_nobody_asks_for_is_warned_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    more = "{type: pubsub.in-memory, version: v1, metadata: [{name: redisHost, value: x}]}"
    monkeypatch.setattr(
        f"{__name__}.COMPONENTS",
        COMPONENTS.replace("{type: pubsub.in-memory, version: v1}", more),
    )
    async with House(tmp_path).room(trigger("a")):
        told = capsys.readouterr().out
    assert "redisHost is not used by perdure's pubsub.in-memory and has no effect" in told


async def test_a_type_does_not_have_a_components_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="workflow dapr has the name of a workflow comp"):
        async with House(tmp_path).room(trigger("dapr")):
            raise AssertionError("it is not opened")


async def test_a_message_that_is_too_large_is_a_dead_letter(tmp_path: Path) -> None:
    async with House(tmp_path).room(trigger("a", more="retry: {attempts: 1}")) as (room, _):
        await publish(room, "x" * 1_000_000)
        await until(lambda: room.figures().messages["a"] == {"dead-lettered": 1})
        page = await room.dead_letters("a", token=None, limit=1)
        assert page is not None
        assert page.letters[0].reason.endswith("at most 1000000 are taken (--max-body-size)")


def test_ids_have_to_have_room(tmp_path: Path) -> None:
    config = House(tmp_path).config(trigger("a"))
    config.instance_id_bytes_max = 27
    with pytest.raises(ConfigurationError, match="--instance-id-max-bytes 27: triggers make"):
        check_triggers(config)
