"""Calls to a server that may die at any moment, over HTTP and gRPC, and how each of them ended."""

import json
from dataclasses import dataclass
from random import Random
from typing import Any, Final, TypeAlias

import grpc
import httpx

from tests.conformance.wire import released
from tests.e2e.crash.ledger import ACKED, REFUSED, UNKNOWN

HOST: Final = "127.0.0.1"
# Longer than the server is ever stopped, so that no call is given up that may still be taken.
TIMEOUT_S: Final = 30.0
_HUB: Final = "/TaskHubSidecarService"
_GONE: Final = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
_REFUSALS: Final = ("no such instance exists", "already exists")

Unary: TypeAlias = "grpc.UnaryUnaryMultiCallable[bytes, bytes]"


@dataclass(frozen=True, slots=True)
class Door:
    """Where a server listens."""

    http_port: int
    grpc_port: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended. `surprise` is an answer that no server in order gives."""

    outcome: str
    in_force: bool = False
    body: Any = None
    surprise: str | None = None


class Calls:
    """One client with connections of its own to each door it may go to. Not for two threads."""

    def __init__(self, *doors: Door, chance: Random | None = None) -> None:
        """Go to any of the doors by `chance`, for each call anew, or to the only one."""
        assert chance is not None or len(doors) == 1
        self._chance = chance or Random(0)
        self._http = [_http_client(door) for door in doors]
        # A client that waits long before it connects again would miss most lives of the server.
        options = [
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 100),
        ]
        self._channels = [
            grpc.insecure_channel(f"{HOST}:{door.grpc_port}", options) for door in doors
        ]
        self._family = released.dapr()

    def close(self) -> None:
        for client in self._http:
            client.close()
        for channel in self._channels:
            channel.close()

    # ---- over HTTP, in the document's form, which never replaces a finished instance

    def start(self, workflow: str, instance: str, value: Any) -> Ended:
        return self._post(f"{workflow}/{instance}/start", value)

    def raise_event(self, instance: str, name: str, value: Any) -> Ended:
        return self._post(f"dapr/{instance}/raiseEvent/{name}", value)

    def terminate(self, workflow: str, instance: str, output: Any) -> Ended:
        return self._post(f"{workflow}/{instance}/terminate", output)

    def suspend(self, instance: str) -> Ended:
        return self._post(f"dapr/{instance}/suspend")

    def resume(self, instance: str) -> Ended:
        return self._post(f"dapr/{instance}/resume")

    def purge(self, workflow: str, instance: str) -> Ended:
        return self._request("DELETE", f"{workflow}/{instance}")

    def wait(self, workflow: str, instance: str, seconds: int) -> Ended:
        """Wait for the instance's end; 200 if it has come, which is `in_force` here."""
        prefer = {"Prefer": f"wait={seconds}"}
        return self._request("GET", f"{workflow}/{instance}", headers=prefer)

    def _post(self, path: str, value: Any = None) -> Ended:
        body = None if value is None else json.dumps(value).encode()
        return self._request("POST", path, content=body)

    def _request(self, method: str, path: str, **more: Any) -> Ended:
        try:
            answer = self._chance.choice(self._http).request(method, path, **more)
        except httpx.TransportError:
            return Ended(UNKNOWN)
        match answer.status_code:
            case 200 | 202:
                body = json.loads(answer.text) if answer.text else None
                return Ended(ACKED, in_force=answer.status_code < 202, body=body)
            case 404 | 409:
                return Ended(REFUSED)
            case 503:
                return Ended(UNKNOWN)
            case code:
                return Ended(UNKNOWN, surprise=f"{method} {path}: {code} {answer.text}")

    # ---- over gRPC

    def hub_start(self, workflow: str, instance: str, value: Any) -> Ended:
        request = self._family.CreateInstanceRequest(instanceId=instance, name=workflow)
        request.input.value = json.dumps(value)
        return self._call("StartInstance", request)

    def hub_raise_event(self, instance: str, name: str, value: Any) -> Ended:
        request = self._family.RaiseEventRequest(instanceId=instance, name=name)
        request.input.value = json.dumps(value)
        return self._call("RaiseEvent", request)

    def hub_terminate(self, instance: str, output: Any) -> Ended:
        request = self._family.TerminateRequest(instanceId=instance, recursive=True)
        request.output.value = json.dumps(output)
        # This call answers when the instance has ended.
        return self._call("TerminateInstance", request)

    def hub_suspend(self, instance: str) -> Ended:
        return self._call("SuspendInstance", self._family.SuspendRequest(instanceId=instance))

    def hub_resume(self, instance: str) -> Ended:
        return self._call("ResumeInstance", self._family.ResumeRequest(instanceId=instance))

    def _call(self, method: str, request: Any) -> Ended:
        unary: Unary = self._chance.choice(self._channels).unary_unary(f"{_HUB}/{method}")
        try:
            unary(request.SerializeToString(), timeout=TIMEOUT_S)
        except grpc.RpcError as error:
            return _ended_by(method, error)
        return Ended(ACKED, in_force=True)


def _http_client(door: Door) -> httpx.Client:
    base = f"http://{HOST}:{door.http_port}/v1.0/workflows/"
    return httpx.Client(base_url=base, trust_env=False, timeout=TIMEOUT_S)


def _ended_by(method: str, error: grpc.RpcError) -> Ended:
    assert isinstance(error, grpc.Call), error
    details = error.details() or ""
    if error.code() in _GONE or details.startswith("Stream removed"):
        return Ended(UNKNOWN)
    if any(text in details for text in _REFUSALS):
        return Ended(REFUSED)
    return Ended(UNKNOWN, surprise=f"{method}: {error.code().name} {details}")
