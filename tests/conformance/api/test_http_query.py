"""Listing, searching and looking into instances over a socket (api.md section 5)."""

import json
from base64 import b64decode
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from perdure.base.rfc3339 import parse, render
from perdure.core.kinds import KIND_OF
from perdure.core.requests import Refusal, Start
from perdure.wire.events import decode
from tests.conformance.api.http_door import APP_ID, Server, json_of, serving


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


@pytest.fixture
async def full(server: Server) -> Server:
    """Instances a to f: three that completed, one that failed, two that wait."""
    for instance_id, name, tags in (
        ("a", "Echo", (("color", "red"),)),
        ("b", "Echo", (("color", "blue"),)),
        ("c", "Fails", (("color", "red"), ("size", "2"))),
        ("d-1", "Waits", ()),
        ("d-2", "Parent", ()),
        ("e", "Echo", ()),
    ):
        started = await server.component.start(
            Start(instance_id=instance_id, name=name, app_id=APP_ID, input='"in"', tags=tags)
        )
        assert not isinstance(started, Refusal)
    async with server.worker():
        for instance_id in ("a", "b", "c", "e"):
            await server.reach(instance_id, finished=True)
        for instance_id in ("d-1", "d-2", "d-2-child"):
            await server.reach(instance_id, finished=False)
    return server


async def listed(server: Server, query: str) -> list[str]:
    answer = await server.call("GET", f"/v1.0/workflows{query}")
    assert answer.status_code == 200, answer.text
    return [each["instanceID"] for each in json_of(answer)["instances"]]


async def searched(server: Server, query: Any) -> dict[str, Any]:
    answer = await server.call("POST", "/v1.0/workflows/query", json.dumps(query))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = json_of(answer)
    return body


async def found(server: Server, tree: Any) -> set[str]:
    body = await searched(server, {"filter": tree})
    return {each["instanceID"] for each in body["instances"]}


async def test_the_newest_come_first(full: Server) -> None:
    assert await listed(full, "?pageSize=1000") == ["d-2-child", "e", "d-2", "d-1", "c", "b", "a"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("?status=COMPLETED", {"a", "b", "e"}),
        ("?status=completed", {"a", "b", "e"}),
        ("?status=FAILED&status=RUNNING", {"c", "d-1", "d-2", "d-2-child"}),
        ("?status=FAILED,COMPLETED", {"a", "b", "c", "e"}),
        ("?status=PENDING", set()),
        ("?type=Echo", {"a", "b", "e"}),
        ("?type=Echo,Fails", {"a", "b", "c", "e"}),
        ("?tag.color=red", {"a", "c"}),
        ("?tag.color=red&tag.size=2", {"c"}),
        ("?tag.color=green", set()),
        ("?idPrefix=d-", {"d-1", "d-2", "d-2-child"}),
        ("?parent=d-2", {"d-2-child"}),
        ("?type=Echo&tag.color=red&status=COMPLETED", {"a"}),
        ("?createdAfter=2001-01-01T00:00:00Z", {"a", "b", "c", "d-1", "d-2", "d-2-child", "e"}),
        ("?createdBefore=2001-01-01T00:00:00Z", set()),
        ("?completedAfter=2001-01-01T00:00:00%2B01:00", {"a", "b", "c", "e"}),
        ("?completedAfter=2001-01-01T00:00:00+01:00", {"a", "b", "c", "e"}),
        ("?completedBefore=2001-01-01T00:00:00Z", set()),
    ],
)
async def test_selecting(full: Server, query: str, ids: set[str]) -> None:
    assert set(await listed(full, query)) == ids


async def test_after_and_before_do_not_include_the_moment(full: Server) -> None:
    view = await full.view("c")
    moment = quote(render(view.created_at_us))
    assert "c" not in await listed(full, f"?createdAfter={moment}")
    assert "c" not in await listed(full, f"?createdBefore={moment}")
    later = quote(render(view.created_at_us + 1))
    assert "c" in await listed(full, f"?createdBefore={later}")


@pytest.mark.parametrize(
    ("sort", "ids"),
    [
        ("instanceID", ["a", "b", "c", "d-1", "d-2", "d-2-child", "e"]),
        ("-instanceID", ["e", "d-2-child", "d-2", "d-1", "c", "b", "a"]),
        ("createdAt", ["a", "b", "c", "d-1", "d-2", "e", "d-2-child"]),
        ("type,-id", ["e", "b", "a", "c", "d-2", "d-2-child", "d-1"]),
    ],
)
async def test_sorting_and_paging(full: Server, sort: str, ids: list[str]) -> None:
    assert await listed(full, f"?sort={sort}") == ids
    paged: list[str] = []
    query = f"?sort={sort}&pageSize=2"
    token = ""
    while token is not None:
        body = json_of(await full.call("GET", f"/v1.0/workflows{query}&token={quote(token)}"))
        assert len(body["instances"]) <= 2
        paged += [each["instanceID"] for each in body["instances"]]
        token = body.get("token")
    assert paged == ids


