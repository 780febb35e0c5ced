"""An API server of Kubernetes as a test plays it by hand, and the source that watches it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from perdure.triggers.bindings import kubernetes
from perdure.triggers.port import Standing
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
