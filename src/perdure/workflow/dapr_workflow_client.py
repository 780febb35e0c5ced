"""The client: starts workflows and looks after them, from any thread."""

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from google.protobuf.message import Message

from perdure.base.limits import LIST_IDS_PAGE_DEFAULT
from perdure.wire.generated import management_pb2 as pb
from perdure.workflow import requests
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

MISSING: Final = "no such instance exists"
REUSE: Final = (
    "reuse_id_policy is deprecated and has no effect; it will be removed in a future release. A "
    "workflow instance ID can always be reused once the existing instance with that ID has reached "
    "a terminal state."
)


class DaprWorkflowClient:
    """Starts workflows, tells them things and waits for them.

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
        self._lock = threading.Lock()
        self._taken: Seat | None = None
        self._closed = False

    def schedule_new_workflow(
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
        answer = pb.CreateInstanceResponse.FromString(self._ask("StartInstance", request))
        return answer.instance_id

    def get_workflow_state(
        self, instance_id: str, *, fetch_payloads: bool = True, app_id: str | None = None
    ) -> WorkflowState | None:
        """Return the state of an instance, or None if there is none."""
        request = requests.one(instance_id, app_id, payloads=fetch_payloads)
        try:
            return state_of(self._ask("GetInstance", request))
        except WorkflowRpcError as error:
            if MISSING not in error.details():
                raise
            self._logger.warning("Workflow instance not found: %s", instance_id)
            return None

    def wait_for_workflow_start(
        self,
        instance_id: str,
        *,
        fetch_payloads: bool = False,
        timeout_in_seconds: float = 0,
        app_id: str | None = None,
    ) -> WorkflowState | None:
        """Return the state once it has begun to run. Raises TimeoutError; 0 is no limit."""
        request = requests.one(instance_id, app_id, payloads=fetch_payloads)
        return self._wait("WaitForInstanceStart", request, Wait("start", timeout_in_seconds))

    def wait_for_workflow_completion(
        self,
        instance_id: str,
        *,
        fetch_payloads: bool = True,
        timeout_in_seconds: float = 0,
        app_id: str | None = None,
    ) -> WorkflowState | None:
        """Return the state once it has ended. Raises TimeoutError; 0 is no limit."""
        request = requests.one(instance_id, app_id, payloads=fetch_payloads)
        return self._wait(
            "WaitForInstanceCompletion", request, Wait("complete", timeout_in_seconds)
        )

    def raise_workflow_event(
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
        self._ask("RaiseEvent", requests.raise_event(instance_id, event_name, data, app_id))

    def terminate_workflow(
        self,
        instance_id: str,
        *,
        output: object = None,
        recursive: bool = True,
        app_id: str | None = None,
    ) -> None:
        """End an instance with an output, and its children if recursive."""
        request = requests.terminate(instance_id, output, app_id, recursive=recursive)
        self._ask("TerminateInstance", request)

    def pause_workflow(self, instance_id: str, *, app_id: str | None = None) -> None:
        """Let an instance take no new work until it is resumed."""
        self._ask("SuspendInstance", requests.suspend(instance_id, app_id))

    def resume_workflow(self, instance_id: str, *, app_id: str | None = None) -> None:
        """Let a paused instance go on."""
        self._ask("ResumeInstance", requests.resume(instance_id, app_id))

    def purge_workflow(
        self, instance_id: str, recursive: bool = True, *, app_id: str | None = None
    ) -> None:
        """Delete an instance that has ended, and its children if recursive."""
        self._ask("PurgeInstances", requests.purge(instance_id, app_id, recursive=recursive))

    def list_workflow_instance_ids(
        self, *, page_size: int | None = None, continuation_token: str | None = None
    ) -> WorkflowInstanceIdPage:
        """Return a page of instance ids. Raises ValueError for a size that makes no sense."""
        request = requests.list_ids(page_size, continuation_token)
        return page_of(self._ask("ListInstanceIDs", request))

    def iter_workflow_instance_ids(
        self, *, page_size: int = LIST_IDS_PAGE_DEFAULT
    ) -> Iterator[str]:
        """Yield all instance ids, page by page."""
        token: str | None = None
        while True:
            page = self.list_workflow_instance_ids(page_size=page_size, continuation_token=token)
            yield from page.instance_ids
            token = page.continuation_token
            if not token:
                return

    def get_workflow_history(self, instance_id: str) -> list[WorkflowHistoryEvent]:
        """Return the events of an instance, the oldest first.

        Raises WorkflowRpcError with NOT_FOUND if there is no such instance.
        """
        return history_of(self._ask("GetInstanceHistory", requests.history(instance_id)))

    def rerun_workflow_from_event(
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
        answer = self._ask("RerunWorkflowFromEvent", request)
        return pb.RerunWorkflowFromEventResponse.FromString(answer).new_instance_id

    def close(self) -> None:
        """Let go of the engine or the connection. Later calls raise WorkflowRpcError."""
        with self._lock:
            self._closed = True
            seat, self._taken = self._taken, None
        if seat is not None:
            seat.give_back()

    def _seat(self) -> Seat:
        with self._lock:
            if self._closed:
                raise closed()
            if self._taken is None:
                self._taken = seat_at(self._place, self._message_bytes_max)
            return self._taken

    def _ask(self, method: str, request: Message) -> bytes:
        return self._seat().ask(method, request)

    def _wait(self, method: str, request: Message, wait: Wait) -> WorkflowState | None:
        while True:
            seat = self._seat()
            try:
                return state_of(seat.ask(method, request, wait.left_s()))
            except WorkflowRpcError as error:
                # This client blocks its caller by its nature; `Wait` bounds pauses and logs them.
                time.sleep(wait.pause_after(error))
