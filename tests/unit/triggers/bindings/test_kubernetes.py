"""Watching Kubernetes: recorded streams, played by hand, with everything that happens to them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from perdure.base.errors import ConfigurationError
from perdure.base.time import SECOND_US
from perdure.triggers.bindings import kubernetes
from perdure.triggers.bindings.kube_api import LINE_BYTES_MAX
from perdure.triggers.port import Settled, Standing
from tests.kit.clock import VirtualClock
from tests.kit.inbox import Inbox
from tests.kit.metadata import Metadata
from tests.kit.scripted_server import Request, ScriptedServer, Stream

LIST = "/apis/apps/v1/namespaces/shop/deployments"
RESOURCES = {
    "kind": "APIResourceList",
    "resources": [
        {
            "name": "deployments",
            "singularName": "deployment",
            "kind": "Deployment",
            "namespaced": True,
            "verbs": ["get", "list", "watch"],
        },
        {"name": "deployments/scale", "kind": "Scale", "namespaced": True, "verbs": ["get"]},
    ],
}
GONE = {
    "kind": "Status",
    "apiVersion": "v1",
    "status": "Failure",
    "message": "too old resource version: 5 (9)",
    "reason": "Expired",
    "code": 410,
}


def deployment(name: str, version: int, created: str = "2026-01-01T10:00:00Z") -> dict[str, object]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"uid-{name}",
            "resourceVersion": str(version),
            "creationTimestamp": created,
        },
        "spec": {"replicas": 3},
    }


def event(kind: str, found: Mapping[str, object]) -> dict[str, object]:
    return {"type": kind, "object": found}


def bookmark(version: int) -> dict[str, object]:
    metadata = {"resourceVersion": str(version), "creationTimestamp": None}
    return event("BOOKMARK", {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": metadata})


def listing(version: int, *found: dict[str, object]) -> dict[str, object]:
    items = [{k: v for k, v in each.items() if k not in {"kind", "apiVersion"}} for each in found]
    metadata = {"resourceVersion": str(version)}
    return {
        "kind": "DeploymentList",
        "apiVersion": "apps/v1",
        "metadata": metadata,
        "items": items,
    }


class Cluster:
    """The API server as the test plays it, and the source that watches it."""

    def __init__(self, server: ScriptedServer, inbox: Inbox, folder: Path) -> None:
        self.server = server
        self.inbox = inbox
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(
            json.dumps(
                {
                    "current-context": "here",
                    "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                    "clusters": [{"name": "c", "cluster": {"server": server.url}}],
                    "users": [{"name": "u", "user": {"token": "let-me-in"}}],
                }
            )
        )

    @asynccontextmanager
    async def watched(self, position: str | None = None, **items: str) -> AsyncIterator[Standing]:
        """Run a source meanwhile."""
        all_items = {"namespace": "shop", "kind": "Deployment"} | items
        source = kubernetes.build(
            Metadata("bindings.kubernetes", kubeconfigPath=str(self.kubeconfig), **all_items),
            VirtualClock(asyncio.get_running_loop()),
        )
        run = asyncio.create_task(source.run(self.inbox.receive, position))
        yield source.standing
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert not source.standing.connected

    async def next(self, *, passes_time: bool = False) -> Request:
        """Return the next request, discovery answered."""
        request = await self.server.next(passes_time=passes_time)
        assert request.headers["authorization"] == "Bearer let-me-in"
        if request.path == "/apis/apps/v1":
            await request.answer(RESOURCES)
            return await self.next(passes_time=passes_time)
        return request

    async def list(self, answer: object, *, passes_time: bool = False) -> Request:
        """Expect a list, and answer it."""
        request = await self.next(passes_time=passes_time)
        assert (request.path, request.query.get("watch")) == (LIST, None)
        await request.answer(answer)
        return request

    async def watch(self, version: int, *, passes_time: bool = False) -> Stream:
        """Expect a watch after a version, and begin to answer it."""
        request = await self.next(passes_time=passes_time)
        assert request.path == LIST
        assert request.query["watch"] == "true"
        assert request.query["allowWatchBookmarks"] == "true"
        assert request.query["resourceVersion"] == str(version)
        return await request.stream()

    async def told(self, *expected: tuple[str, str, int]) -> None:
        """Wait for so many messages, and compare what they say."""
        found = []
        for _ in expected:
            message = await self.inbox.next()
            body = json.loads(message.data)
            value = body["oldVal"] if body["event"] == "delete" else body["newVal"]
            metadata = value["metadata"]
            found.append((body["event"], metadata["name"], int(metadata["resourceVersion"])))
        assert found == list(expected)

    def position(self) -> str:
        """The last position that came to the disk."""
        return next(each.position for each in reversed(self.inbox.accepted) if each.position)


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
    assert ids == ["uid-a/3", "uid-b/5", "uid-c/8", "uid-c/9", "uid-c/21/deleted"]
    first, message = cluster.inbox.accepted[0], cluster.inbox.accepted[2]
    assert message.named_after == "c"
    assert first.position is None
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
    assert message.position == "8 2026-01-01T10:00:00Z uid-a,uid-b,uid-c apps/v1/deployment/shop?"


async def test_it_goes_on_at_its_position(cluster: Cluster) -> None:
    async with cluster.watched("41 2026-01-01T10:00:00Z - apps/v1/deployment/shop?"):
        stream = await cluster.watch(41)
        await stream.send_json(event("MODIFIED", deployment("a", 42)))
        await cluster.told(("update", "a", 42))
    assert cluster.position().startswith("42 ")


@pytest.mark.parametrize(
    "position", ["41 2026-01-01T10:00:00Z - apps/v1/statefulset/shop?", "41", "nonsense", "  "]
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


@pytest.mark.parametrize("way", ["in the stream", "as a status"])
async def test_a_place_that_is_too_old_is_made_good_by_a_list(cluster: Cluster, way: str) -> None:
    async with cluster.watched() as standing:
        old, younger = "2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z"
        await cluster.list(
            listing(7, deployment("same", 3), deployment("changed", 4), deployment("gone", 5))
        )
        await cluster.told(("add", "same", 3), ("add", "changed", 4), ("add", "gone", 5))
        stream = await cluster.watch(7)
        if way == "in the stream":
            await stream.send_json({"type": "ERROR", "object": GONE})
        else:
            await stream.end()
            await (await cluster.next()).answer(GONE, 410)
        await cluster.list(
            listing(
                90,
                deployment("same", 3, old),
                deployment("changed", 80, old),
                deployment("new", 70, younger),
            )
        )
        await cluster.told(("add", "new", 70), ("update", "changed", 80), ("delete", "gone", 5))
        assert standing.notes["listed_anew"]
        await cluster.watch(90)
        assert standing.connected
    assert cluster.position() == "90 2026-01-01T11:00:00Z uid-new apps/v1/deployment/shop?"


async def test_after_a_restart_a_list_tells_new_from_changed_by_their_age(
    cluster: Cluster,
) -> None:
    """Nothing is known but the position: the youngest object until then was of ten o'clock."""
    position = "50 2026-01-01T10:00:00Z uid-last apps/v1/deployment/shop?"
    async with cluster.watched(position):
        await (await cluster.next()).answer(GONE, 410)
        await cluster.list(
            listing(
                99,
                deployment("untouched", 40, "2026-01-01T09:00:00Z"),
                deployment("changed", 60, "2026-01-01T09:00:00Z"),
                deployment("last", 65, "2026-01-01T10:00:00Z"),
                deployment("next", 66, "2026-01-01T10:00:00Z"),
                deployment("new", 70, "2026-01-01T10:00:01Z"),
            )
        )
        await cluster.told(
            ("update", "changed", 60),
            ("update", "last", 65),
            ("add", "next", 66),
            ("add", "new", 70),
        )


