"""States and turns of the core, made from the fewest words."""

from collections.abc import Iterable

from perdure.core import actions as act
from perdure.core.applying import Caller
from perdure.core.events import Event, ExecutionStarted, ParentLink, WorkflowStarted
from perdure.core.state import State, blank, fold
from perdure.core.tracing import TraceContext
from perdure.core.turn import Closed, TurnResult, close

NOW_US = 1_000_000
ME = Caller("me", "app", NOW_US)
TURN = WorkflowStarted(at_us=NOW_US)
PARENT = ParentLink("parent", "execution of the parent", "outer", None, 7, "app")


def started(
    *,
    parent: ParentLink | None = None,
    trace: TraceContext | None = None,
    text: str | None = None,
) -> ExecutionStarted:
    """Return the start of the instance `me`."""
    return ExecutionStarted(
        at_us=1,
        name="wf",
        instance_id="me",
        execution_id="execution",
        input=text,
        parent=parent,
        trace=trace,
    )


def after(*events: Event, parent: ParentLink | None = None, generation: int = 1) -> State:
    """Return the state of an instance that has started, and then seen `events`."""
    return fold(blank(generation), (WorkflowStarted(at_us=1), started(parent=parent), *events))


def closed(
    state: State, actions: Iterable[act.Action], batch: tuple[Event, ...] = (), **decision: object
) -> Closed:
    """Close a turn that must be kept, and return it."""
    result = decided(state, actions, batch, **decision)
    assert isinstance(result, Closed), result
    return result


def decided(
    state: State, actions: Iterable[act.Action], batch: tuple[Event, ...] = (), **decision: object
) -> TurnResult:
    """Close a turn in whatever way."""
    answer = act.Decision(actions=tuple(actions), **decision)  # type: ignore[arg-type]  # what a test says
    return close(state, TURN, batch, answer, ME)
