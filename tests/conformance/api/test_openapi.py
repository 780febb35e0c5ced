"""The description of the API is valid, complete and true: requests made from it are answered so."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import checks
from schemathesis.generation.case import Case
from schemathesis.specs.openapi import checks as openapi_checks

from perdure.api.http.errors import INTERNAL
from perdure.api.http.openapi import description
from perdure.api.http.routes import routes
from perdure.api.http.settings import Door
from perdure.components.catalog import EMBEDDED, Catalog
from tests.conformance.api.http_door import SETTINGS, Process, serving

DOCUMENT: dict[str, Any] = json.loads(description(SETTINGS, frozenset({EMBEDDED}), "1.2.3"))
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)

# Dapr answers 500 to these faults of the caller, and so do we.
DAPR_FAULTS = {
    "ERR_START_WORKFLOW",
    "ERR_RAISE_EVENT_WORKFLOW",
    "ERR_PAUSE_WORKFLOW",
    "ERR_RESUME_WORKFLOW",
    "ERR_PURGE_WORKFLOW",
    "ERR_HEALTH_APPID_NOT_MATCH",
}
DAPR_PATHS = (
    f"/v1.0/workflows/{EMBEDDED}/",
    "/v1.0-beta1/workflows/",
    "/v1.0-alpha1/workflows/",
    "/v1.0/healthz",
)


ONE = "/v1.0/workflows/{workflowType}/{instanceID}"
IN_BOTH_FORMS = {
    f"GET {ONE}",
    *(f"POST {ONE}/{call}" for call in ("start", "terminate", "raiseEvent/{eventName}", "resume")),
}


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """A server with a worker, on a thread of its own, because the requests are made by this one."""
    ready: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with serving() as server, server.worker():
            ready.put_nowait(server.base_url)
            await stop.wait()

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    running = asyncio.run_coroutine_threadsafe(serve(), loop)
    try:
        yield asyncio.run_coroutine_threadsafe(ready.get(), loop).result(timeout=30)
    finally:
        loop.call_soon_threadsafe(stop.set)
        running.result(timeout=30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=30)
        loop.close()


def test_the_description_is_valid() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_the_server_returns_it(base_url: str) -> None:
    answer = httpx.get(f"{base_url}/openapi.json", trust_env=False)
    assert answer.json() == DOCUMENT


def test_every_route_is_described() -> None:
    """Path by path, with the parameters' names left out, and the component's name as in `v1.0`."""
    described = {_shape(path) for path in DOCUMENT["paths"]}
    door = Door(SETTINGS, Catalog({}, {}), Process(), asyncio.Event())
    routed = {_shape(route.path) for route in routes(door)}
    # A path that ends where the id should stand only says so.
    routed -= {f"/{prefix}/workflows/*" for prefix in ("v1.0", "v1.0-beta1", "v1.0-alpha1")}
    # What only released Dapr knows needs a component's name there.
    routed -= {f"/v1.0/workflows/*/*/{call}" for call in ("pause", "purge")}
    assert routed <= described
    released = {path for path in described if path.startswith(f"/v1.0/workflows/{EMBEDDED}/")}
    assert described - routed == released | {"/openapi.json"}


def test_a_token_is_described() -> None:
    guarded = json.loads(
        description(replace(SETTINGS, api_token="x"), frozenset({EMBEDDED}), "1.2.3")
    )
    OpenAPIV31SpecValidator(guarded).validate()
    assert guarded["security"] == [{"apiToken": []}]
    assert guarded["paths"]["/v1.0/healthz"]["get"]["security"] == []


@SCHEMA.parametrize()
@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_requests_are_answered_as_described(case: Case[Any], base_url: str) -> None:
    # Where both forms know a call, a component's name in the place of a type makes it another.
    is_either = (case.path_parameters or {}).get("workflowType") == EMBEDDED
    assume(not is_either or f"{case.method} {case.path}" not in IN_BOTH_FORMS)
    if case.headers is not None and "Prefer" in case.headers:
        case.headers["Prefer"] = "wait=0"
    case.call_and_validate(
        base_url=base_url,
        checks=[
            openapi_checks.status_code_conformance,
            openapi_checks.content_type_conformance,
            openapi_checks.response_headers_conformance,
            openapi_checks.response_schema_conformance,
            no_server_error,
        ],
    )


def no_server_error(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: Case[Any]
) -> bool | None:
    """No request makes the server fail."""
    if response.status_code == 500 and case.path.startswith(DAPR_PATHS):
        assert response.json()["errorCode"] in DAPR_FAULTS
        return None
    assert INTERNAL not in response.text
    return checks.not_a_server_error(ctx, response, case)


def _shape(path: str) -> str:
    return "/".join("*" if part.startswith("{") else part for part in path.split("/"))
