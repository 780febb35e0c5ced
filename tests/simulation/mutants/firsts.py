"""Breakages of first turns that are handed out early, and of what waits for the turn it brings."""

from typing import Any

from perdure.engine import together
from perdure.engine.early import EarlyTurns
from perdure.engine.residents import Resident
from perdure.engine.together import Together
from tests.simulation.mutants.patching import Patch, mutant, nothing


@mutant("the first turn of a start that did not land stays out", odds={"commit_failed": 0.05})
def first_turns_outlive_their_starts(patch: Patch) -> None:
    patch.put(EarlyTurns, "never_born", lambda _: nothing)


@mutant("what a worker made of an early first turn is forgotten when the start has landed")
def first_answers_are_forgotten(patch: Patch) -> None:
    patch.put(EarlyTurns, "born", lambda _: nothing)


@mutant("the first turn of a start that was refused is taken for the bearer's")
def refused_starts_have_their_turn(patch: Patch) -> None:
    def made(_: Any) -> Any:
        def broken(self: EarlyTurns, resident: Resident) -> None:
            bearer = self._residents.peek(resident.instance_id)
            held = None if resident.turn is None else resident.turn.held
            if held is None or bearer is None or bearer.moving or bearer.turn is not None:
                return
            bearer.turn = resident.turn
            assert bearer.turn is not None, "it has been answered"
            bearer.moving = True
            self._dealings.land(bearer, bearer.turn, held.result)

        return broken

    patch.put(EarlyTurns, "never_born", made)


@mutant("a result that has waited long enough is forgotten")
def results_that_waited_are_forgotten(patch: Patch) -> None:
    def made(_: Any) -> Any:
        def broken(turn: Any) -> bool:
            turn.arrivals = ()
            return False

        return broken

    patch.put(together, "go_alone", made)


@mutant("a result that lands with its turn is landed by itself as well")
def results_land_twice(patch: Patch) -> None:
    def made(answered: Any) -> Any:
        def broken(self: Together, resident: Resident, turn: Any, result: Any) -> Any:
            arrivals = turn.arrivals
            landing = answered(self, resident, turn, result)
            if landing is not None:
                turn.arrivals = ()
                for arrival in arrivals:
                    arrival.alone()
            return landing

        return broken

    patch.put(Together, "answered", made)
