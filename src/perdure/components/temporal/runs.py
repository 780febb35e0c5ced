"""Executions as the cluster describes and lists them."""

import base64
import binascii
import hashlib
from collections.abc import AsyncIterator, Sequence
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    ListWorkflowExecutionsRequest,
)
from temporalio.service import WorkflowService

from perdure.base.errors import CallerFault, ComponentError
from perdure.components.temporal.bounds import RUNS_MAX, RUNS_PAGE
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.faults import fault_of
from perdure.core.requests import Reason, Refusal

_SEAL_BYTES: Final = 8


class Runs:
    """Describes and lists executions."""

    def __init__(self, connection: Connection) -> None:
        """Ask through `connection`."""
        self._connection = connection

    async def described(
        self, instance_id: str, run_id: str = ""
    ) -> DescribeWorkflowExecutionResponse | None:
        """Return the description of the newest run, or of the one given; None if there is none."""
        answer = await self._connection.ask(
            WorkflowService.describe_workflow_execution,
            DescribeWorkflowExecutionRequest(
                namespace=self._connection.namespace,
                execution=WorkflowExecution(workflow_id=instance_id, run_id=run_id),
            ),
        )
        if isinstance(answer, Refusal):
            if answer.reason is not Reason.NOT_FOUND:
                raise fault_of(answer, self._connection.where)
            return None
        return answer

    async def listed(
        self, visibility: str, limit: int, token: str | None = None
    ) -> tuple[Sequence[WorkflowExecutionInfo], str | None]:
        """Return a page of what a filter selects, and the token of the next.

        Raises CallerFault for a token that is none of this filter's.
        """
        answer = await self._connection.ask(
            WorkflowService.list_workflow_executions,
            ListWorkflowExecutionsRequest(
                namespace=self._connection.namespace,
                page_size=limit,
                next_page_token=_opened(token, visibility),
                query=visibility,
            ),
        )
        if isinstance(answer, Refusal):
            raise fault_of(answer, self._connection.where)
        following = answer.next_page_token
        return list(answer.executions), _sealed(following, visibility) if following else None

    async def all_of(self, visibility: str) -> AsyncIterator[WorkflowExecutionInfo]:
        """Yield all that a filter selects. Raises ComponentError if that is beyond all bounds."""
        token: str | None = None
        for _ in range(RUNS_MAX // RUNS_PAGE):
            page, token = await self.listed(visibility, RUNS_PAGE, token)
            for info in page:
                yield info
            if token is None:
                return
        raise ComponentError(f"{self._connection.where}: more than {RUNS_MAX} runs are meant")


def _seal(visibility: str) -> bytes:
    return hashlib.sha256(visibility.encode()).digest()[:_SEAL_BYTES]


def _sealed(token: bytes, visibility: str) -> str:
    return base64.urlsafe_b64encode(_seal(visibility) + token).decode()


def _opened(token: str | None, visibility: str) -> bytes:
    """Return the cluster's own token; it takes any for its own, and then fails or lies."""
    if token is None:
        return b""
    try:
        content = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise CallerFault("the token is not one of ours") from error
    if content[:_SEAL_BYTES] != _seal(visibility):
        raise CallerFault("the token is not one of this filter's")
    return content[_SEAL_BYTES:]
