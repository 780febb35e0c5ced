"""The connection to a cluster: made when it is first needed, and again when it was lost."""

import asyncio
import re
from collections.abc import Awaitable
from datetime import timedelta
from typing import Final, Protocol, TypeVar

import structlog
from google.protobuf.message import Message
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.service import (
    ConnectConfig,
    OperatorService,
    RPCError,
    ServiceClient,
    TLSConfig,
    WorkflowService,
)

from perdure.base.errors import ComponentError, ComponentUnavailable, PerdureError
from perdure.base.rfc3339 import render
from perdure.base.time import Clock
from perdure.components.temporal.bounds import (
    ATTEMPTS_MAX,
    CALL_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    LOOK_AGAIN_S,
    RETRY_FACTOR,
    RETRY_FIRST_S,
)
from perdure.components.temporal.faults import PASSING, ComponentBusy, ComponentDenied, outcome_of
from perdure.components.temporal.settings import TemporalSettings, TlsSettings
from perdure.core.requests import Refusal

_log = structlog.get_logger("perdure.temporal")

# What the client raises, as a RuntimeError, when it could not connect at all.
_NO_CONNECTION: Final = "Failed client connect"
# And as a ValueError, where there is nothing that it could connect to.
_NO_ADDRESS: Final = "invalid target URL"
# In the middle of the former, the system's own words.
_SYSTEMS_WORDS: Final = re.compile(r'message: "([^"]+)"')

Asked = TypeVar("Asked", bound=Message, contravariant=True)  # noqa: PLC0105 - the word reads better
Reply = TypeVar("Reply", bound=Message, covariant=True)  # noqa: PLC0105 - the plain word
Service = TypeVar("Service", WorkflowService, OperatorService, contravariant=True)  # noqa: PLC0105 - the plain word


class Rpc(Protocol[Service, Asked, Reply]):
    """A method of one of the cluster's services, not bound to a connection."""

    def __call__(
        self, service: Service, req: Asked, /, *, timeout: timedelta | None = ...
    ) -> Awaitable[Reply]:
        """Ask."""
        ...


