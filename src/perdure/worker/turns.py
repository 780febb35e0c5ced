"""Turns: what a work item asks, decided by the author's code, as an answer.

The code of a workflow is kept by whoever decides; a turn says how much of the history it is to have
seen. A server that knows that leaves out what it has sent before, and where the code has meanwhile
been let go, the history has to be fetched.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from perdure.authoring.replay import Replayer
from perdure.core.actions import Complete, Decision, VersionNotAvailable
from perdure.core.events import Event, ExecutionStarted, Failure
from perdure.core.lineage import Lineage
from perdure.core.status import Status
from perdure.wire.answers import turn_answer
from perdure.wire.events import decode
from perdure.wire.generated import work_pb2 as pb
from perdure.wire.lineage import lineage_of

_log = logging.getLogger("perdure.worker")

# Stalls the instance: it is tried again by and by, and whenever a worker comes.
_NOT_BY_THIS_CODE: Final = Decision(actions=(VersionNotAvailable(id=0),))


class HistoryMissing(Exception):
    """The events before those of a turn are asked for, and have not been sent with it."""


class Turns:
    """Answers turns by what the author's code decides. Used from one thread."""

    def __init__(self, replayer: Replayer, *, answer_bytes_max: int | None = None) -> None:
        """Ask the code that `replayer` keeps.

        A workflow whose answer would be larger than `answer_bytes_max` fails, as with Dapr's SDK.
        """
        self._replayer = replayer
        self._answer_bytes_max = answer_bytes_max

    def answer(
        self, request: pb.TurnRequest, token: str, fetched: Sequence[bytes] | None = None
    ) -> bytes:
        """Return the answer to a turn, a serialized WorkflowResponse.

        Raises HistoryMissing if events are needed that were not sent; it is to be called again
        with `fetched`, the first `request.cached.event_count` of the history.
        """
        sent_before = request.cached.event_count if request.HasField("cached") else 0

        def past() -> list[Event]:
            if sent_before and fetched is None:
                raise HistoryMissing(request.instance_id)
            return [decode(event) for event in (*(fetched or ()), *request.past)]

        new = [decode(event) for event in request.new]
        key = (request.instance_id, _execution_id(request, new))
        length = sent_before + len(request.past)
        decision = self._decide(key, length, past, new, partial(_lineage, request))
        answer = turn_answer(request.instance_id, decision, token)
        if self._answer_bytes_max is None or len(answer) <= self._answer_bytes_max:
            return answer
        failed = too_large("what the workflow decides", len(answer), self._answer_bytes_max)
        _log.error("%s fails: %s", request.instance_id, failed.message)
        self._replayer.forget(key)
        decision = Decision(actions=(Complete(id=-1, status=Status.FAILED, failure=failed),))
        return turn_answer(request.instance_id, decision, token)

    def _decide(
        self,
        key: tuple[str, str],
        length: int,
        past: Callable[[], Sequence[Event]],
        new: Sequence[Event],
        lineage: Callable[[], Lineage | None],
    ) -> Decision:
        try:
            decision = self._replayer.decide(key, length, past, new, lineage=lineage)
        except HistoryMissing:
            raise
        except Exception:  # noqa: BLE001 - logged, and the instance told
            # An answer has to be given, or the instance is at this worker for ever.
            _log.exception("workflow %s cannot be decided: it stalls", key[0])
            self._replayer.forget(key)
            return _NOT_BY_THIS_CODE
        if isinstance(decision, Decision):
            return decision
        _log.error("%s stalls: %s", key[0], decision.sentence)
        return _NOT_BY_THIS_CODE


def not_now(request: pb.TurnRequest, token: str) -> bytes:
    """Return the answer that stalls an instance, to be tried again by and by."""
    return turn_answer(request.instance_id, _NOT_BY_THIS_CODE, token)


def too_large(what: str, length: int, most: int) -> Failure:
    """Return the failure of what cannot be told, because the message would be too large."""
    text = f"{what} exceeds the gRPC max message size ({length} vs. {most} bytes)"
    return Failure("RuntimeError", text, non_retriable=False)


def _lineage(request: pb.TurnRequest) -> Lineage | None:
    return lineage_of(request.propagated) if request.HasField("propagated") else None


def _execution_id(request: pb.TurnRequest, new: Sequence[Event]) -> str:
    """Return which life and generation of its id an instance is in; "" where nobody tells."""
    if request.HasField("execution_id"):
        return request.execution_id.value
    # A first turn begins with the start itself; servers that do not tell send the whole history.
    for data in request.past[:2]:
        event = decode(data)
        if isinstance(event, ExecutionStarted):
            return event.execution_id
    return next((e.execution_id for e in new if isinstance(e, ExecutionStarted)), "")
