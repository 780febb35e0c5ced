"""Breakages of what workers of Microsoft's family are sent, and of how their answers are read."""

from typing import Any

from perdure.engine import turn_items, turns
from perdure.wire.actions import decision_of
from tests.simulation.mutants.patching import Patch, mutant


@mutant("a trace context of Microsoft's is read as the version of Dapr's", mixed=True)
def a_trace_context_is_a_version(patch: Patch) -> None:
    def made(_: Any) -> Any:
        return lambda answer, *, microsoft: decision_of(answer, microsoft=False)  # noqa: ARG005 - it does not matter

    patch.put(turns, "decision_of", made)


@mutant("an event is left out of what Microsoft's are sent", mixed=True)
def microsofts_are_not_told_all(patch: Patch) -> None:
    def made(for_microsoft: Any) -> Any:
        def broken(events: Any) -> Any:
            told = [*for_microsoft(events)]
            return told[:1] + told[2:] if len(told) > 3 else told

        return broken

    patch.put(turn_items, "for_microsoft", made)


@mutant("who has not said which dialect it speaks is taken for Dapr's", mixed=True)
def undecided_is_daprs(patch: Patch) -> None:
    patch.put(turns, "answers_in_microsofts", lambda _: lambda _stream, _answer: False)
