"""A rerun is Temporal's reset: a new run, under the same id, from a turn of the last one."""

from typing import Final
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import ResetReapplyType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.service import WorkflowService

from perdure.components.port import Started
from perdure.components.temporal import refusals
from perdure.components.temporal.connection import Connection
from perdure.components.temporal.events import type_of
from perdure.components.temporal.histories import Histories
from perdure.components.temporal.runs import Runs
from perdure.components.temporal.standing import status_of
from perdure.core.requests import Reason, Refusal, Rerun
from perdure.core.rerun import no_source, source_goes_on
from perdure.core.status import TERMINAL

_REASON: Final = "rerun from event {event_id}"
# These are turns themselves. Every other event that can be rerun names the turn it came from.
_TURNS: Final = frozenset(
    {
        "workflow_task_started_event_attributes",
        "workflow_task_completed_event_attributes",
        "workflow_task_failed_event_attributes",
        "workflow_task_timed_out_event_attributes",
    }
)
_TURN_FIELD: Final = "workflow_task_completed_event_id"


class Rerunning:
    """Resets finished instances."""

    def __init__(self, connection: Connection, runs: Runs, histories: Histories) -> None:
        """Reset through `connection`."""
        self._connection = connection
        self._runs = runs
        self._histories = histories

    async def rerun(self, request: Rerun) -> Started | Refusal:
        """Begin a new run from the turn that decided the event, or that the event is."""
        impossible = _impossible(request)
        if impossible is not None:
            return impossible
        described = await self._runs.described(request.source_id)
        if described is None:
            return no_source(request)
        if status_of(described.workflow_execution_info) not in TERMINAL:
            return source_goes_on(request)
        run = described.workflow_execution_info.execution
        found = await self._histories.after(run, max(request.event_id - 1, 0), 1)
        event = found[0][0] if found is not None and found[0] else None
        if event is None or event.event_id != request.event_id:
            text = f"does not have history event with ID '{request.event_id}'"
            return Refusal(Reason.NOT_FOUND, text)
        turn = turn_of(event)
        if turn is None:
            text = (
                f"target event '{type_of(event)}' with ID "
                f"'{request.event_id}' is not an event that can be rerun"
            )
            return Refusal(Reason.NOT_FOUND, text)
        return await self._reset(request, run, turn)

    async def _reset(self, request: Rerun, run: WorkflowExecution, turn: int) -> Started | Refusal:
        answer = await self._connection.ask(
            WorkflowService.reset_workflow_execution,
            ResetWorkflowExecutionRequest(
                namespace=self._connection.namespace,
                workflow_execution=run,
                reason=_REASON.format(event_id=request.event_id),
                workflow_task_finish_event_id=turn,
                request_id=str(uuid4()),
                # What came after is forgotten, as it is where an instance of ours is rerun.
                reset_reapply_type=ResetReapplyType.RESET_REAPPLY_TYPE_NONE,
                identity=self._connection.identity,
            ),
        )
        return answer if isinstance(answer, Refusal) else Started(request.source_id)


def turn_of(event: HistoryEvent) -> int | None:
    """Return the number of the turn to which to reset so that the event happens again."""
    which = event.WhichOneof("attributes")
    if which in _TURNS:
        return event.event_id
    attributes = None if which is None else getattr(event, which)
    turn: int = getattr(attributes, _TURN_FIELD, 0)
    return turn or None


def _impossible(request: Rerun) -> Refusal | None:
    if request.new_id_chosen and request.new_id != request.source_id:
        return refusals.unsupported(
            "Temporal reruns a workflow under its own id: leave the new instance's id out"
        )
    if request.overwrite_input or request.input is not None:
        return refusals.unsupported("Temporal reruns a workflow with the inputs that it had")
    if request.new_child_id is not None:
        return refusals.unsupported("Temporal names the children of a rerun workflow by itself")
    return None
