"""One conversation over HTTP, held with Dapr's sidecar and with perdure alike."""

import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any, Final, Protocol

from tests.e2e.polling import until
from tests.e2e.serving import Answer

DEADLINE_S: Final = 30.0
# Starts of an id in use take Dapr three seconds each.
_AT_ONCE: Final = 6
_PATH: Final = "/v1.0/workflows/dapr"
# What brings an instance into each state; an instance that is missing is never started.
STATES: Final[Mapping[str, str | None]] = {
    "missing": None,
    "running": "waits_for_go",
    "suspended": "waits_for_go",
    "completed": "hello",
    "failed": "failing",
    "terminated": "waits_for_go",
}
# The calls that are made on an instance in each state.
CALLS: Final[Mapping[str, tuple[str, str, str | None]]] = {
    "get": ("GET", "/{id}", None),
    "raise": ("POST", "/{id}/raiseEvent/other", "1"),
    "raise nothing": ("POST", "/{id}/raiseEvent/other", ""),
    "pause": ("POST", "/{id}/pause", None),
    "resume": ("POST", "/{id}/resume", None),
    "terminate": ("POST", "/{id}/terminate", None),
    "purge": ("POST", "/{id}/purge", None),
    "start": ("POST", "/hello/start?instanceID={id}", '"again"'),
}
# What was started goes on, and so does what was resumed though it ran: Dapr sends an event then at
# which the SDK fails.
SEEN_AFTERWARDS: Final = {
    *product(CALLS.keys() - {"get", "start"}, STATES.keys()),
} - {("resume", "running")}
_START: Final = f"{_PATH}/hello/start?instanceID="
_BIG: Final = json.dumps("x" * 5_000_000)
# And what is asked besides; `there` has completed.
BESIDES: Final[Mapping[str, tuple[str, str, str | bytes | None]]] = {
    "start without an id": ("POST", f"{_PATH}/hello/start", "1"),
    "start with an empty id": ("POST", _START, "1"),
    "start with an id in lower case": ("POST", f"{_PATH}/hello/start?instanceid=one", "1"),
    "start with two ids": ("POST", f"{_START}one&instanceID=two", "1"),
    "start with an id of 64": ("POST", _START + "b" * 64, "1"),
    "start with an id of 65": ("POST", _START + "a" * 65, "1"),
    "start with an id of 66 bytes": ("POST", _START + "%C3%A4" * 33, "1"),
    "start with a colon in the id": ("POST", f"{_START}a:b", "1"),
    "start with a dot in the id": ("POST", f"{_START}a.b", "1"),
    "start with a space in the id": ("POST", f"{_START}a+b", "1"),
    "start with a dash and a line": ("POST", f"{_START}a-b_c", "1"),
    "start with digits of other scripts": ("POST", f"{_START}%D9%A3%E6%97%A5", "1"),
    "start with a combining mark": ("POST", f"{_START}e%CC%81", "1"),
    "start with a roman numeral": ("POST", f"{_START}%E2%85%A7", "1"),
    "start what has a plus": ("POST", f"{_PATH}/hel+lo/start?instanceID=plus", "1"),
    "start what has a slash": ("POST", f"{_PATH}/a%2Fb/start?instanceID=slash", "1"),
    "start what has a bad escape": ("POST", f"{_PATH}/a%zzb/start?instanceID=escape", "1"),
    "start a blank": ("POST", f"{_PATH}/%20/start?instanceID=blank", "1"),
    "start at no component": ("POST", "/v1.0/workflows//hello/start?instanceID=none", "1"),
    "start at any component": ("POST", "/v1.0/workflows/any/hello/start?instanceID=any", "1"),
    "start without a body": ("POST", f"{_START}nobody", None),
    "start with what is no JSON": ("POST", f"{_START}nojson", '{"a":'),
    "start with what is no text": ("POST", f"{_START}notext", b'"\xff\xfe"'),
    "start with too much": ("POST", f"{_START}big", _BIG),
    "start in the beta": ("POST", "/v1.0-beta1/workflows/dapr/hello/start?instanceID=beta", "1"),
    "start in the alpha": ("POST", "/v1.0-alpha1/workflows/dapr/hello/start?instanceID=alpha", "1"),
    "start in another version": ("POST", "/v1/workflows/dapr/hello/start?instanceID=v1", "1"),
    "start with slashes": ("POST", "/v1.0//workflows/dapr/hello//start/?instanceID=slashes", "1"),
    "start by GET": ("GET", f"{_START}get", None),
    "get nothing": ("GET", f"{_PATH}/", None),
    "get by an odd id": ("GET", f"{_PATH}/a%7C%7Cb%20c", None),
    "get by HEAD": ("HEAD", f"{_PATH}/there", None),
    "get with a slash": ("GET", f"{_PATH}/there/", None),
    "get with an object": ("GET", f"{_PATH}/there", '{"instanceId": 1}'),
    "get with a wrong member": ("GET", f"{_PATH}/there", '{"instanceID": 1}'),
    "get with an array": ("GET", f"{_PATH}/there", "[1]"),
    "pause with what is no JSON": ("POST", f"{_PATH}/there/pause", "{no"),
    "raise what has no name": ("POST", f"{_PATH}/there/raiseEvent", "1"),
    "raise a blank": ("POST", f"{_PATH}/there/raiseEvent/%20", "1"),
    "raise what is no JSON": ("POST", f"{_PATH}/there/raiseEvent/x", "{"),
    "raise what has a slash": ("POST", f"{_PATH}/there/raiseEvent/a/b", "1"),
    "raise too much": ("POST", f"{_PATH}/there/raiseEvent/x", _BIG),
    "health": ("GET", "/v1.0/healthz", None),
    "health of the app": ("GET", "/v1.0/healthz?appid=wfapp", None),
    "health of another app": ("GET", "/v1.0/healthz?appid=other", None),
    "health outbound": ("GET", "/v1.0/healthz/outbound", None),
    "health by POST": ("POST", "/v1.0/healthz", None),
    "set metadata": ("PUT", "/v1.0/metadata/mine", "value"),
    "get metadata": ("GET", "/v1.0/metadata", None),
    "metadata in the beta": ("GET", "/v1.0-beta1/metadata", None),
    "nothing that exists": ("GET", "/v1.0/nothing/here", None),
    "the root": ("GET", "/", None),
    "suspend": ("POST", f"{_PATH}/there/suspend", None),
    "another building block": ("GET", "/v1.0/state/store/key", None),
    "delete": ("DELETE", f"{_PATH}/there", None),
}