class Connection:
    """Asks a cluster, within a deadline, and knows whether it answers."""

    def __init__(self, settings: TemporalSettings, clock: Clock) -> None:
        """Take the settings; nothing is connected before the first call."""
        self.where = (
            f"Temporal cluster {settings.hostport} (component {settings.name}, "
            f"namespace {settings.namespace})"
        )
        self.namespace = settings.namespace
        self.identity = settings.identity
        self._settings = settings
        self._clock = clock
        self._client: ServiceClient | None = None
        self._trouble: str | None = None

    @property
    def trouble(self) -> str | None:
        """Why the cluster cannot be asked, as far as the last call tells, and since when."""
        return self._trouble

    async def ask(
        self,
        rpc: Rpc[WorkflowService, Asked, Reply],
        request: Asked,
        *,
        timeout_s: float = CALL_TIMEOUT_S,
    ) -> Reply | Refusal:
        """Return the answer.

        Raises ComponentUnavailable if there is none within the time, and ComponentError for what
        no trying again will change, such as an address that is none.

        What did not get through is tried again within that time, so that a request that changes
        something has to carry an id of its own.
        """
        service = (await self._connected()).workflow_service
        return await self._asked(lambda left: rpc(service, request, timeout=left), timeout_s)

    async def ask_operator(
        self, rpc: Rpc[OperatorService, Asked, Reply], request: Asked
    ) -> Reply | Refusal:
        """Do as `ask` does with the service for operators."""
        service = (await self._connected()).operator_service
        return await self._asked(lambda left: rpc(service, request, timeout=left), CALL_TIMEOUT_S)

    async def poll(
        self, rpc: Rpc[WorkflowService, Asked, Reply], request: Asked, *, timeout_s: float
    ) -> Reply | Refusal | None:
        """Return the answer of a call that the cluster holds back; None if none came in time.

        None too if the call broke off: any other call will tell whether the cluster is away.
        """
        service = (await self._connected()).workflow_service
        try:
            async with asyncio.timeout(timeout_s):
                return await self._once(rpc(service, request, timeout=timedelta(seconds=timeout_s)))
        except TimeoutError:
            return None
        except _Passing:
            await asyncio.sleep(LOOK_AGAIN_S)
            return None

    async def check(self) -> None:
        """Look whether the cluster answers and has the namespace; `trouble` tells afterwards."""
        try:
            answer = await self.ask(
                WorkflowService.describe_namespace,
                DescribeNamespaceRequest(namespace=self.namespace),
            )
        except (ComponentBusy, ComponentDenied):
            self._note(None)  # it answers, and what we are for it may let us do
            return
        except ComponentError as fault:
            self._note(str(fault))
            return
        if isinstance(answer, Refusal):
            self._note(f"{self.where}: {answer.text}")

    async def _connected(self) -> ServiceClient:
        if self._client is None:
            settings = self._settings
            # A lazy client connects with its first call, and with the next one if that failed.
            config = ConnectConfig(
                target_host=settings.hostport,
                api_key=settings.api_key,
                tls=tls_config(settings.tls),
                identity=settings.identity,
                lazy=True,
                connect_timeout=timedelta(seconds=CONNECT_TIMEOUT_S),
            )
            self._client = await ServiceClient.connect(config)
        return self._client

    async def _asked(self, attempt: "Attempt[Reply]", timeout_s: float) -> Reply | Refusal:
        loop = asyncio.get_running_loop()
        end_s = loop.time() + timeout_s
        pause_s = RETRY_FIRST_S
        fault: PerdureError = ComponentUnavailable(f"{self.where} is away: no answer")
        try:
            async with asyncio.timeout_at(end_s):
                for number in range(1, ATTEMPTS_MAX + 1):
                    try:
                        left = timedelta(seconds=max(end_s - loop.time(), 0))
                        return await self._once(attempt(left))
                    except _Passing as error:
                        fault = error.fault
                    if number < ATTEMPTS_MAX:
                        await asyncio.sleep(pause_s)
                        pause_s *= RETRY_FACTOR
        except TimeoutError:
            fault = ComponentUnavailable(f"{fault}; waited for {timeout_s:g} seconds")
        raise self._known(fault)

    async def _once(self, answer: Awaitable[Reply]) -> Reply | Refusal:
        """Return one answer; raises _Passing where another attempt may be luckier."""
        try:
            reply = await answer
        except RPCError as error:
            found = outcome_of(error, self.where)
            if isinstance(found, PerdureError):
                raise (
                    _Passing(found) if error.status in PASSING else self._known(found)
                ) from error
            self._note(None)
            return found
        except RuntimeError as error:
            if not str(error).startswith(_NO_CONNECTION):
                raise
            text = f"{self.where} is away: {_plainly(str(error))}"
            raise _Passing(ComponentUnavailable(text)) from error
        except ValueError as error:
            if not str(error).startswith(_NO_ADDRESS):
                raise
            raise ComponentError(f"{self.where}: {error}") from error
        self._note(None)
        return reply

    def _known(self, fault: PerdureError) -> PerdureError:
        """Return a fault, having noted it if it means that the cluster is away."""
        if isinstance(fault, ComponentUnavailable) and not isinstance(fault, ComponentBusy):
            self._note(str(fault))
        return fault

    def _note(self, why: str | None) -> None:
        if why is None and self._trouble is not None:
            _log.info("a Temporal cluster answers again", component=self._settings.name)
            self._trouble = None
        elif why is not None and self._trouble is None:
            _log.warning("a Temporal cluster is away", component=self._settings.name, why=why)
            self._trouble = f"since {render(self._clock.now_us())}: {why}"


class Attempt(Protocol[Reply]):
    """Makes the same call anew, with the time that is left."""

    def __call__(self, left: timedelta, /) -> Awaitable[Reply]:
        """Ask."""
        ...


class _Passing(Exception):
    """A call that may not have got through; the fault is what it is if no other does."""

    def __init__(self, fault: PerdureError) -> None:
        super().__init__(str(fault))
        self.fault = fault


def _plainly(text: str) -> str:
    found = _SYSTEMS_WORDS.search(text)
    return text if found is None else found[1]


def tls_config(tls: TlsSettings | None) -> TLSConfig | bool:
    """Return how the client encrypts."""
    if tls is None:
        return False
    return TLSConfig(
        server_root_ca_cert=tls.server_ca,
        domain=tls.server_name,
        client_cert=tls.client_certificate,
        client_private_key=tls.client_key,
    )
