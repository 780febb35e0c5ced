"""An API server of Kubernetes, as far as watching needs it: discovery, lists and watches.

Configuration and authentication are those of kubernetes-asyncio; objects are read as they are sent,
so that nothing of a kind that the client does not know is lost.
"""

import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import ClientError, ClientResponse, ClientTimeout
from kubernetes_asyncio.client import ApiClient, Configuration
from kubernetes_asyncio.client.exceptions import OpenApiException
from kubernetes_asyncio.config import ConfigException, load_incluster_config, load_kube_config

from perdure.base.limits import MIB
from perdure.triggers.bindings.kube_changes import Object

PAGE_OBJECTS: Final = 500
# As many objects as are known by their uid at most.
PAGES_MAX: Final = 200
ANSWER_BYTES_MAX: Final = 256 * MIB
# An object has one and a half MiB at most in the store of Kubernetes.
LINE_BYTES_MAX: Final = 8 * MIB
REQUEST_TIMEOUT_S: Final = 60.0
WATCH_SECONDS: Final = 300
# A watch ends by itself; one that does not is a connection that is dead.
_WATCH_GRACE_S: Final = 30.0
_GONE: Final = 410
_OK: Final = 200
_EVENT_TYPES: Final = frozenset({"ADDED", "MODIFIED", "DELETED", "BOOKMARK"})
_IN_CLUSTER: Final = "KUBERNETES_SERVICE_HOST"
_WORDS_CHARS_MAX: Final = 300


class ApiTrouble(Exception):
    """The API server refuses, or answers what cannot be read."""


class Gone(Exception):
    """The resource version is too old: what came after it has to be listed."""


TROUBLES: Final = (ApiTrouble, ClientError, ConfigException, OpenApiException, TimeoutError)


@dataclass(frozen=True, slots=True)
class Access:
    """How the API server is found."""

    kubeconfig: str | None
    context: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """All objects of a kind at one moment."""

    objects: list[Object]
    version: str


@asynccontextmanager
async def connection(access: Access) -> AsyncIterator["KubeApi"]:
    """Open a connection with fresh credentials; within a cluster, with those of its pod."""
    configuration: Configuration = Configuration()
    if access.kubeconfig is None and access.context is None and os.environ.get(_IN_CLUSTER):
        load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]  # it has none
    else:
        await load_kube_config(
            config_file=access.kubeconfig,
            context=access.context,
            client_configuration=configuration,
            persist_config=False,
        )
    async with ApiClient(configuration) as client:
        yield KubeApi(client)


class KubeApi:
    """One connection to an API server. What goes wrong is raised as one of `TROUBLES`, or Gone."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def path_of(self, api_version: str, kind: str, namespace: str | None) -> str:
        """Return the path under which the objects of a kind are, as the server tells it."""
        base = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        found = await self._read(base, {})
        for resource in found.get("resources", ()):
            name = str(resource.get("name", ""))
            names = {name, resource.get("singularName"), str(resource.get("kind", "")).lower()}
            if "/" in name or kind.lower() not in names:
                continue
            if "watch" not in resource.get("verbs", ()):
                raise ApiTrouble(f"{kind} of {api_version} cannot be watched")
            if namespace is None or not resource.get("namespaced"):
                return f"{base}/{name}"
            return f"{base}/namespaces/{namespace}/{name}"
        raise ApiTrouble(f"the API server has no {kind} in {api_version}")

    async def list_all(self, path: str, selectors: Mapping[str, str]) -> Listing:
        """Return every object under a path."""
        objects: list[Object] = []
        more = ""
        for _ in range(PAGES_MAX):
            query = {**selectors, "limit": str(PAGE_OBJECTS)}
            query |= {"continue": more} if more else {}
            page = await self._read(path, query)
            kind = str(page.get("kind", "")).removesuffix("List")
            about = {"apiVersion": page.get("apiVersion"), "kind": kind}
            # In a list, the objects do not say what they are.
            objects += [{**about, **found} for found in page.get("items") or ()]
            metadata = page.get("metadata") or {}
            more = metadata.get("continue") or ""
            if not more:
                return Listing(objects, str(metadata.get("resourceVersion", "")))
        raise ApiTrouble(f"the list has more than {PAGES_MAX} pages")

    @asynccontextmanager
    async def watch(
        self, path: str, selectors: Mapping[str, str], version: str, seconds: int
    ) -> AsyncIterator[AsyncIterator[Object]]:
        """Open a watch after a version: its events, until it ends by itself."""
        query = {
            **selectors,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
        }
        response = await self._asked(path, query, seconds + _WATCH_GRACE_S)
        try:
            async with aclosing(_events(response)) as events:
                yield events
        finally:
            response.close()

    async def _read(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        response = await self._asked(path, query, REQUEST_TIMEOUT_S)
        try:
            body = bytearray()
            async for part in response.content.iter_any():
                body += part
                if len(body) > ANSWER_BYTES_MAX:
                    raise ApiTrouble(f"an answer has more than {ANSWER_BYTES_MAX} bytes")
            return _object(bytes(body))
        finally:
            response.release()

    async def _asked(self, path: str, query: Mapping[str, str], timeout_s: float) -> ClientResponse:
        response: ClientResponse = await self._client.call_api(
            path,
            "GET",
            query_params=list(query.items()),
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
            _preload_content=False,
            _request_timeout=ClientTimeout(total=timeout_s),
        )
        if response.status == _OK:
            return response
        try:
            words = (await response.content.read(_WORDS_CHARS_MAX * 4)).decode(errors="replace")
        finally:
            response.close()
        if response.status == _GONE:
            raise Gone
        raise ApiTrouble(f"{response.status} {response.reason}: {_said(words)}")


async def _events(response: ClientResponse) -> AsyncGenerator[Object, None]:
    """The events of a watch. A line that breaks off is no event: it comes again."""
    rest = bytearray()
    async for part in response.content.iter_any():
        rest += part
        if b"\n" in part:
            *lines, last = rest.split(b"\n")
            rest = bytearray(last)
            for line in lines:
                if line.strip():
                    yield _event(bytes(line))
        elif len(rest) > LINE_BYTES_MAX:
            raise ApiTrouble(f"a line of the watch has more than {LINE_BYTES_MAX} bytes")


def _event(line: bytes) -> Object:
    event = _object(line)
    found = event.get("object")
    if not isinstance(found, dict):
        raise ApiTrouble("an event of the watch has no object")
    if event.get("type") == "ERROR":
        if found.get("code") == _GONE:
            raise Gone
        raise ApiTrouble(f"the watch ended: {found.get('code')} {found.get('message')}")
    if event.get("type") not in _EVENT_TYPES:
        raise ApiTrouble(f"an event of the watch is of the unknown type {event.get('type')}")
    return event


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ApiTrouble("the API server's answer is not JSON") from error
    if not isinstance(found, dict):
        raise ApiTrouble("the API server's answer is not a JSON object")
    return found


def _said(words: str) -> str:
    try:
        return str(json.loads(words)["message"])[:_WORDS_CHARS_MAX]
    except (ValueError, KeyError, TypeError):
        return words.strip()[:_WORDS_CHARS_MAX]