# Status, media type and body.
Told = tuple[int, str, Any]


class Side(Protocol):
    """A server to talk to."""

    def request(self, method: str, path: str, body: bytes | str | None = None) -> Answer:
        """Ask it over HTTP."""
        ...


def hold(side: Side) -> dict[str, Told]:
    """Hold the conversation, and return every answer by what was asked."""
    told: dict[str, Told] = {}
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for answers in threads.map(lambda pair: _call(side, *pair), product(STATES, CALLS)):
            told |= answers
    _bring(side, "completed", "there")
    for name, (method, path, body) in BESIDES.items():
        told[name] = _told(side.request(method, path, body))
    return told


def _call(side: Side, state: str, call: str) -> dict[str, Told]:
    instance_id = f"{state}-{call.replace(' ', '-')}"
    _bring(side, state, instance_id)
    method, path, body = CALLS[call]
    answer = side.request(method, _PATH + path.format(id=instance_id), body)
    told = {f"{call}, {state}": _told(answer)}
    if (call, state) in SEEN_AFTERWARDS:
        if state in {"running", "suspended"} and call in _BECOMES:
            # Dapr's answer to a change may be ahead of what it tells of the instance.
            _await(side, instance_id, _BECOMES[call])
        after = side.request("GET", f"{_PATH}/{instance_id}")
        told[f"{call}, {state}, then get"] = _told(after)
    return told


def _bring(side: Side, state: str, instance_id: str) -> None:
    """Start an instance, and bring it into a state."""
    workflow = STATES[state]
    if workflow is None:
        return
    path = f"{_PATH}/{workflow}/start?instanceID={instance_id}"
    answer = side.request("POST", path, '"in"')
    assert answer.status == 202, answer
    if state in {"completed", "failed"}:
        _await(side, instance_id, state.upper())
        return
    _await(side, instance_id, "RUNNING", "waiting")
    if state != "running":
        side.request("POST", f"{_PATH}/{instance_id}/{_CHANGES[state]}")
        _await(side, instance_id, state.upper())


_CHANGES: Final = {"suspended": "pause", "terminated": "terminate"}
_BECOMES: Final = {"pause": "SUSPENDED", "resume": "RUNNING", "terminate": "TERMINATED"}


def _await(side: Side, instance_id: str, status: str, words: str = "") -> None:
    def is_there(answer: Answer) -> bool:
        is_told = answer.status == 200 and words in answer.text
        return is_told and answer.json().get("runtimeStatus") == status

    until(
        lambda: side.request("GET", f"{_PATH}/{instance_id}"),
        is_there,
        deadline_s=DEADLINE_S,
        what=f"{instance_id} is {status}",
    )


_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
# The SDK's traceback tells where it is installed.
_STACK: Final = "dapr.workflow.failure.stack_trace"


def _told(answer: Answer) -> Told:
    # Each build of the library that the sidecar reads JSON with has one of two spaces in its texts.
    plain = answer.text.replace("proto:\u00a0", "proto: ")
    text = _UUID.sub("(id)", _TIME.sub("(time)", plain))
    body: Any = text
    if answer.headers.get("content-type", "").startswith("application/json") and text:
        body = json.loads(text)
        if _STACK in body.get("properties", {}):
            body["properties"][_STACK] = "(trace)"
    return answer.status, answer.headers.get("content-type", ""), body
