"""The released form over a socket: one case per row of behaviour.md section 1."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.conformance.api.http_door import Server, json_of, serving

MISSING = "unable to find workflow with the provided instance ID: i"
GONE = "no such instance exists"

# state, call, body, then status, errorCode and message; the instance is `i`.
Expected = tuple[int, str | None, str | None]
ACCEPTED: Expected = (202, None, None)
CHANGES: list[tuple[str, str, str, Expected]] = [
    ("MISSING", "raiseEvent/go", "1", (500, "ERR_RAISE_EVENT_WORKFLOW",
     ("error raising event on workflow 'i': failed to raise event go on workflow i: "
     f"failed to raise event: {GONE}"))),
    ("PENDING", "raiseEvent/go", "1", ACCEPTED),
    ("RUNNING", "raiseEvent/go", "1", ACCEPTED),
    ("SUSPENDED", "raiseEvent/go", "", ACCEPTED),
    ("COMPLETED", "raiseEvent/go", "1", ACCEPTED),
    ("FAILED", "raiseEvent/go", "1", ACCEPTED),
    ("TERMINATED", "raiseEvent/go", "1", ACCEPTED),
    ("STALLED", "raiseEvent/go", "1", (500, "ERR_RAISE_EVENT_WORKFLOW",
     ("error raising event on workflow 'i': failed to raise event go on workflow i: "
     "failed to raise event: workflow is stalled"))),
    ("MISSING", "pause", "", (500, "ERR_PAUSE_WORKFLOW",
     f"error pausing workflow i: failed to pause workflow i: failed to suspend workflow: {GONE}")),
    ("PENDING", "pause", "", ACCEPTED),
    ("RUNNING", "pause", "{}", ACCEPTED),
    ("SUSPENDED", "pause", '{"unknown": [1]}', ACCEPTED),
    ("COMPLETED", "pause", "", ACCEPTED),
    ("MISSING", "resume", "", (500, "ERR_RESUME_WORKFLOW",
     f"error resuming workflow i: failed to resume workflow i: failed to resume workflow: {GONE}")),
    ("RUNNING", "resume", "", ACCEPTED),
    ("SUSPENDED", "resume", '{"instanceID": "another"}', ACCEPTED),
    ("SUSPENDED", "resume", '{"instanceId": 1}', ACCEPTED),
    ("COMPLETED", "resume", "", ACCEPTED),
    ("MISSING", "terminate", "", (404, "ERR_INSTANCE_ID_NOT_FOUND", MISSING)),
    ("PENDING", "terminate", "", ACCEPTED),
    ("RUNNING", "terminate", "", ACCEPTED),
    ("SUSPENDED", "terminate", "", ACCEPTED),
    ("STALLED", "terminate", "", ACCEPTED),
    ("COMPLETED", "terminate", "", ACCEPTED),
    ("MISSING", "purge", "", (404, "ERR_INSTANCE_ID_NOT_FOUND", MISSING)),
    ("PENDING", "purge", "", (500, "ERR_PURGE_WORKFLOW",
     ("error purging workflow i: failed to Purge workflow i: failed to purge workflow state: "
     "orchestration has not yet completed"))),
    ("RUNNING", "purge", "", (500, "ERR_PURGE_WORKFLOW",
     ("error purging workflow i: failed to Purge workflow i: failed to purge workflow state: "
     "orchestration has not yet completed"))),
    ("COMPLETED", "purge", "", ACCEPTED),
    ("FAILED", "purge", "", ACCEPTED),
    ("TERMINATED", "purge", "", ACCEPTED),
]  # fmt: skip


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


@pytest.mark.parametrize(("state", "call", "body", "expected"), CHANGES)
async def test_change(
    server: Server,
    state: str,
    call: str,
    body: str,
    expected: Expected,
) -> None:
    await server.bring("i", state)
    answer = await server.call("POST", f"/v1.0/workflows/dapr/i/{call}", body)
    status, code, message = expected
    assert answer.status_code == status
    assert json_of(answer) == ({} if code is None else {"errorCode": code, "message": message})


@pytest.mark.parametrize("prefix", ["v1.0", "v1.0-beta1", "v1.0-alpha1"])
async def test_every_prefix_knows_every_call(server: Server, prefix: str) -> None:
    root = f"/{prefix}/workflows/dapr"
    started = await server.call("POST", f"{root}/Waits/start?instanceID=i", "1")
    assert (started.status_code, json_of(started)) == (202, {"instanceID": "i"})
    for call in ("pause", "resume", "raiseEvent/go", "terminate", "purge"):
        answer = await server.call("POST", f"{root}/i/{call}")
        assert (answer.status_code, answer.content) == (202, b"{}")
    assert (await server.call("GET", f"{root}/i")).status_code == 404


@pytest.mark.parametrize("prefix", ["v1.0-beta1", "v1.0-alpha1"])
async def test_any_component_will_do_under_the_older_prefixes(server: Server, prefix: str) -> None:
    await server.bring("i", "RUNNING")
    assert (await server.call("GET", f"/{prefix}/workflows/anything/i")).status_code == 200


@pytest.mark.parametrize("prefix", ["v1.0-beta1", "v1.0-alpha1"])
@pytest.mark.parametrize(("method", "call"), [("POST", "suspend"), ("POST", "raiseEvent")])
async def test_what_only_the_document_knows_is_not_under_the_older_prefixes(
    server: Server, prefix: str, method: str, call: str
) -> None:
    await server.bring("i", "RUNNING")
    answer = await server.call(method, f"/{prefix}/workflows/dapr/i/{call}")
    assert (answer.status_code, json_of(answer)["errorCode"]) == (404, "ERR_DIRECT_INVOKE")


# path after /v1.0/workflows, status, errorCode, message
STARTS: list[tuple[str, int, str, str]] = [
    (f"/dapr/Echo/start?instanceID={'a' * 65}", 400, "ERR_INSTANCE_ID_TOO_LONG",
     "workflow instance ID exceeds the max length of 64 characters"),
    (f"/dapr/Echo/start?instanceID={'%C3%A4' * 33}", 400, "ERR_INSTANCE_ID_TOO_LONG",
     "workflow instance ID exceeds the max length of 64 characters"),
    ("/dapr/Echo/start?instanceID=a.b", 400, "ERR_INSTANCE_ID_INVALID",
     ("workflow instance ID 'a.b' is invalid: only alphanumeric and underscore characters are "
     "allowed")),
    ("/dapr/Echo/start?instanceID=a%00b", 400, "ERR_INSTANCE_ID_INVALID",
     ("workflow instance ID 'a\x00b' is invalid: only alphanumeric and underscore characters are "
     "allowed")),
    ("/dapr/dapr/start", 400, "ERR_WORKFLOW_NAME_INVALID",
     ("workflow type 'dapr' has the name of a workflow component: register the workflow under "
     "another name")),
    ("/dapr/a%01b/start", 400, "ERR_WORKFLOW_NAME_INVALID",
     "workflow name holds a character that is not printable"),
    (f"/dapr/{'n' * 1025}/start", 400, "ERR_WORKFLOW_NAME_INVALID",
     "workflow name exceeds the max length of 1024 bytes"),
    # The id is looked at before the name.
    ("/dapr/dapr/start?instanceID=a.b", 400, "ERR_INSTANCE_ID_INVALID",
     ("workflow instance ID 'a.b' is invalid: only alphanumeric and underscore characters are "
     "allowed")),
    ("/dapr/Echo/start?instanceID=%FF", 400, "ERR_MALFORMED_REQUEST", "the query is not UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "status", "code", "message"), STARTS)
async def test_a_start_that_is_refused(
    server: Server, path: str, status: int, code: str, message: str
) -> None:
    answer = await server.call("POST", f"/v1.0/workflows{path}", "1")
    assert answer.status_code == status
    assert json_of(answer) == {"errorCode": code, "message": message}
    assert json_of(await server.call("GET", "/v1.0/workflows")) == {"instances": []}


@pytest.mark.parametrize("instance_id", ["a-b_C9", "Öl", "٣", "a" * 64])
async def test_letters_digits_dashes_and_underscores_are_legal(
    server: Server, instance_id: str
) -> None:
    path = f"/v1.0/workflows/dapr/Echo/start?instanceID={quote(instance_id)}"
    answer = await server.call("POST", path)
    assert json_of(answer) == {"instanceID": instance_id}


@pytest.mark.parametrize("query", ["", "?instanceID=", "?instanceid=x", "?INSTANCEID=x"])
async def test_a_start_without_an_id_is_given_one(server: Server, query: str) -> None:
    answer = await server.call("POST", f"/v1.0/workflows/dapr/Echo/start{query}")
    assert answer.status_code == 202
    assert "location" not in answer.headers
    assert len(json_of(answer)["instanceID"]) == 36


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "SUSPENDED", "STALLED"])
async def test_an_active_id_is_taken(server: Server, state: str) -> None:
    await server.bring("i", state)
    answer = await server.call("POST", "/v1.0/workflows/dapr/Echo/start?instanceID=i")
    assert answer.status_code == 500
    assert json_of(answer) == {
        "errorCode": "ERR_START_WORKFLOW",
        "message": "error starting workflow 'Echo': unable to start workflow: "
        "failed to start workflow: rpc error: code = AlreadyExists desc = "
        "an active workflow with ID 'i' already exists",
    }


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED", "TERMINATED"])
async def test_a_finished_id_is_started_anew(server: Server, state: str) -> None:
    await server.bring("i", state)
    answer = await server.call("POST", "/v1.0/workflows/dapr/Waits/start?instanceID=i", "2")
    assert (answer.status_code, json_of(answer)) == (202, {"instanceID": "i"})
    assert (await server.view("i")).status.name == "PENDING"


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        (b"", ""),
        (b'{"a": 1.10}', '{"a": 1.10}'),
        (b"plain", "plain"),
        ("ö".encode(), "ö"),
        (b"\xff\x00", '"/wA="'),
        (b"a\x00b", "a\x00b"),
    ],
)
async def test_a_body_is_the_input_whatever_its_type(
    server: Server, body: bytes, stored: str
) -> None:
    path = "/v1.0/workflows/dapr/Waits/start?instanceID=i"
    await server.call("POST", path, body, {"content-type": "application/x-nonsense"})
    assert (await server.view("i")).input == stored


@pytest.mark.parametrize(
    "path", ["/v1.0/workflows/dapr/Echo/start?instanceID=i", "/v1.0/workflows/Echo/i/start"]
)
async def test_a_start_belongs_to_the_callers_trace(server: Server, path: str) -> None:
    trace = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "tracestate": "x=1"}
    await server.call("POST", path, "1", trace)
    async with server.worker():
        await server.reach("i", finished=True)
    body = json_of(await server.call("GET", "/v1.0/workflows/Echo/i/history"))
    started = next(event for event in body["events"] if event["type"] == "ExecutionStarted")
    assert started["traceParent"].startswith(f"00-{'a' * 32}-")


async def test_an_empty_event_is_present_and_empty(server: Server) -> None:
    await server.bring("i", "RUNNING")
    await server.call("POST", "/v1.0/workflows/dapr/i/raiseEvent/go", b"")
    async with server.worker():
        assert (await server.reach("i", finished=True)).output == "go="


STATES: list[tuple[str, dict[str, Any]]] = [
    ("PENDING", {"runtimeStatus": "PENDING", "createdAt": "0001-01-01T00:00:00Z",
                 "lastUpdatedAt": "0001-01-01T00:00:00Z"}),
    ("RUNNING", {"runtimeStatus": "RUNNING", "workflowName": "Waits", "properties": {
        "dapr.workflow.input": '{"a": 1}'}}),
    ("SUSPENDED", {"runtimeStatus": "SUSPENDED", "workflowName": "Waits", "properties": {
        "dapr.workflow.input": '{"a": 1}'}}),
    ("COMPLETED", {"runtimeStatus": "COMPLETED", "workflowName": "Echo", "properties": {
        "dapr.workflow.input": '{"a": 1}',
        "dapr.workflow.output": '{"a": 1}'}}),
    ("TERMINATED", {"runtimeStatus": "TERMINATED", "workflowName": "Waits", "properties": {
        "dapr.workflow.input": '{"a": 1}',
        "dapr.workflow.output": '"over"'}}),
    ("FAILED", {"runtimeStatus": "FAILED", "workflowName": "Fails", "properties": {
        "dapr.workflow.input": '{"a": 1}',
        "dapr.workflow.failure.error_type": "ValueError",
        "dapr.workflow.failure.error_message": "no such order",
        "dapr.workflow.failure.stack_trace": "at line 1"}}),
    ("STALLED", {"runtimeStatus": "UNKNOWN", "workflowName": "Stalls", "properties": {
        "dapr.workflow.input": '{"a": 1}'}}),
]  # fmt: skip


@pytest.mark.parametrize(("state", "expected"), STATES)
async def test_get(server: Server, state: str, expected: dict[str, Any]) -> None:
    await server.bring("i", state)
    answer = await server.call("GET", "/v1.0/workflows/dapr/i")
    body = json_of(answer)
    assert answer.status_code == 200
    times = {name: body[name] for name in ("createdAt", "lastUpdatedAt")}
    assert body == {"instanceID": "i", **times, **expected}
    assert all(text.endswith("Z") for text in times.values())


async def test_a_custom_status_is_a_string_within_json(server: Server) -> None:
    server.custom_status = '{"at": 50}'
    await server.bring("i", "RUNNING")
    body = json_of(await server.call("GET", "/v1.0/workflows/dapr/i"))
    assert body["properties"]["dapr.workflow.custom_status"] == '{"at": 50}'


@pytest.mark.parametrize("state", ["MISSING", "PURGED"])
async def test_get_of_a_missing_instance(server: Server, state: str) -> None:
    await server.bring("i", state)
    answer = await server.call("GET", "/v1.0/workflows/dapr/i")
    assert answer.status_code == 404
    assert json_of(answer) == {"errorCode": "ERR_INSTANCE_ID_NOT_FOUND", "message": MISSING}


@pytest.mark.parametrize("path", ["/v1.0/workflows/dapr/", "/v1.0-beta1/workflows/x/"])
async def test_get_without_an_id(server: Server, path: str) -> None:
    answer = await server.call("GET", path)
    assert answer.status_code == 400
    assert json_of(answer) == {
        "errorCode": "ERR_INSTANCE_ID_PROVIDED_MISSING",
        "message": "no instance ID was provided",
    }


@pytest.mark.parametrize("call", ["pause", "resume", "terminate", "purge", ""])
@pytest.mark.parametrize(
    "body",
    [
        "no",
        "[]",
        "1",
        "{",
        '{"instanceID": 1}',
        '{"workflow_component": []}',
        "[" * 100_000,
        b"\xff{}",
        "{} {}",
    ],
)
async def test_a_body_that_is_no_request_is_malformed(
    server: Server, call: str, body: str | bytes
) -> None:
    await server.bring("i", "COMPLETED")
    method, path = (
        ("POST", f"/v1.0/workflows/dapr/i/{call}") if call else ("GET", "/v1.0/workflows/dapr/i")
    )
    answer = await server.call(method, path, body)
    assert answer.status_code == 400
    assert json_of(answer)["errorCode"] == "ERR_MALFORMED_REQUEST"
    assert json_of(answer)["message"].startswith("failed deserializing HTTP body: proto: ")


async def test_a_body_that_is_too_large_cannot_be_read(server: Server) -> None:
    path = "/v1.0/workflows/dapr/Echo/start?instanceID=i"
    answer = await server.call("POST", path, b"x" * (1024 * 1024 + 1))
    assert answer.status_code == 400
    assert json_of(answer) == {
        "errorCode": "ERR_BODY_READ",
        "message": "failed to read request body: stream too large",
    }
    # The connection is still good, and a body of exactly the limit is fine.
    assert (await server.call("POST", path, b"x" * 1024 * 1024)).status_code == 202


@pytest.mark.parametrize(
    "path",
    [
        "//v1.0//workflows/dapr///i",
        "/v1.0/workflows/dapr/i/",
        "/v1.0/workflows/dapr/%69",
        "/v1.0/workflows//dapr/i//",
    ],
)
async def test_slashes_are_forgiven_and_escapes_decoded(server: Server, path: str) -> None:
    await server.bring("i", "RUNNING")
    assert (await server.call("GET", path)).status_code == 200


async def test_a_plus_sign_is_a_space(server: Server) -> None:
    answer = await server.call("POST", "/v1.0/workflows/dapr/my+%2B+flow/start?instanceID=i")
    assert answer.status_code == 202
    assert (await server.view("i")).name == "my + flow"


async def test_an_escaped_slash_stays_in_its_segment(server: Server) -> None:
    await server.call("POST", "/v1.0/workflows/dapr/a%2Fb/start?instanceID=i")
    assert (await server.view("i")).name == "a/b"


@pytest.mark.parametrize(
    ("segment", "text"),
    [
        ("%zz", 'invalid URL escape "%zz"'),
        ("a%2", 'invalid URL escape "%2"'),
        ("%", 'invalid URL escape "%"'),
        ("%FF", "invalid UTF-8"),
        ("%ED%A0%80", "invalid UTF-8"),
    ],
)
async def test_a_bad_escape_is_plain_text(server: Server, segment: str, text: str) -> None:
    answer = await server.call("GET", f"/v1.0/workflows/dapr/{segment}")
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == f'failed to unescape request parameter "instanceID". Error: {text}\n'


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1.0"),
        ("POST", "/v1.0/invoke/app/method/m"),
        ("GET", "/v2.0/workflows/dapr/i"),
        ("POST", "/v1.0/workflows/dapr/i/raiseEvent/a/b"),
        ("GET", "/v1.0/actors/x"),
    ],
)
async def test_an_unknown_route(server: Server, method: str, path: str) -> None:
    answer = await server.call(method, path)
    assert answer.status_code == 404
    assert json_of(answer) == {
        "errorCode": "ERR_DIRECT_INVOKE",
        "message": "failed getting app id either from the URL path or the header dapr-app-id",
    }


@pytest.mark.parametrize("call", ["pause", "purge"])
async def test_what_only_dapr_knows_needs_a_component(server: Server, call: str) -> None:
    answer = await server.call("POST", f"/v1.0/workflows/Waits/i/{call}")
    assert answer.status_code == 400
    assert json_of(answer) == {
        "errorCode": "ERR_WORKFLOW_COMPONENT_NOT_FOUND",
        "message": "workflow component 'Waits' does not exist",
    }


async def test_a_start_with_an_instance_id_is_always_in_released_form(server: Server) -> None:
    answer = await server.call("POST", "/v1.0/workflows/Anything/Echo/start?instanceID=i")
    assert (answer.status_code, json_of(answer)) == (202, {"instanceID": "i"})
    assert (await server.view("i")).name == "Echo"
