"""Whose workflow a call is for, and whether its app may do that, over HTTP."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from perdure.core.access import Operation
from perdure.core.requests import Start
from tests.conformance.api.http_door import APP_ID, Server, json_of, serving
from tests.kit.policies import allowing

DENIED = "access denied by workflow access policy"
OTHER = "other"
LOOKS = allowing(OTHER, APP_ID, "Flow*", Operation.GET)

# Method, path, the operation that is needed, the code that names the call.
DOCUMENT: list[tuple[str, str, str, str]] = [
    ("POST", "/v1.0/workflows/Flow/new/start", "schedule", "ERR_START_WORKFLOW"),
    ("POST", "/v1.0/workflows/Flow/i/terminate", "terminate", "ERR_TERMINATE_WORKFLOW"),
    ("POST", "/v1.0/workflows/dapr/i/suspend", "pause", "ERR_PAUSE_WORKFLOW"),
    ("POST", "/v1.0/workflows/Flow/i/resume", "resume", "ERR_RESUME_WORKFLOW"),
    ("DELETE", "/v1.0/workflows/dapr/i", "purge", "ERR_PURGE_WORKFLOW"),
    ("POST", "/v1.0/workflows/Flow/i/raiseEvent/go", "raise", "ERR_RAISE_EVENT_WORKFLOW"),
    ("POST", "/v1.0/workflows/Flow/i/rerun", "rerun", "ERR_RERUN_WORKFLOW"),
]
RELEASED: list[tuple[str, str, str, str]] = [
    ("POST", "/v1.0/workflows/dapr/Flow/start", "schedule", "ERR_START_WORKFLOW"),
    ("POST", "/v1.0/workflows/dapr/i/terminate", "terminate", "ERR_TERMINATE_WORKFLOW"),
    ("POST", "/v1.0-beta1/workflows/dapr/i/pause", "pause", "ERR_PAUSE_WORKFLOW"),
    ("POST", "/v1.0/workflows/dapr/i/resume", "resume", "ERR_RESUME_WORKFLOW"),
    ("POST", "/v1.0-alpha1/workflows/dapr/i/purge", "purge", "ERR_PURGE_WORKFLOW"),
    ("POST", "/v1.0/workflows/dapr/i/raiseEvent/go", "raise", "ERR_RAISE_EVENT_WORKFLOW"),
]


async def asked(server: Server, method: str, path: str, **more: Any) -> httpx.Response:
    """Make a call as the app `other` does, about an app that it names if need be."""
    query = f"?appID={APP_ID}" if path.endswith("/start") else ""
    content = b'{"eventID": 1}' if path.endswith("/rerun") else None
    headers = {"dapr-app-id": OTHER}
    return await server.call(method, path + query, headers=headers, content=content, **more)


@pytest.mark.parametrize(("method", "path", "operation", "code"), DOCUMENT)
async def test_the_document_form_is_denied_with_403(
    method: str, path: str, operation: str, code: str
) -> None:
    async with serving(access=LOOKS) as server:
        await _start(server, "i", APP_ID)
        answer = await asked(server, method, path)
        assert (answer.status_code, json_of(answer)["errorCode"]) == (403, code)
        assert DENIED in json_of(answer)["message"]
        assert f"may not {operation} workflow 'Flow'" in json_of(answer)["message"]
        assert (await server.view("i")).status.name == "PENDING"


@pytest.mark.parametrize(("method", "path", "operation", "code"), RELEASED)
async def test_the_released_form_is_denied_with_500(
    method: str, path: str, operation: str, code: str
) -> None:
    async with serving(access=LOOKS) as server:
        await _start(server, "i", APP_ID)
        answer = await asked(server, method, path)
        assert (answer.status_code, json_of(answer)["errorCode"]) == (500, code)
        assert f"{DENIED}: " in json_of(answer)["message"]
        assert f"may not {operation}" in json_of(answer)["message"]


@pytest.mark.parametrize(
    "path", ["Flow/i", "dapr/i", "dapr/i/history", "Flow/i/history", "Flow/i/activities"]
)
@pytest.mark.parametrize("caller", [OTHER, "third", APP_ID, None])
async def test_reading(path: str, caller: str | None) -> None:
    async with serving(access=LOOKS) as server:
        await _start(server, "i", APP_ID)
        headers = {} if caller is None else {"dapr-app-id": caller}
        answer = await server.call("GET", f"/v1.0/workflows/{path}", headers=headers)
        if caller == "third":
            assert answer.status_code == (500 if path == "dapr/i" else 403)
            assert json_of(answer)["errorCode"] == "ERR_GET_WORKFLOW"
            assert DENIED in json_of(answer)["message"]
        else:
            assert answer.status_code < 300


@pytest.mark.parametrize("operation", list(Operation))
async def test_what_is_allowed_is_done(operation: Operation) -> None:
    by_operation = {op: (method, path) for method, path, op, _ in DOCUMENT}
    method, path = by_operation.get(operation.value, ("GET", "/v1.0/workflows/dapr/i"))
    async with serving(access=allowing(OTHER, APP_ID, "Fl*", operation)) as server:
        await _start(server, "i", APP_ID)
        answer = await asked(server, method, path)
        assert answer.status_code not in {403, 500}, answer.text


async def test_listings_leave_out_what_may_not_be_seen() -> None:
    async with serving(access=LOOKS) as server:
        await _start(server, "seen", APP_ID)
        await _start(server, "unseen", APP_ID, "Secret")
        await _start(server, "own", OTHER, "Secret")
        assert await _listed(server, OTHER) == {"seen", "own"}
        assert await _listed(server, "third") == {"own"}
        assert await _listed(server, APP_ID) == {"seen", "unseen", "own"}
        assert await _listed(server, OTHER, f"?appID={APP_ID}") == {"seen"}


async def test_an_id_of_another_app_is_not_taken_over_without_leave() -> None:
    """A start that replaces a finished instance deletes it."""
    async with serving(access=LOOKS) as server:
        await _start(server, "i", APP_ID)
        await server.bring("done", "COMPLETED")
        answer = await server.call(
            "POST",
            "/v1.0/workflows/dapr/Flow/start?instanceID=done",
            headers={"dapr-app-id": OTHER},
        )
        assert answer.status_code == 500
        assert "may not purge workflow" in json_of(answer)["message"]
        assert (await server.view("done")).app_id == APP_ID
        answer = await server.call("POST", "/v1.0/workflows/dapr/Flow/start?instanceID=done")
        assert answer.status_code == 202


async def test_an_app_starts_its_own_workflows_and_may_name_another() -> None:
    async with serving() as server:
        for number, (headers, query, app) in enumerate(
            [
                ({}, "", APP_ID),
                ({"dapr-app-id": OTHER}, "", OTHER),
                ({}, "&appID=third", "third"),
                ({"dapr-app-id": OTHER}, f"&appID={APP_ID}", APP_ID),
                ({}, "&appID=", APP_ID),
            ]
        ):
            path = f"/v1.0/workflows/dapr/Flow/start?instanceID=i-{number}{query}"
            assert (await server.call("POST", path, headers=headers)).status_code == 202
            assert (await server.view(f"i-{number}")).app_id == app


async def test_an_app_that_is_named_has_only_its_own_instances() -> None:
    async with serving() as server:
        await _start(server, "i", OTHER)
        for method, path in (
            ("GET", "dapr/i"),
            ("GET", "Flow/i"),
            ("POST", "dapr/i/terminate"),
            ("POST", "Flow/i/suspend"),
            ("DELETE", "Flow/i"),
            ("GET", "dapr/i/history"),
            ("GET", "dapr/i/activities"),
            ("POST", "Flow/i/raiseEvent/e"),
        ):
            here = await server.call(method, f"/v1.0/workflows/{path}?appID={APP_ID}")
            assert here.status_code == 404, path
        rerun = f"/v1.0/workflows/dapr/i/rerun?appID={APP_ID}"
        answer = await server.call("POST", rerun, content=b'{"eventID": 1}')
        assert answer.status_code == 404
        assert "workflow instance does not exist with ID 'i'" in json_of(answer)["message"]
        there = await server.call("POST", f"/v1.0/workflows/dapr/i/terminate?appID={OTHER}")
        assert there.status_code == 202


@pytest.mark.parametrize("app_id", ["a.b", "a||b", "a b", "x" * 2_000, "a/b"])
@pytest.mark.parametrize("call", ["GET dapr/i", "POST dapr/Flow/start", "POST Flow/i/start"])
async def test_an_app_id_that_cannot_be(app_id: str, call: str) -> None:
    async with serving() as server:
        method, path = call.split()
        answer = await server.call(method, f"/v1.0/workflows/{path}?appID={quote(app_id)}")
    assert answer.status_code == 400
    assert json_of(answer)["errorCode"] == "ErrInvalidWorkflowAppID"
    assert "is invalid: only alphanumeric" in json_of(answer)["message"]


async def test_metadata_tells_of_policies() -> None:
    async with serving(access=LOOKS) as server:
        answer = json_of(await server.call("GET", "/v1.0/metadata"))
    assert answer["workflowAccessPolicies"] == [{"name": "gate"}]


async def _start(server: Server, instance_id: str, app_id: str, name: str = "Flow") -> None:
    await server.component.start(Start(instance_id=instance_id, name=name, app_id=app_id))


async def _listed(server: Server, caller: str, query: str = "") -> set[str]:
    headers = {"dapr-app-id": caller}
    answer = await server.call("GET", f"/v1.0/workflows{query}", headers=headers)
    return {each["instanceID"] for each in json_of(answer)["instances"]}