async def test_payloads_come_when_asked_for(full: Server) -> None:
    without = json_of(await full.call("GET", "/v1.0/workflows?idPrefix=a"))["instances"][0]
    assert without.keys().isdisjoint({"input", "output", "failure"})
    with_them = json_of(await full.call("GET", "/v1.0/workflows?idPrefix=a&payloads=true"))
    assert with_them["instances"][0]["output"] == "in"
    body = await searched(full, {"filter": {"EQ": {"instanceID": "c"}}, "payloads": True})
    assert body["instances"][0]["failure"]["type"] == "ValueError"


@pytest.mark.parametrize(
    ("tree", "ids"),
    [
        ({}, {"a", "b", "c", "d-1", "d-2", "d-2-child", "e"}),
        ({"EQ": {"runtimeStatus": "FAILED"}}, {"c"}),
        ({"NEQ": {"runtimeStatus": "COMPLETED"}}, {"c", "d-1", "d-2", "d-2-child"}),
        ({"IN": {"workflowName": ["Echo", "Fails"]}}, {"a", "b", "c", "e"}),
        ({"EQ": {"tags.color": "red"}}, {"a", "c"}),
        ({"PREFIX": {"instanceID": "d-"}}, {"d-1", "d-2", "d-2-child"}),
        ({"GT": {"instanceID": "d-1"}}, {"d-2", "d-2-child", "e"}),
        ({"GTE": {"instanceID": "d-1"}}, {"d-1", "d-2", "d-2-child", "e"}),
        ({"LT": {"instanceID": "b"}}, {"a"}),
        ({"LTE": {"instanceID": "b"}}, {"a", "b"}),
        ({"GT": {"createdAt": "2001-01-01T00:00:00Z"}},
         {"a", "b", "c", "d-1", "d-2", "d-2-child", "e"}),
        ({"EQ": {"parentInstanceID": "d-2"}}, {"d-2-child"}),
        ({"AND": [{"EQ": {"type": "Echo"}}, {"EQ": {"tags.color": "blue"}}]}, {"b"}),
        ({"OR": [{"EQ": {"status": "FAILED"}}, {"AND": [{"EQ": {"tags.color": "red"}},
          {"EQ": {"workflowName": "Echo"}}]}]}, {"a", "c"}),
        ({"EQ": {"waitsFor": "event"}}, {"d-1", "d-2-child"}),
    ],
)  # fmt: skip
async def test_the_query_language(full: Server, tree: Any, ids: set[str]) -> None:
    assert await found(full, tree) == ids


async def test_a_query_is_sorted_and_paged(full: Server) -> None:
    query: dict[str, Any] = {
        "filter": {"NEQ": {"workflowName": "Parent"}},
        "sort": [{"key": "workflowName"}, {"key": "instanceID", "order": "DESC"}],
        "page": {"limit": 4},
    }
    first = await searched(full, query)
    assert [each["instanceID"] for each in first["instances"]] == ["e", "b", "a", "c"]
    second = await searched(full, {**query, "page": {"limit": 4, "token": first["token"]}})
    assert [each["instanceID"] for each in second["instances"]] == ["d-2-child", "d-1"]
    assert "token" not in second


DEEP: dict[str, Any] = {"EQ": {"instanceID": "a"}}
for _ in range(16):
    DEEP = {"AND": [DEEP]}