async def test_a_server_that_is_gone_at_every_place_is_not_asked_without_a_pause(
    cluster: Cluster,
) -> None:
    async with cluster.watched() as standing:
        for _ in range(2):
            await cluster.list(listing(7))
            await (await cluster.next()).answer(GONE, 410)
        request = await cluster.next(passes_time=True)
        assert standing.trouble is not None
        assert "too old as soon as it is read" in standing.trouble
        assert request.query["watch"] == "true"


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (403, {"message": "deployments is forbidden"}, "403 Because: deployments is forbidden"),
        (401, {"message": "Unauthorized"}, "401 Because: Unauthorized"),
        (500, b"<html>", "500 Because: <html>"),
        (200, b"<html>", "is not JSON"),
        (200, b"[]", "is not a JSON object"),
        (200, {"metadata": {}}, "without a resource version"),
    ],
)
async def test_trouble_is_told_in_words_and_the_server_is_asked_again(
    cluster: Cluster, status: int, answer: object, words: str
) -> None:
    async with cluster.watched() as standing:
        await (await cluster.next()).answer(answer, status)
        await cluster.list(listing(7), passes_time=True)
        assert standing.trouble is None or words in standing.trouble
        await cluster.watch(7)
        assert standing.connected
        assert standing.trouble is None


@pytest.mark.parametrize(
    "line",
    [
        b"not json\n",
        b'{"type": "ADDED"}\n',
        b'{"type": "SURPRISE", "object": {}}\n',
        b'{"type": "ERROR", "object": {"code": 500, "message": "etcd is away"}}\n',
    ],
)
async def test_a_watch_that_talks_nonsense_is_opened_again(cluster: Cluster, line: bytes) -> None:
    async with cluster.watched():
        await cluster.list(listing(7))
        await (await cluster.watch(7)).send(line)
        await cluster.watch(7, passes_time=True)


async def test_a_line_without_an_end_does_not_fill_the_memory(cluster: Cluster) -> None:
    async with cluster.watched() as standing:
        await cluster.list(listing(7))
        stream = await cluster.watch(7)
        with suppress(ConnectionError):  # the other side may hang up at any of them
            for _ in range(4):
                await stream.send(b"x" * (LINE_BYTES_MAX // 2))
                await asyncio.sleep(0)
            await stream.closed()
        await cluster.watch(7, passes_time=True)
        assert standing.trouble is not None
        assert "a line of the watch has more than" in standing.trouble


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
