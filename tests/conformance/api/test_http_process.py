"""What SDKs and operators ask of the process, over a socket: behaviour.md 1.5 and 1.6, CORS."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.conformance.api.http_door import SETTINGS, Server, json_of, serving


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


@pytest.fixture
async def guarded() -> AsyncIterator[Server]:
    async with serving(replace(SETTINGS, api_token="s3cret-ö")) as server:
        yield server


@pytest.mark.parametrize(
    "path",
    ["/v1.0/healthz", "/v1.0/healthz/", "/v1.0/healthz?appid=shop", "/v1.0/healthz/outbound"],
)
async def test_healthy(server: Server, path: str) -> None:
    answer = await server.call("GET", path)
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("/v1.0/healthz", "ERR_HEALTH_NOT_READY", "dapr is not ready: store is away"),
        (
            "/v1.0/healthz/outbound",
            "ERR_OUTBOUND_HEALTH_NOT_READY",
            "dapr outbound is not ready",
        ),
    ],
)
async def test_not_ready(server: Server, path: str, code: str, message: str) -> None:
    server.process.unready = "store is away"
    answer = await server.call("GET", path)
    assert answer.status_code == 500
    assert json_of(answer) == {"errorCode": code, "message": message}


async def test_another_app(server: Server) -> None:
    answer = await server.call("GET", "/v1.0/healthz?appid=other")
    assert answer.status_code == 500
    assert json_of(answer) == {
        "errorCode": "ERR_HEALTH_APPID_NOT_MATCH",
        "message": "dapr app-id does not match",
    }


async def test_metadata(server: Server) -> None:
    body = json_of(await server.call("GET", "/v1.0/metadata"))
    assert body["id"] == "shop"
    assert body["runtimeVersion"] == "1.2.3"
    assert body["components"] == [
        {"name": "dapr", "type": "workflow.dapr", "version": "v1", "capabilities": []}
    ]
    assert body["workflows"] == {}
    assert body["actorRuntime"]["runtimeStatus"] == "RUNNING"
    server.process.workers = 2
    body = json_of(await server.call("GET", "/v1.0/metadata"))
    assert body["workflows"] == {"connectedWorkers": 2}
    types = [actor["type"] for actor in body["actorRuntime"]["activeActors"]]
    assert types == ["dapr.internal.default.shop.workflow", "dapr.internal.default.shop.activity"]


async def test_metadata_is_extended(server: Server) -> None:
    answer = await server.call("PUT", "/v1.0/metadata/cli%20PID", "42 ö".encode())
    assert (answer.status_code, answer.content) == (204, b"")
    body = json_of(await server.call("GET", "/v1.0/metadata"))
    assert body["extended"] == {"cli PID": "42 ö", "daprRuntimeVersion": "1.2.3"}
    bad = await server.call("PUT", "/v1.0/metadata/a%00", b"1")
    assert bad.status_code == 400
    assert (await server.call("PUT", "/v1.0/metadata/a", b"\xff")).status_code == 400


@pytest.mark.parametrize(
    ("headers", "force"), [({}, False), ({"dapr-force-shutdown": "true"}, True)]
)
async def test_shutdown(server: Server, headers: dict[str, str], force: bool) -> None:
    answer = await server.call("POST", "/v1.0/shutdown", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await server.process.stops.get() is force


# ---- the API token

GUARDED = [
    ("GET", "/v1.0/metadata"),
    ("GET", "/v1.0/workflows"),
    ("POST", "/v1.0/workflows/Waits/i/start"),
    ("POST", "/v1.0/shutdown"),
    ("GET", "/openapi.json"),
    ("GET", "/nowhere"),
    ("GET", "/v1.0/healthz/outbound/more"),
]


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize("token", [None, "", "s3cret", "S3CRET-Ö", "s3cret-öx"])
async def test_without_the_token(
    guarded: Server, method: str, path: str, token: str | None
) -> None:
    headers = [] if token is None else [(b"dapr-api-token", token.encode())]
    answer = await guarded.http.request(method, guarded.base_url + path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.content == b"invalid api token"
    assert await guarded.component.get("i") is None
    assert guarded.process.stops.empty()


@pytest.mark.parametrize("path", ["/v1.0/healthz", "/v1.0//healthz/outbound/"])
async def test_health_needs_no_token(guarded: Server, path: str) -> None:
    assert (await guarded.call("GET", path)).status_code == 204


async def test_with_the_token(guarded: Server) -> None:
    answer = await guarded.http.get(
        guarded.base_url + "/v1.0/metadata", headers=[(b"dapr-api-token", "s3cret-ö".encode())]
    )
    assert answer.status_code == 200
    assert b"s3cret" not in answer.content


# ---- methods


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/v1.0/workflows/Waits/i", "DELETE, GET, HEAD, OPTIONS"),
        ("POST", "/v1.0/workflows/Waits/i", "DELETE, GET, HEAD, OPTIONS"),
        ("DELETE", "/v1.0-beta1/workflows/dapr/i", "GET, HEAD, OPTIONS"),
        ("GET", "/v1.0/workflows/Waits/i/start", "OPTIONS, POST"),
        ("GET", "/v1.0/workflows/query", "OPTIONS, POST"),
        ("TRACE", "/v1.0/healthz", "GET, HEAD, OPTIONS"),
    ],
)
async def test_a_method_that_is_not_allowed(
    server: Server, method: str, path: str, allow: str
) -> None:
    answer = await server.call(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)
    assert json_of(answer)["errorCode"] == "ERR_METHOD_NOT_ALLOWED"
    options = await server.call("OPTIONS", path)
    assert (options.status_code, options.headers["allow"]) == (204, allow)


async def test_head_is_get_without_a_body(server: Server) -> None:
    await server.bring("i", "RUNNING")
    for path in ("/v1.0/workflows/Waits/i", "/v1.0/workflows/dapr/i", "/v1.0/workflows"):
        head, get = await server.call("HEAD", path), await server.call("GET", path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers.get("location") == get.headers.get("location")
        assert head.headers["content-length"] == get.headers["content-length"]


# ---- other origins


async def test_any_origin_may_ask(server: Server) -> None:
    preflight = await server.call(
        "OPTIONS",
        "/v1.0/workflows/Waits/i/start",
        headers={
            "Origin": "https://example.org",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "dapr-api-token, prefer",
        },
    )
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    answer = await server.call(
        "POST", "/v1.0/workflows/Waits/i/start", headers={"Origin": "https://example.org"}
    )
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Location" in answer.headers["access-control-expose-headers"]


async def test_no_origin_may_ask_unless_one_is_named() -> None:
    async with serving(replace(SETTINGS, allowed_origins=())) as server:
        origin = {"Origin": "https://example.org"}
        asked = {**origin, "Access-Control-Request-Method": "POST"}
        preflight = await server.call("OPTIONS", "/v1.0/workflows/Waits/i/start", headers=asked)
        answer = await server.call("GET", "/v1.0/metadata", headers=origin)
        for each in (preflight, answer):
            assert not [name for name in each.headers if name.startswith("access-control")]


async def test_only_some_origins_may_ask() -> None:
    async with serving(replace(SETTINGS, allowed_origins=("https://a.example",))) as server:
        for origin, allowed in (("https://a.example", "https://a.example"), ("https://b.x", None)):
            answer = await server.call("GET", "/v1.0/metadata", headers={"Origin": origin})
            assert answer.headers.get("access-control-allow-origin") == allowed


async def test_a_preflight_carries_no_token(guarded: Server) -> None:
    preflight = await guarded.call(
        "OPTIONS",
        "/v1.0/metadata",
        headers={"Origin": "https://example.org", "Access-Control-Request-Method": "GET"},
    )
    assert preflight.status_code == 200


async def test_a_preflight_without_a_token_is_refused_where_no_origin_is_named() -> None:
    # As a daprd does: no page may call it, so there is nothing that a preflight could ask for.
    closed = replace(SETTINGS, allowed_origins=(), api_token="s3cret")
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "GET"}
    async with serving(closed) as server:
        preflight = await server.call("OPTIONS", "/v1.0/metadata", headers=asked)
    assert preflight.status_code == 401


async def test_a_page_that_may_ask_can_read_that_its_token_is_missing(guarded: Server) -> None:
    answer = await guarded.call("GET", "/v1.0/metadata", headers={"Origin": "https://example.org"})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "*"
