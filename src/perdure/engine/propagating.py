"""The history that an instance hands down to what it calls, if it is asked for."""

from perdure.core.events import PropagationScope
from perdure.core.turn import Closed, ContinuedAsNew
from perdure.engine.residents import Resident, Turn
from perdure.engine.rows import Propagate
from perdure.wire.events import encode
from perdure.wire.generated import work_pb2 as pb
from perdure.wire.work_items import events_of, propagated_history


def propagation(
    resident: Resident, turn: Turn | None, result: Closed | ContinuedAsNew
) -> Propagate:
    """Return what gives the history of a scope as bytes, made once for each scope."""
    made: dict[PropagationScope, bytes] = {}

    def propagate(scope: PropagationScope) -> bytes | None:
        if scope is PropagationScope.NONE:
            return None
        if scope not in made:
            made[scope] = _handed_down(resident, _history_of(resident, turn, result), scope)
        return made[scope]

    return propagate


def _history_of(
    resident: Resident, turn: Turn | None, result: Closed | ContinuedAsNew
) -> list[bytes]:
    """Return the history as it is once what a turn came to has landed."""
    if isinstance(result, ContinuedAsNew):
        return [encode(event) for event in result.begin]
    events = events_of(resident.past, resident.ends)
    if turn is not None:
        events += [encode(result.turn), *(item.add.event for item in turn.batch)]
    return events + [encode(event) for event in result.recorded]


def _handed_down(resident: Resident, events: list[bytes], scope: PropagationScope) -> bytes:
    chunk = pb.PropagatedChunk(
        events=events,
        app_id=resident.identity.app_id,
        instance_id=resident.instance_id,
        workflow_name=resident.identity.name,
    )
    return propagated_history(scope, chunk, resident.identity.propagated)
