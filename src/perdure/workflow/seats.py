"""Where a runtime or a client works: in an engine of this process, or at an address.

What is given decides, then the environment: a host or port, `PERDURE_STORE` (a file or database),
`DAPR_GRPC_ENDPOINT` or `DAPR_GRPC_PORT` (an address, as a sidecar sets it), and without any of them
the file `perdure.db`.
"""

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.message import Message

from perdure.authoring.registry import Registry
from perdure.base.errors import ConfigurationError
from perdure.hosting.settings import APP_ID, STORE, Bounds
from perdure.worker.endpoints import GRPC_PORT, Endpoint, endpoint_of
from perdure.workflow.faults import WorkflowRpcError

T = TypeVar("T")

CALL_TIMEOUT_S: Final = 60.0
_HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class InThisProcess:
    """An engine of this process on a store."""

    store: str
    app_id: str


@dataclass(frozen=True, slots=True)
class AtAddress:
    """A server: perdure's own, or a daprd. `metadata` goes with every call."""

    endpoint: Endpoint
    metadata: tuple[tuple[str, str], ...] = ()


def place_of(host: str | None, port: str | int | None) -> InThisProcess | AtAddress:
    """Return where to work, by what is given and the environment.

    Raises ConfigurationError for an address that means nothing.
    """
    found = os.environ.get
    if host or port:
        address = f"{host or _HOST}:{port or found('DAPR_GRPC_PORT') or GRPC_PORT}"
        return AtAddress(endpoint_of(address), _token())
    store, endpoint = found("PERDURE_STORE"), found("DAPR_GRPC_ENDPOINT")
    if not store and endpoint:
        return AtAddress(endpoint_of(endpoint), _token())
    if not store and (found("DAPR_GRPC_PORT") or found("DAPR_RUNTIME_HOST")):
        side = found("DAPR_RUNTIME_HOST") or _HOST
        return AtAddress(endpoint_of(f"{side}:{found('DAPR_GRPC_PORT') or GRPC_PORT}"), _token())
    app_id = found("DAPR_APP_ID") or found("APP_ID") or APP_ID
    return InThisProcess(store or STORE, app_id)


def _token() -> tuple[tuple[str, str], ...]:
    token = os.environ.get("DAPR_API_TOKEN")
    return (("dapr-api-token", token),) if token else ()


class Employed(ABC):
    """A registry whose work is being done."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Tell whether work can come in."""

    @abstractmethod
    def leave(self) -> None:
        """Have its work done no more; what runs is given a moment. Blocks until then."""


class Seat(ABC):
    """A place that is held until it is given back. Its methods may be called from any thread.

    A message larger than `message_bytes_max`, if that is not None, is neither sent nor taken.
    """

    message_bytes_max: int | None = None

    @abstractmethod
    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run something on the loop of the seat."""

    @abstractmethod
    def is_here(self) -> bool:
        """Tell whether the caller is on the loop of the seat, which must not be blocked."""

    @abstractmethod
    async def call(self, method: str, message: bytes, timeout_s: float | None) -> bytes:
        """Make a call of TaskHub's; only on the loop of the seat.

        Raises WorkflowRpcError if it is refused or fails, also when time is up.
        """

    @abstractmethod
    def employ(self, registry: Registry, bounds: Bounds, *, stateful: bool) -> Employed:
        """Have the work of a registry done. Blocks until it is begun.

        `stateful` is whether a server may leave out what it has sent of a history before.
        """

    @abstractmethod
    def give_back(self) -> None:
        """Let go of the seat."""

    def ask(self, method: str, message: Message, timeout_s: float | None = CALL_TIMEOUT_S) -> bytes:
        """Make a call and wait for its answer.

        Raises WorkflowRpcError, and RuntimeError where waiting would be for ever.
        """
        if self.is_here():
            raise RuntimeError(
                "a blocking call on the loop that is to answer it would wait for ever: use the "
                "client of perdure.workflow.aio here, or an activity that is not async"
            )
        future = self.submit(self.call(method, self._sent(message), timeout_s))
        try:
            return self._received(future.result())
        except BaseException:
            future.cancel()  # whoever asked does not wait any more
            raise

    async def ask_async(
        self, method: str, message: Message, timeout_s: float | None = CALL_TIMEOUT_S
    ) -> bytes:
        """Make a call from another loop. Raises WorkflowRpcError."""
        work = self.call(method, self._sent(message), timeout_s)
        return self._received(await asyncio.wrap_future(self.submit(work)))

    def _sent(self, message: Message) -> bytes:
        return within(message.SerializeToString(), self.message_bytes_max, "Sent")

    def _received(self, answer: bytes) -> bytes:
        return within(answer, self.message_bytes_max, "Received")


def within(message: bytes, bytes_max: int | None, what_was_done: str) -> bytes:
    """Return a message that is not too large.

    Raises WorkflowRpcError with RESOURCE_EXHAUSTED for one that is, as a channel of grpcio does.
    """
    if bytes_max is not None and len(message) > bytes_max:
        text = f"{what_was_done} message larger than max ({len(message)} vs. {bytes_max})"
        raise WorkflowRpcError(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
    return message


def message_bytes_max(given: int | None) -> int | None:
    """Return how large a message may be: what is given, or else what the environment says.

    None, where neither says anything, is any size. Raises ConfigurationError for what is no size.
    """
    text = os.environ.get("DAPR_GRPC_MAX_INBOUND_MESSAGE_SIZE_BYTES", "")
    try:
        size = given or int(text or 0)
    except ValueError:
        size = -1
    if size < 0:
        raise ConfigurationError(
            f"DAPR_GRPC_MAX_INBOUND_MESSAGE_SIZE_BYTES={text}: expected a number of bytes"
            if not given
            else f"max_grpc_message_length={given}: expected a number of bytes"
        )
    return size or None


__all__ = [
    "AtAddress",
    "Bounds",
    "Employed",
    "InThisProcess",
    "Seat",
    "WorkflowRpcError",
    "message_bytes_max",
    "place_of",
    "within",
]
