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

from google.protobuf.message import Message

from perdure.authoring.registry import Registry
from perdure.hosting.settings import APP_ID, STORE
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


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a runtime does at once. None is for the engine to choose."""

    threads: int | None = None
    items: int | None = None


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
    """A place that is held until it is given back. Its methods may be called from any thread."""

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
    def employ(self, registry: Registry, bounds: Bounds) -> Employed:
        """Have the work of a registry done. Blocks until it is begun."""

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
        future = self.submit(self.call(method, message.SerializeToString(), timeout_s))
        try:
            return future.result()
        except BaseException:
            future.cancel()  # whoever asked does not wait any more
            raise

    async def ask_async(
        self, method: str, message: Message, timeout_s: float | None = CALL_TIMEOUT_S
    ) -> bytes:
        """Make a call from another loop. Raises WorkflowRpcError."""
        work = self.call(method, message.SerializeToString(), timeout_s)
        return await asyncio.wrap_future(self.submit(work))


__all__ = [
    "AtAddress",
    "Bounds",
    "Employed",
    "InThisProcess",
    "Seat",
    "WorkflowRpcError",
    "place_of",
]
