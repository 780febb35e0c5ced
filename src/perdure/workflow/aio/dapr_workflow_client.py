"""The client of asyncio: starts workflows and looks after them, without blocking its loop."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

from google.protobuf.message import Message

from perdure.base.errors import PerdureError
from perdure.base.limits import LIST_IDS_PAGE_DEFAULT
from perdure.wire.generated import management_pb2 as pb
from perdure.workflow import requests
from perdure.workflow.dapr_workflow_client import MISSING, REUSE
from perdure.workflow.faults import WorkflowRpcError, closed
from perdure.workflow.logger import Logger, LoggerOptions
from perdure.workflow.opening import seat_at
from perdure.workflow.seats import Seat, message_bytes_max, place_of
from perdure.workflow.waiting import Wait
from perdure.workflow.workflow_management import (
    UNSET,
    WorkflowHistoryEvent,
    WorkflowInstanceIdPage,
    history_of,
    page_of,
)
from perdure.workflow.workflow_state import WorkflowState, state_of


class DaprWorkflowClient:
    """Starts workflows, tells them things and waits for them, on the loop that it is used on.

    It works with the engine of this process or with a server, as `WorkflowRuntime` does. What is
    refused raises WorkflowRpcError, a grpc.RpcError, in both.
    """

    def __init__(
        self,
        host: str | None = None,
        port: str | None = None,
        logger_options: LoggerOptions | None = None,
        max_grpc_message_length: int | None = None,
    ) -> None:
        """Choose where to ask; nothing is opened before the first call.

        A call whose message or answer is larger than `max_grpc_message_length`, or else than
        DAPR_GRPC_MAX_INBOUND_MESSAGE_SIZE_BYTES, raises WorkflowRpcError with RESOURCE_EXHAUSTED.
        Without them any size is taken.

        Raises ConfigurationError for an address or a size that means nothing.
        """
        self._logger = Logger("DaprWorkflowClient", logger_options)
        self._place = place_of(host, port)
        self._message_bytes_max = message_bytes_max(max_grpc_message_length)
        self._taken: asyncio.Future[Seat] | None = None
        self._closed = False

    async def schedule_new_workflow(
        self,
        workflow: Callable[..., Any] | str,
        *,
        input: object = None,  # noqa: A002 - the name that people know
        instance_id: str | None = None,
        start_at: datetime | None = None,
        reuse_id_policy: object = None,
        app_id: str | None = None,
    ) -> str:
        """Start a workflow, at once or at a time, and return the instance's id.

        It is on disk when this returns. Raises WorkflowRpcError with ALREADY_EXISTS if an active
        instance has the id.
        """
        if reuse_id_policy is not None:
            warnings.warn(REUSE, DeprecationWarning, stacklevel=2)
        request = requests.start(workflow, input, instance_id, start_at, app_id)
        answer = pb.CreateInstanceResponse.FromString(await self._ask("StartInstance", request))
        return answer.instance_id

    async def get_workflow_state(
        self, instance_id: str, *, fetch_payloads: bool = True, app_id: str | None = None
    ) -> WorkflowState | None:
        """Return the state of an instance, or None if there is none."""
        request = requests.one(instance_id, app_id, payloads=fetch_payloads)
        try:
            return state_of(await self._ask("GetInstance", request))
        except WorkflowRpcError as error:
            if MISSING not in error.details():
                raise
            self._logger.warning("Workflow instance not found: %s", instance_id)
            return None

    async def wait_for_workflow_start(
        self,
        instance_id: str,
        *,
        fetch_payloads: bool = False,
        timeout_in_seconds: float = 0,
        app_id: str | None = None,
    ) -> WorkflowState | None:
        """Return the state once it has begun to run. Raises TimeoutError; 0 is no limit."""
        request = requests.one(instance_id, app_id, payloads=fetch_payloads)
        return await self._wait("WaitForInstanceStart", request, Wait("start", timeout_in_seconds))

    async def wait_for_workflow_completion(
        self,
        instance_id: str,
        *,
        fetch_payloads: bool = True,
        timeout_in_seconds: float = 0,
        app_id: str | None = None,
    ) -> WorkflowState | None:
        """Return the state once it has ended. Raises TimeoutError; 0 is no limit."""
        request = requests.one(instance_id, app_id, payloads=fetch_payloads)
        return await self._wait(
            "WaitForInstanceCompletion", request, Wait("complete", timeout_in_seconds)
        )

    async def raise_workflow_event(
        self,
        instance_id: str,
        event_name: str,
        *,
        data: object = None,
        app_id: str | None = None,
    ) -> None:
        """Raise an event on an instance; it is on disk when this returns.

        One that has ended drops it. Raises WorkflowRpcError if there is no such instance.
        """
        await self._ask("RaiseEvent", requests.raise_event(instance_id, event_name, data, app_id))

    async def terminate_workflow(
        self,
        instance_id: str,
        *,
        output: object = None,
        recursive: bool = True,
        app_id: str | None = None,
    ) -> None:
        """End an instance with an output, and its children if recursive."""
        request = requests.terminate(instance_id, output, app_id, recursive=recursive)
        await self._ask("TerminateInstance", request)

    async def pause_workflow(self, instance_id: str, *, app_id: str | None = None) -> None:
        """Let an instance take no new work until it is resumed."""
        await self._ask("SuspendInstance", requests.suspend(instance_id, app_id))

    async def resume_workflow(self, instance_id: str, *, app_id: str | None = None) -> None:
        """Let a paused instance go on."""
        await self._ask("ResumeInstance", requests.resume(instance_id, app_id))

    async def purge_workflow(
        self, instance_id: str, recursive: bool = True, *, app_id: str | None = None
    ) -> None:
        """Delete an instance that has ended, and its children if recursive."""
        await self._ask("PurgeInstances", requests.purge(instance_id, app_id, recursive=recursive))

    async def list_workflow_instance_ids(
        self, *, page_size: int | None = None, continuation_token: str | None = None
    ) -> WorkflowInstanceIdPage:
        """Return a page of instance ids. Raises ValueError for a size that makes no sense."""
        request = requests.list_ids(page_size, continuation_token)
        return page_of(await self._ask("ListInstanceIDs", request))

    async def iter_workflow_instance_ids(
        self, *, page_size: int = LIST_IDS_PAGE_DEFAULT
    ) -> AsyncIterator[str]:
        """Yield all instance ids, page by page."""
        token: str | None = None
        while True:
            page = await self.list_workflow_instance_ids(
                page_size=page_size, continuation_token=token
            )
            for instance_id in page.instance_ids:
                yield instance_id
            token = page.continuation_token
            if not token:
                return

    async def get_workflow_history(self, instance_id: str) -> list[WorkflowHistoryEvent]:
        """Return the events of an instance, the oldest first.

        Raises WorkflowRpcError with NOT_FOUND if there is no such instance.
        """
        return history_of(await self._ask("GetInstanceHistory", requests.history(instance_id)))

    async def rerun_workflow_from_event(
        self,
        instance_id: str,
        event_id: int,
        *,
        new_instance_id: str | None = None,
        input: object = UNSET,  # noqa: A002 - the name that people know
        new_child_workflow_instance_id: str | None = None,
        app_id: str | None = None,
    ) -> str:
        """Start a new instance that repeats another up to an event, and return its id.

        Raises ValueError for ids that make no sense, WorkflowRpcError if the instance has not
        ended or has no such event to begin from.
        """
        request = requests.rerun(
            instance_id,
            event_id,
            new_id=new_instance_id,
            value=input,
            new_child_id=new_child_workflow_instance_id,
            app_id=app_id,
        )
        answer = await self._ask("RerunWorkflowFromEvent", request)
        return pb.RerunWorkflowFromEventResponse.FromString(answer).new_instance_id

    async def close(self) -> None:
        """Let go of the engine or the connection. Later calls raise WorkflowRpcError."""
        self._closed = True
        taken, self._taken = self._taken, None
        if taken is not None:
            seat = await taken
            await asyncio.to_thread(seat.give_back)

    async def _seat(self) -> Seat:
        if self._closed:
            raise closed()
        taken = self._taken
        if taken is None:
            # An engine may have to be opened, which blocks.
            opening = asyncio.to_thread(seat_at, self._place, self._message_bytes_max)
            taken = asyncio.ensure_future(opening)
            self._taken = taken
        try:
            return await asyncio.shield(taken)
        except PerdureError:
            if self._taken is taken:
                self._taken = None  # what could not be opened now may be opened by a later call
            raise

    async def _ask(self, method: str, request: Message) -> bytes:
        return await (await self._seat()).ask_async(method, request)

    async def _wait(self, method: str, request: Message, wait: Wait) -> WorkflowState | None:
        while True:
            seat = await self._seat()
            try:
                return state_of(await seat.ask_async(method, request, wait.left_s()))
            except WorkflowRpcError as error:
                await asyncio.sleep(wait.pause_after(error))