BAD_QUERIES: list[Any] = [
    [], 1, "x", None,
    {"filtre": {}},
    {"filter": []}, {"filter": {"LIKE": {"instanceID": "a"}}},
    {"filter": {"EQ": {}}}, {"filter": {"EQ": {"instanceID": "a", "workflowName": "b"}}},
    {"filter": {"EQ": {"instanceID": "a"}, "NEQ": {"instanceID": "b"}}},
    {"filter": {"EQ": {"nope": "a"}}}, {"filter": {"EQ": {"tags.": "a"}}},
    {"filter": {"EQ": {"completedAt": None}}},
    {"filter": {"EQ": {"instanceID": 1}}}, {"filter": {"EQ": {"tags.a": True}}},
    {"filter": {"EQ": {"runtimeStatus": "DONE"}}}, {"filter": {"GT": {"runtimeStatus": "FAILED"}}},
    {"filter": {"EQ": {"createdAt": "yesterday"}}}, {"filter": {"GT": {"createdAt": None}}},
    {"filter": {"PREFIX": {"createdAt": "2001-01-01T00:00:00Z"}}},
    {"filter": {"IN": {"instanceID": "a"}}}, {"filter": {"IN": {"instanceID": []}}},
    {"filter": {"IN": {"instanceID": [None]}}}, {"filter": {"IN": {"instanceID": ["a"] * 101}}},
    {"filter": {"AND": []}}, {"filter": {"AND": {}}}, {"filter": DEEP},
    {"filter": {"OR": [{"EQ": {"instanceID": "a"}}] * 101}},
    {"sort": {}}, {"sort": ["instanceID"]}, {"sort": [{"key": "tags.a"}]},
    {"sort": [{"key": "instanceID", "order": "UP"}]}, {"sort": [{"key": "instanceID"}] * 13},
    {"page": []}, {"page": {"limit": 0}}, {"page": {"limit": 1001}}, {"page": {"limit": "5"}},
    {"page": {"limit": True}}, {"page": {"token": 5}}, {"page": {"token": "not ours"}},
    {"payloads": "yes"},
]  # fmt: skip


@pytest.mark.parametrize("query", BAD_QUERIES)
async def test_a_query_that_is_not_understood(server: Server, query: Any) -> None:
    answer = await server.call("POST", "/v1.0/workflows/query", json.dumps(query))
    assert (answer.status_code, json_of(answer)["errorCode"]) == (400, "ERR_MALFORMED_REQUEST")
    assert json_of(answer)["message"]


@pytest.mark.parametrize(
    "query",
    ["status=DONE", "pageSize=0", "pageSize=x", "pageSize=1001", "token=nonsense", "sort=nope",
     "sort=tags.a", "createdAfter=soon", "stauts=FAILED", "tag.=x", "payloads=2",
     f"type={','.join('a' * 101)}", "&".join(f"tag.a{n}=1" for n in range(101)),
     "&".join(["type=a"] * 201), f"tag.{'k' * 129}=1"],
)  # fmt: skip
async def test_parameters_that_are_not_understood(server: Server, query: str) -> None:
    answer = await server.call("GET", f"/v1.0/workflows?{query}")
    assert (answer.status_code, json_of(answer)["errorCode"]) == (400, "ERR_MALFORMED_REQUEST")


# ---- into one instance


async def test_history(server: Server) -> None:
    await server.bring("i", "PENDING", "Calls")
    async with server.worker():
        await server.reach("i", finished=True)
    body = json_of(await server.call("GET", "/v1.0/workflows/Calls/i/history"))
    assert body["instanceID"] == "i"
    assert "token" not in body
    events = body["events"]
    assert [(event["type"], event["eventID"]) for event in events] == [
        ("WorkflowStarted", -1),
        ("ExecutionStarted", -1),
        ("TaskScheduled", 1),
        ("WorkflowStarted", -1),
        ("TaskCompleted", -1),
        ("ExecutionCompleted", 9),
    ]
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5, 6]
    assert all(parse(event["timestamp"]) for event in events)
    assert events[1]["input"] == {"a": 1}
    assert events[1]["name"] == "Calls"
    assert events[2]["input"] == {"step": 1}
    assert events[4]["result"] == "done"
    assert events[4]["taskScheduledID"] == 1
    assert (events[5]["status"], events[5]["result"]) == ("COMPLETED", "done")


async def test_history_with_the_events_as_they_were_committed(server: Server) -> None:
    await server.bring("i", "PENDING", "Calls")
    async with server.worker():
        await server.reach("i", finished=True)
    path = "/v1.0/workflows/Calls/i/history"
    shown = json_of(await server.call("GET", path))["events"]
    raw = json_of(await server.call("GET", f"{path}?raw=true"))["events"]
    kinds = [KIND_OF[type(decode(b64decode(event["raw"])))] for event in raw]
    assert kinds == [14, 3, 6, 14, 7, 4]
    assert [{**event, "raw": raw[at]["raw"]} for at, event in enumerate(shown)] == raw


async def test_history_in_pages(server: Server) -> None:
    await server.bring("i", "PENDING", "Calls")
    async with server.worker():
        await server.reach("i", finished=True)
    path = "/v1.0/workflows/dapr/i/history?pageSize=4"
    first = json_of(await server.call("GET", path))
    second = json_of(await server.call("GET", f"{path}&token={first['token']}"))
    assert [event["seq"] for event in first["events"]] == [1, 2, 3, 4]
    assert [event["seq"] for event in second["events"]] == [5, 6]
    assert "token" not in second


