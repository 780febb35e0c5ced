"""The document form over a socket: one case per row of the document and of api.md section 2."""

from collections.abc import AsyncIterator

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


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


def url(server: Server, workflow_type: str = "Waits") -> str:
    return f"{server.base_url}/v1.0/workflows/{workflow_type}/i"


# ---- start


async def test_start(server: Server) -> None:
    answer = await server.call("POST", "/v1.0/workflows/Waits/i/start", '{"a": 1}')
    assert (answer.status_code, json_of(answer)) == (202, {"instanceID": "i"})
    assert answer.headers["location"] == url(server)
    assert answer.headers["retry-after"] == "2"
    assert "preference-applied" not in answer.headers
    view = await server.view("i")
    assert (view.name, view.input, view.app_id) == ("Waits", '{"a": 1}', "shop")
    found = await server.http.get(answer.headers["location"])
    assert found.status_code == 202


@pytest.mark.parametrize("state", STATES)
async def test_an_id_in_any_state_is_taken(server: Server, state: str) -> None:
    await server.bring("i", state)
    before = await server.view("i")
    answer = await server.call("POST", "/v1.0/workflows/Waits/i/start", "2")
    active = "an active workflow" if state in ACTIVE else "a workflow"
    assert answer.status_code == 409
    assert json_of(answer) == {
        "errorCode": "ERR_INSTANCE_ID_ALREADY_EXISTS",
        "message": f"{active} with ID 'i' already exists",
    }
    assert await server.view("i") == before


async def test_a_purged_id_is_free(server: Server) -> None:
    await server.bring("i", "PURGED")
    answer = await server.call("POST", "/v1.0/workflows/Waits/i/start")
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/Waits/{'a' * 65}/start", "ERR_INSTANCE_ID_TOO_LONG"),
        ("/Waits/a.b/start", "ERR_INSTANCE_ID_INVALID"),
        ("/Waits/a+b/start", "ERR_INSTANCE_ID_INVALID"),
        ("/Waits/a%00/start", "ERR_INSTANCE_ID_INVALID"),
        (f"/{'n' * 1025}/i/start", "ERR_WORKFLOW_NAME_INVALID"),
        ("/a%0Ab/i/start", "ERR_WORKFLOW_NAME_INVALID"),
    ],
)
async def test_an_id_or_type_that_is_not_legal(server: Server, path: str, code: str) -> None:
    answer = await server.call("POST", f"/v1.0/workflows{path}")
    assert (answer.status_code, json_of(answer)["errorCode"]) == (400, code)


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        (b"", None),
        (b"null", "null"),
        (b'{"a": 1.10}', '{"a": 1.10}'),
        (b"plain", "plain"),
        (b"\xff\x00", '"/wA="'),
    ],
)
async def test_the_body_is_the_input(server: Server, body: bytes, stored: str | None) -> None:
    await server.call("POST", "/v1.0/workflows/Waits/i/start", body)
    assert (await server.view("i")).input == stored


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_that_is_too_large(server: Server, announced: bool) -> None:
    large = b"x" * (1024 * 1024 + 1)

    async def parts() -> AsyncIterator[bytes]:
        yield large

    body = large if announced else parts()
    answer = await server.http.post(f"{url(server)}/start", content=body)
    assert answer.status_code == 413
    assert json_of(answer) == {
        "errorCode": "ERR_BODY_READ",
        "message": "failed to read request body: stream too large",
    }
    assert await server.component.get("i") is None


async def test_waiting_for_what_completes(server: Server) -> None:
    async with server.worker():
        answer = await server.call(
            "POST", "/v1.0/workflows/Echo/i/start", "[1]", {"Prefer": "respond-async, wait=30"}
        )
    body = json_of(answer)
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "wait=30"
    assert (body["instanceID"], body["runtimeStatus"], body["output"]) == ("i", "COMPLETED", [1])


async def test_waiting_for_what_fails(server: Server) -> None:
    async with server.worker():
        answer = await server.call(
            "POST", "/v1.0/workflows/Fails/i/start", "", {"Prefer": "wait=30"}
        )
    body = json_of(answer)
    assert answer.status_code == 500
    assert body["errorCode"] == "ERR_WORKFLOW_NOT_COMPLETED"
    assert body["message"] == "workflow 'i' ended FAILED: ValueError: no such order"
    assert body["failure"]["type"] == "ValueError"
    assert body["failure"]["inner"]["message"] == "42"


async def test_waiting_in_vain(server: Server) -> None:
    answer = await server.call("POST", "/v1.0/workflows/Waits/i/start", "", {"Prefer": "wait=0"})
    assert (answer.status_code, json_of(answer)) == (202, {"instanceID": "i"})
    assert answer.headers["preference-applied"] == "wait=0"
    assert answer.headers["location"] == url(server)


