"""Watching Kubernetes when it goes wrong: `410 Gone`, refusals, nonsense, and lines without end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from perdure.triggers.bindings.kube_api import LINE_BYTES_MAX
from tests.kit.inbox import Inbox
from tests.kit.kube_cluster import GONE, Cluster, deployment, listing
from tests.kit.scripted_server import ScriptedServer


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with ScriptedServer() as server:
        yield Cluster(server, Inbox(), tmp_path)


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
    assert cluster.position() == "90 2026-01-01T11:00:00Z uid-new - apps/v1/deployment/shop?"


async def test_after_a_restart_a_list_tells_new_from_changed_by_their_age(
    cluster: Cluster,
) -> None:
    """Nothing is known but the position: the youngest object until then was of ten o'clock."""
    position = "50 2026-01-01T10:00:00Z uid-last - apps/v1/deployment/shop?"
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
