"""Watching Kubernetes: recorded streams, played by hand, and the place in them that is kept."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from perdure.base.errors import ConfigurationError
from perdure.base.time import SECOND_US
from perdure.triggers.bindings import kubernetes
from perdure.triggers.port import Settled
from tests.kit.clock import VirtualClock
from tests.kit.inbox import Inbox
from tests.kit.kube_cluster import Cluster, bookmark, deployment, event, listing
from tests.kit.metadata import Metadata
from tests.kit.scripted_server import ScriptedServer


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with ScriptedServer() as server:
        yield Cluster(server, Inbox(), tmp_path)


async def test_what_exists_is_told_and_then_what_happens(cluster: Cluster) -> None:
    async with cluster.watched() as standing:
        await cluster.list(listing(7, deployment("b", 5), deployment("a", 3)))
        await cluster.told(("add", "a", 3), ("add", "b", 5))
        stream = await cluster.watch(7)
        assert standing.connected
        await stream.send_json(event("ADDED", deployment("c", 8)))
        await stream.send_json(event("MODIFIED", deployment("c", 9)), bookmark(20))
        await stream.send_json(event("DELETED", deployment("c", 21)))
        await cluster.told(("add", "c", 8), ("update", "c", 9), ("delete", "c", 21))
    ids = [each.message_id for each in cluster.inbox.accepted]
    assert ids == ["uid-a/listed", "uid-b/listed", "uid-c/8", "uid-c/9", "uid-c/21/deleted"]
    first, message = cluster.inbox.accepted[0], cluster.inbox.accepted[2]
    assert message.named_after == "c"
    assert first.position == "- 1970-01-01T00:00:00Z - 7 apps/v1/deployment/shop?"
    assert json.loads(first.data)["newVal"]["kind"] == "Deployment"
    assert json.loads(message.data) == {
        "event": "add",
        "oldVal": {},
        "newVal": deployment("c", 8),
    }
    assert dict(message.attributes) == {
        "event": "add",
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "shop",
        "name": "c",
        "uid": "uid-c",
        "resourceVersion": "8",
    }
    assert message.position == "8 2026-01-01T10:00:00Z uid-a,uid-b,uid-c - apps/v1/deployment/shop?"


async def test_it_goes_on_at_its_position(cluster: Cluster) -> None:
    async with cluster.watched("41 2026-01-01T10:00:00Z - - apps/v1/deployment/shop?"):
        stream = await cluster.watch(41)
        await stream.send_json(event("MODIFIED", deployment("a", 42)))
        await cluster.told(("update", "a", 42))
    assert cluster.position().startswith("42 ")


@pytest.mark.parametrize(
    "position", ["41 2026-01-01T10:00:00Z - - apps/v1/statefulset/shop?", "41", "nonsense", "  "]
)
async def test_a_position_of_something_else_is_not_gone_on_from(
    cluster: Cluster, position: str
) -> None:
    async with cluster.watched(position):
        await cluster.list(listing(50))
        await cluster.watch(50)


async def test_only_the_wanted_changes_are_told(cluster: Cluster) -> None:
    async with cluster.watched(changes="added", existing="skip"):
        await cluster.list(listing(7, deployment("a", 3)))
        stream = await cluster.watch(7)
        await stream.send_json(event("MODIFIED", deployment("a", 8)))
        await stream.send_json(event("DELETED", deployment("a", 9)))
        await stream.send_json(event("ADDED", deployment("b", 10)))
        await cluster.told(("add", "b", 10))
    assert len(cluster.inbox.messages) == 1


async def test_a_list_comes_in_pages_and_with_its_selectors(cluster: Cluster) -> None:
    selectors = {"labelSelector": "app=shop", "fieldSelector": "metadata.name!=x"}
    async with cluster.watched(**selectors):
        page = listing(7, deployment("a", 3))
        page["metadata"] = {"resourceVersion": "7", "continue": "more"}
        first = await cluster.list(page)
        second = await cluster.list(listing(7, deployment("b", 4)))
        assert "continue" not in first.query
        assert second.query["continue"] == "more"
        assert second.query | selectors == second.query
        await cluster.told(("add", "a", 3), ("add", "b", 4))
        await cluster.watch(7)
    assert cluster.position().endswith(
        "apps/v1/deployment/shop?fieldSelector=metadata.name!=x&labelSelector=app=shop"
    )


async def test_a_watch_that_ends_is_opened_at_the_place_of_the_last_bookmark(
    cluster: Cluster,
) -> None:
    async with cluster.watched() as standing:
        await cluster.list(listing(7))
        stream = await cluster.watch(7)
        await stream.send_json(bookmark(30))
        await stream.end()
        stream = await cluster.watch(30)
        await stream.send_json(event("ADDED", deployment("a", 31)))
        await cluster.told(("add", "a", 31))
        assert standing.connected


async def test_a_line_that_breaks_off_is_read_again(cluster: Cluster) -> None:
    line = json.dumps(event("ADDED", deployment("b", 9))).encode()
    async with cluster.watched() as standing:
        await cluster.list(listing(7))
        stream = await cluster.watch(7)
        await stream.send_json(event("ADDED", deployment("a", 8)))
        await stream.send(line[:40])
        await cluster.told(("add", "a", 8))
        stream.tear()
        stream = await cluster.watch(8, passes_time=True)
        assert standing.connected or standing.trouble
        await stream.send(line[:40])
        await stream.send(line[40:] + b"\n" + json.dumps(bookmark(10)).encode()[:5])
        await cluster.told(("add", "b", 9))
        assert standing.connected
    assert len(cluster.inbox.accepted) == 2


async def test_what_is_not_on_disk_holds_the_place(cluster: Cluster) -> None:
    cluster.inbox.answers.extend([Settled.LATER, Settled.LATER])
    clock = VirtualClock(asyncio.get_running_loop())
    async with cluster.watched():
        await cluster.list(listing(7))
        stream = await cluster.watch(7)
        await stream.send_json(event("ADDED", deployment("a", 8)))
        await stream.send_json(event("ADDED", deployment("b", 9)))
        await cluster.told(("add", "a", 8))
        while len(cluster.inbox.accepted) < 2:
            clock.advance(SECOND_US)
            await asyncio.sleep(0)
    names = [dict(each.attributes)["name"] for each in cluster.inbox.messages]
    assert names == ["a", "a", "a", "b"]


async def test_a_list_is_taken_now_and_then_if_so_asked(cluster: Cluster) -> None:
    async with cluster.watched(resyncPeriodInSec="30"):
        await cluster.list(listing(7))
        request = await cluster.next()
        assert request.query["timeoutSeconds"] == "30"
        VirtualClock(asyncio.get_running_loop()).advance(30 * SECOND_US)
        await (await request.stream()).end()
        await cluster.list(listing(9, deployment("missed", 8)))
        await cluster.told(("add", "missed", 8))


async def test_a_kind_that_is_not_there_yet_is_waited_for(cluster: Cluster) -> None:
    async with cluster.watched() as standing:
        for _ in range(2):
            request = await cluster.server.next(passes_time=True)
            assert request.path == "/apis/apps/v1"
            await request.answer({"resources": []})
        await cluster.list(listing(7), passes_time=True)
        await cluster.watch(7)
        assert standing.connected


async def test_events_of_all_namespaces_are_what_dapr_s_binding_is_for(cluster: Cluster) -> None:
    resources = [{"name": "events", "kind": "Event", "namespaced": True, "verbs": ["watch"]}]
    async with cluster.watched(namespace="*", kind="Event"):
        request = await cluster.server.next()
        assert request.path == "/api/v1"
        await request.answer({"resources": resources})
        assert (await cluster.next()).path == "/api/v1/events"


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ({}, "namespace: is missing"),
        ({"namespace": "a", "changes": "added,moved"}, "changes: 'moved' is none of added"),
        ({"namespace": "a", "existing": "maybe"}, "existing: expected one of deliver, skip"),
        ({"namespace": "a", "resyncPeriodInSec": "soon"}, "resyncPeriodInSec: expected a whole"),
        ({"namespace": "a", "resyncPeriod": "5ms"}, "resyncPeriod: expected a duration of"),
        ({"namespace": "a", "direction": "output"}, "direction: perdure has no output"),
        ({"namespace": "a", "namespce": "b"}, "namespce: bindings.kubernetes has no item"),
    ],
)
async def test_bad_metadata_is_refused(items: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        kubernetes.build(Metadata("bindings.kubernetes", **items))


async def test_dapr_s_items_are_taken() -> None:
    items = {"namespace": "default", "resyncPeriodInSec": "10", "direction": "input"}
    assert kubernetes.build(Metadata("bindings.kubernetes", **items)).name == "source"