async def test_tags(server: Server) -> None:
    headers = [
        ("dapr-workflow-metadata", 'a=1; b=two words; c="3"'),
        ("dapr-workflow-metadata", "a=last; ö=ü"),
    ]
    encoded = [(name.encode(), value.encode()) for name, value in headers]
    answer = await server.http.post(f"{url(server)}/start", headers=encoded)
    assert answer.status_code == 202
    tags = {"a": "last", "b": "two words", "c": "3", "ö": "ü"}
    assert dict((await server.view("i")).tags) == tags
    assert json_of(await server.call("GET", "/v1.0/workflows/Waits/i"))["tags"] == tags
    found = json_of(await server.call("GET", "/v1.0/workflows?tag.b=two+words"))
    assert [each["instanceID"] for each in found["instances"]] == ["i"]
    async with server.worker():
        await server.reach("i", finished=False)
    events = json_of(await server.call("GET", "/v1.0/workflows/Waits/i/history"))["events"]
    started = next(event for event in events if event["type"] == "ExecutionStarted")
    assert started["tags"] == tags


@pytest.mark.parametrize(
    "value",
    [
        "no pair",
        "=1",
        f"{'k' * 129}=1",
        f"k={'v' * 1025}",
        "; ".join(f"k{n}=1" for n in range(65)),
        b"k=\xff",
    ],
)
@pytest.mark.parametrize(
    "path", ["/v1.0/workflows/Waits/i/start", "/v1.0/workflows/dapr/Waits/start?instanceID=i"]
)
async def test_bad_tags_start_nothing(server: Server, path: str, value: str | bytes) -> None:
    text = value if isinstance(value, bytes) else value.encode()
    answer = await server.http.post(
        server.base_url + path, headers=[(b"dapr-workflow-metadata", text)]
    )
    assert answer.status_code == 400
    assert json_of(answer)["errorCode"] == "ERR_WORKFLOW_METADATA_INVALID"
    assert await server.component.get("i") is None


async def test_as_many_tags_as_may_be(server: Server) -> None:
    headers = {"dapr-workflow-metadata": "; ".join(f"k{n}={'v' * 100}" for n in range(64))}
    answer = await server.call("POST", "/v1.0/workflows/Waits/i/start", "", headers)
    assert answer.status_code == 202
    assert len((await server.view("i")).tags) == 64


# ---- get


@pytest.mark.parametrize("state", STATES)
async def test_get(server: Server, state: str) -> None:
    await server.bring("i", state)
    answer = await server.call("GET", f"/v1.0/workflows/{type_of(state)}/i")
    body = json_of(answer)
    assert answer.status_code == (200 if state in FINISHED else 202)
    assert ("location" in answer.headers) is (state in ACTIVE)
    assert ("retry-after" in answer.headers) is (state in ACTIVE)
    assert body["runtimeStatus"] == state
    assert body["instanceID"] == "i"
    assert body["workflowName"] == type_of(state)
    assert body["workflowComponent"] == "dapr"
    assert body["input"] == {"a": 1}
    assert ("completedAt" in body) is (state in FINISHED)
    assert ("failure" in body) is (state == "FAILED")
    assert ("startedAt" in body) is (state not in {"PENDING", "STALLED"})
    assert body["historyLength"] >= (0 if state == "PENDING" else 1)


async def test_get_shows_payloads_as_the_json_they_are(server: Server) -> None:
    server.custom_status = '{"at": 1.10}'
    await server.call("POST", "/v1.0/workflows/Echo/i/start", "1.10")
    async with server.worker():
        await server.reach("i", finished=True)
    answer = await server.call("GET", "/v1.0/workflows/Echo/i")
    assert b'"customStatus":{"at": 1.10},"input":1.10,"output":1.10' in answer.content


async def test_get_of_a_failure(server: Server) -> None:
    await server.bring("i", "FAILED")
    path = "/v1.0/workflows/Fails/i"
    plain = await server.call("GET", path)
    strict = await server.call("GET", f"{path}?returnInternalServerErrorOnFailure=true")
    assert (plain.status_code, strict.status_code) == (200, 500)
    assert json_of(plain) == json_of(strict)
    assert json_of(plain)["failure"] == {
        "type": "ValueError",
        "message": "no such order",
        "stackTrace": "at line 1",
        "inner": {"type": "KeyError", "message": "42", "nonRetriable": False},
        "nonRetriable": False,
    }


async def test_only_a_failure_is_an_internal_server_error(server: Server) -> None:
    await server.bring("i", "TERMINATED")
    path = "/v1.0/workflows/Waits/i?returnInternalServerErrorOnFailure=true"
    assert (await server.call("GET", path)).status_code == 200


async def test_get_of_some_fields(server: Server) -> None:
    await server.bring("i", "COMPLETED")
    path = "/v1.0/workflows/Echo/i?fields=runtimeStatus,output&fields=instanceID"
    body = json_of(await server.call("GET", path))
    assert body == {"instanceID": "i", "runtimeStatus": "COMPLETED", "output": {"a": 1}}


async def test_waiting_until_it_has_finished(server: Server) -> None:
    await server.bring("i", "PENDING", "Echo")
    async with server.worker():
        answer = await server.call("GET", "/v1.0/workflows/Echo/i", headers={"Prefer": "wait=30"})
    assert (answer.status_code, json_of(answer)["runtimeStatus"]) == (200, "COMPLETED")
    assert answer.headers["preference-applied"] == "wait=30"


async def test_waiting_for_an_end_that_does_not_come(server: Server) -> None:
    await server.bring("i", "RUNNING")
    answer = await server.call("GET", "/v1.0/workflows/Waits/i", headers={"Prefer": "wait=0"})
    assert (answer.status_code, json_of(answer)["runtimeStatus"]) == (202, "RUNNING")
    assert answer.headers["location"] == url(server)