async def test_history_of_one_that_has_none_yet(server: Server) -> None:
    await server.bring("i", "PENDING")
    body = json_of(await server.call("GET", "/v1.0/workflows/Waits/i/history"))
    assert body == {"instanceID": "i", "events": []}


async def test_activities(server: Server) -> None:
    await server.bring("i", "PENDING", "Calls")
    async with server.worker():
        await server.reach("i", finished=True)
    body = json_of(await server.call("GET", "/v1.0/workflows/Calls/i/activities"))
    (activity,) = body["activities"]
    times = [activity.pop(name) for name in ("scheduledAt", "handedOutAt", "finishedAt")]
    assert times == sorted(times)
    assert activity == {
        "taskID": 1,
        "name": "Step",
        "appID": "shop",
        "state": "COMPLETED",
        "worker": "test",
        "attempts": 1,
        "failed": False,
    }


async def test_rerun(server: Server) -> None:
    await server.bring("i", "PENDING", "Calls")
    async with server.worker():
        await server.reach("i", finished=True)
        request = (
            '{"eventID": 1, "newInstanceID": "j", "input": {"x": 1.10}, "overwriteInput": true}'
        )
        answer = await server.call("POST", "/v1.0/workflows/Calls/i/rerun", request)
        assert (answer.status_code, json_of(answer)) == (202, {"instanceID": "j"})
        assert answer.headers["location"] == f"{server.base_url}/v1.0/workflows/Calls/j"
        assert (await server.reach("j", finished=True)).output == '"done"'
    history = await server.call("GET", "/v1.0/workflows/Calls/j/history")
    assert b'"input":{"x": 1.10}' in history.content
    again = await server.call("POST", "/v1.0/workflows/dapr/i/rerun", '{"eventID": 1}')
    assert (again.status_code, len(json_of(again)["instanceID"])) == (202, 36)


@pytest.mark.parametrize(
    ("request_body", "status", "code"),
    [
        ('{"eventID": 99}', 404, "ERR_RERUN_WORKFLOW"),
        ('{"eventID": 9}', 404, "ERR_RERUN_WORKFLOW"),
        ('{"eventID": 1, "newInstanceID": "i"}', 400, "ERR_RERUN_WORKFLOW"),
        ('{"eventID": 1, "newInstanceID": "taken"}', 409, "ERR_INSTANCE_ID_ALREADY_EXISTS"),
        ('{"eventID": 1, "newInstanceID": "a.b"}', 400, "ERR_INSTANCE_ID_INVALID"),
        ('{"eventID": 1, "newChildWorkflowInstanceID": "x"}', 400, "ERR_RERUN_WORKFLOW"),
        ('{"eventID": 1, "newInstanceID": 5}', 400, "ERR_MALFORMED_REQUEST"),
        ('{"eventID": 1, "overwriteInput": "yes"}', 400, "ERR_MALFORMED_REQUEST"),
        ('{"eventID": -1}', 400, "ERR_MALFORMED_REQUEST"),
        ('{"eventID": "1"}', 400, "ERR_MALFORMED_REQUEST"),
        ('{"eventID": true}', 400, "ERR_MALFORMED_REQUEST"),
        (f'{{"eventID": {2**31}}}', 400, "ERR_MALFORMED_REQUEST"),
        ("{}", 400, "ERR_MALFORMED_REQUEST"),
        ("", 400, "ERR_MALFORMED_REQUEST"),
        ("[]", 400, "ERR_MALFORMED_REQUEST"),
    ],
)
async def test_a_rerun_that_is_refused(
    server: Server, request_body: str, status: int, code: str
) -> None:
    await server.bring("i", "PENDING", "Calls")
    await server.bring("taken", "PENDING")
    async with server.worker():
        await server.reach("i", finished=True)
    answer = await server.call("POST", "/v1.0/workflows/dapr/i/rerun", request_body)
    assert (answer.status_code, json_of(answer)["errorCode"]) == (status, code)


async def test_a_rerun_of_one_that_is_missing_or_active(server: Server) -> None:
    missing = await server.call("POST", "/v1.0/workflows/dapr/i/rerun", '{"eventID": 1}')
    assert missing.status_code == 404
    await server.bring("i", "RUNNING")
    active = await server.call("POST", "/v1.0/workflows/dapr/i/rerun", '{"eventID": 1}')
    assert active.status_code == 400
    assert "is not in a terminal state" in json_of(active)["message"]
