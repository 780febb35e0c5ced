"""The document form's changes over a socket: terminate, raiseEvent, suspend, resume, DELETE."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.conformance.api.http_door import (
    ACTIVE,
    FINISHED,
    STATES,
    Server,
    json_of,
    serving,
    type_of,
)

MISSING = "unable to find workflow with the provided instance ID: i"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


# state, call, status, errorCode
CHANGES: list[tuple[str, str, int, str | None]] = [
    *((state, "terminate", 200, None) for state in ACTIVE),
    *((state, "terminate", 409, "ERR_TERMINATE_WORKFLOW") for state in FINISHED),
    *((state, "raiseEvent?eventName=go", 202, None) for state in ("PENDING", "RUNNING")),
    ("SUSPENDED", "raiseEvent?eventName=go", 202, None),
    ("STALLED", "raiseEvent?eventName=go", 409, "ERR_RAISE_EVENT_WORKFLOW"),
    *((state, "raiseEvent/go", 409, "ERR_RAISE_EVENT_WORKFLOW") for state in FINISHED),
    *((state, "suspend", 200, None) for state in ACTIVE),
    *((state, "suspend", 409, "ERR_PAUSE_WORKFLOW") for state in FINISHED),
    *((state, "resume", 200, None) for state in ACTIVE),
    *((state, "resume", 409, "ERR_RESUME_WORKFLOW") for state in FINISHED),
    *((state, "DELETE", 409, "ERR_PURGE_WORKFLOW") for state in ACTIVE),
    *((state, "DELETE", 200, None) for state in FINISHED),
    *((state, "DELETE?force=true", 200, None) for state in STATES),
]


def request_of(workflow_type: str, call: str) -> tuple[str, str]:
    path = f"/v1.0/workflows/{workflow_type}/i"
    if call.startswith("DELETE"):
        return "DELETE", path + call.removeprefix("DELETE")
    return "POST", f"{path}/{call}"


@pytest.mark.parametrize(("state", "call", "status", "code"), CHANGES)
async def test_change(server: Server, state: str, call: str, status: int, code: str | None) -> None:
    await server.bring("i", state)
    answer = await server.call(*request_of(type_of(state), call))
    assert answer.status_code == status
    if code is None:
        assert answer.content == b""
    else:
        assert json_of(answer)["errorCode"] == code
        assert "'i'" in json_of(answer)["message"] or " i:" in json_of(answer)["message"]


@pytest.mark.parametrize(
    "call",
    ["terminate", "raiseEvent/go", "suspend", "resume", "DELETE", "DELETE?force=true", "GET",
     "history", "activities", "rerun"],
)  # fmt: skip
@pytest.mark.parametrize("state", ["MISSING", "PURGED", "RUNNING"])
async def test_an_instance_that_is_missing_or_of_another_type(
    server: Server, state: str, call: str
) -> None:
    await server.bring("i", state)
    method, path = request_of("Other", call)
    if call in {"GET", "history", "activities"}:
        method, path = "GET", path.removesuffix("/GET")
    body = '{"eventID": 1}' if call == "rerun" else None
    answer = await server.call(method, path, body)
    assert answer.status_code == 404
    assert json_of(answer) == {"errorCode": "ERR_INSTANCE_ID_NOT_FOUND", "message": MISSING}
    if state == "RUNNING":
        assert (await server.view("i")).status.name == "RUNNING"


@pytest.mark.parametrize(
    ("body", "output"), [(b"", None), (b'{"b": 2}', '{"b": 2}'), (b"\xff", '"/w=="')]
)
async def test_the_body_of_a_terminate_becomes_the_output(
    server: Server, body: bytes, output: str | None
) -> None:
    await server.bring("i", "RUNNING")
    await server.call("POST", "/v1.0/workflows/Waits/i/terminate", body)
    view = await server.view("i")
    assert (view.status.name, view.output) == ("TERMINATED", output)


@pytest.mark.parametrize(
    ("query", "status"), [("", "TERMINATED"), ("?recursive=true", "TERMINATED"),
                          ("?recursive=false", "RUNNING")]
)  # fmt: skip
async def test_terminate_ends_children_too(server: Server, query: str, status: str) -> None:
    await with_child(server)
    answer = await server.call("POST", f"/v1.0/workflows/Parent/i/terminate{query}")
    assert answer.status_code == 200
    # 200 says that all of it is in force.
    assert (await server.view("i-child")).status.name == status


@pytest.mark.parametrize(("query", "remains"), [("", False), ("?recursive=false", True)])
async def test_delete_takes_children_too(server: Server, query: str, remains: bool) -> None:
    await with_child(server)
    await server.call("POST", "/v1.0/workflows/Parent/i/terminate")
    answer = await server.call("DELETE", f"/v1.0/workflows/Parent/i{query}")
    assert answer.status_code == 200
    assert (await server.component.get("i-child") is not None) is remains


async def with_child(server: Server) -> None:
    await server.bring("i", "PENDING", "Parent")
    async with server.worker():
        await server.reach("i", finished=False)
        await server.reach("i-child", finished=False)


@pytest.mark.parametrize(
    "call", ["terminate?recursive=maybe", "DELETE?force=2", "DELETE?recursive=", "GET?fields=nope",
             "GET?returnInternalServerErrorOnFailure=x", "history?pageSize=0", "history?token=-1",
             "history?pageSize=1001"]
)  # fmt: skip
async def test_a_parameter_that_makes_no_sense(server: Server, call: str) -> None:
    await server.bring("i", "COMPLETED")
    method, path = request_of("Echo", call)
    if "GET" in call or "history" in call:
        method, path = "GET", path.replace("/GET", "")
    answer = await server.call(method, path)
    assert (answer.status_code, json_of(answer)["errorCode"]) == (400, "ERR_MALFORMED_REQUEST")
    assert (await server.view("i")).status.name == "COMPLETED"


# ---- the four ways to name an event

CLOUD = "application/cloudevents+json; charset=utf-8"
ENVELOPE = {"specversion": "1.0", "id": "1", "source": "/s", "type": "go"}
EVENTS: list[tuple[str, dict[str, str], str | bytes, str]] = [
    ("/go", {}, "[1]", "go=[1]"),
    ("/go", {}, "", "go=None"),
    ("/go?eventName=other", {"ce-type": "third"}, "1", "go=1"),
    ("/my%2Fevent+x", {}, "1", "my/event x=1"),
    ("?eventName=go", {"ce-type": "other"}, "1", "go=1"),
    ("?eventName=", {"ce-type": "go"}, "1", "go=1"),
    ("", {"ce-type": "go", "content-type": "application/json"}, '{"a":1.10}', 'go={"a":1.10}'),
    ("", {"ce-type": "caf%C3%A9"}, b"\xff", 'café="/w=="'),
    ("", {"content-type": CLOUD}, json.dumps({**ENVELOPE, "data": {"a": 1}}), 'go={"a": 1}'),
    ("", {"content-type": CLOUD}, json.dumps(ENVELOPE), "go=None"),
    ("", {"content-type": CLOUD}, json.dumps({**ENVELOPE, "data": "s"}), 'go="s"'),
    ("", {"content-type": CLOUD},
     json.dumps({**ENVELOPE, "datacontenttype": "text/plain", "data": "s"}), "go=s"),
    ("", {"content-type": CLOUD}, json.dumps({**ENVELOPE, "data_base64": "aGk="}), "go=hi"),
    ("", {}, '{"eventName": "go", "eventData": {"b": 1.10}}', 'go={"b": 1.10}'),
    ("", {}, '{"eventData": null, "eventName": "go"}', "go=null"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "headers", "body", "output"), EVENTS)
async def test_an_event_is_named(
    server: Server, path: str, headers: dict[str, str], body: str | bytes, output: str
) -> None:
    await server.bring("i", "RUNNING")
    call = f"/v1.0/workflows/Waits/i/raiseEvent{path}"
    answer = await server.call("POST", call, body, headers)
    assert (answer.status_code, answer.content) == (202, b"")
    async with server.worker():
        assert (await server.reach("i", finished=True)).output == output


NAMELESS: list[tuple[dict[str, str], str | bytes, str]] = [
    ({}, "", "ERR_WORKFLOW_EVENT_NAME_MISSING"),
    ({}, "not json", "ERR_WORKFLOW_EVENT_NAME_MISSING"),
    ({}, b"\xff", "ERR_WORKFLOW_EVENT_NAME_MISSING"),
    ({}, "[1]", "ERR_WORKFLOW_EVENT_NAME_MISSING"),
    ({}, '{"eventName": "go"}', "ERR_WORKFLOW_EVENT_NAME_MISSING"),
    ({}, '{"eventName": "go", "eventData": 1, "more": 2}', "ERR_WORKFLOW_EVENT_NAME_MISSING"),
    ({}, '{"eventName": 1, "eventData": 1}', "ERR_WORKFLOW_EVENT_NAME_MISSING"),
    ({}, '{"eventName": "", "eventData": 1}', "ERR_WORKFLOW_EVENT_NAME_MISSING"),
    ({"content-type": CLOUD}, '{"data": 1}', "ERR_WORKFLOW_EVENT_NAME_MISSING"),
    ({"content-type": CLOUD}, "{", "ERR_MALFORMED_REQUEST"),
    ({"content-type": CLOUD}, '{"type": "go", "data_base64": "?"}', "ERR_MALFORMED_REQUEST"),
    ({"content-type": "application/cloudevents-batch+json"}, "[]", "ERR_MALFORMED_REQUEST"),
]


@pytest.mark.parametrize(("headers", "body", "code"), NAMELESS)
async def test_an_event_without_a_name(
    server: Server, headers: dict[str, str], body: str | bytes, code: str
) -> None:
    await server.bring("i", "RUNNING")
    answer = await server.call("POST", "/v1.0/workflows/Waits/i/raiseEvent", body, headers)
    assert (answer.status_code, json_of(answer)["errorCode"]) == (400, code)


# ---- suspend and resume


async def test_no_new_work_while_suspended_and_events_are_kept(server: Server) -> None:
    await server.bring("i", "RUNNING")
    for _ in range(2):
        answer = await server.call("POST", "/v1.0/workflows/Waits/i/suspend")
        assert answer.status_code == 200
    await server.call("POST", "/v1.0/workflows/Waits/i/raiseEvent/go", "1")
    async with server.worker():
        await server.bring("other", "PENDING", "Echo")
        await server.reach("other", finished=True)
        assert (await server.view("i")).status.name == "SUSPENDED"
        answer = await server.call("POST", "/v1.0/workflows/Waits/i/resume")
        assert answer.status_code == 200
        assert (await server.reach("i", finished=True)).output == "go=1"


# ---- a component's name in the place of the type


@pytest.mark.parametrize(
    ("method", "call", "status"),
    [
        ("POST", "suspend", 200),
        ("POST", "resume", 202),
        ("POST", "raiseEvent?eventName=go", 202),
        ("GET", "history", 200),
        ("GET", "activities", 200),
    ],
)
async def test_a_component_may_be_named_instead(
    server: Server, method: str, call: str, status: int
) -> None:
    await server.bring("i", "RUNNING")
    answer = await server.call(method, f"/v1.0/workflows/dapr/i/{call}")
    assert answer.status_code == status


async def test_delete_under_a_components_name(server: Server) -> None:
    await server.bring("i", "COMPLETED")
    assert (await server.call("DELETE", "/v1.0/workflows/dapr/i")).status_code == 200
    assert await server.component.get("i") is None


async def test_suspend_of_a_missing_instance_under_a_components_name(server: Server) -> None:
    answer = await server.call("POST", "/v1.0/workflows/dapr/i/suspend")
    body: dict[str, Any] = json_of(answer)
    assert answer.status_code == 404
    assert body == {"errorCode": "ERR_INSTANCE_ID_NOT_FOUND", "message": MISSING}
