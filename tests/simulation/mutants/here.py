"""Breakages of turns that are decided in place, and of activities that run in the process."""

from dataclasses import replace
from typing import Any

from perdure.core.effects import RunTask
from perdure.engine import deciding, moves
from perdure.engine.deciding import LocalTurns
from perdure.engine.errands import Errands
from perdure.engine.local import Errand
from perdure.engine.moves import Moves
from perdure.engine.rows import NOTHING_FOUND
from tests.simulation.mutants.patching import Patch, mutant, nothing


@mutant("an activity begins before the turn that scheduled it is on disk", here=True)
def begin_before_the_commit(patch: Patch) -> None:
    def made(follow: Any) -> Any:
        def broken(self: Moves, resident: Any, turn: Any, result: Any, after: Any) -> None:
            now_us = self._clock.now_us()
            prepared = self._entry(resident, turn, result, now_us, NOTHING_FOUND)
            scheduled = [each for each in result.effects if isinstance(each, RunTask)]
            for task, effect in zip(prepared.entry.tasks, scheduled, strict=True):
                self._aftermath._tasks.add(resident, task, effect.scheduled)
            follow(self, resident, turn, result, after)

        return broken

    patch.put(Moves, "follow", made)


@mutant("a result that lands with its turn does not end the activity's row", here=True)
def fused_result_keeps_the_row(patch: Patch) -> None:
    def made(closed_entry: Any) -> Any:
        def broken(*given: Any) -> Any:
            prepared = closed_entry(*given)
            return replace(prepared, entry=replace(prepared.entry, ended_tasks=()))

        return broken

    patch.put(moves, "closed_entry", made)


@mutant("a turn that was decided in place leaves out what it was decided about", here=True)
def fused_turn_without_its_cause(patch: Patch) -> None:
    def made(opened: Any) -> Any:
        def broken(self: LocalTurns, resident: Any, taken: Any) -> Any:
            turn = opened(self, resident, taken)
            turn.batch = turn.batch[:-1] or turn.batch
            return turn

        return broken

    patch.put(LocalTurns, "_opened", made)


@mutant("results that nobody awaits any more are taken", here=True)
def take_what_is_not_awaited(patch: Patch) -> None:
    patch.put(LocalTurns, "_wanted", lambda _: lambda _self, _resident, arrivals: arrivals)


@mutant("what comes while an instance moves is lost", here=True)
def lose_what_comes_during_a_move(patch: Patch) -> None:
    def made(go_on: Any) -> Any:
        def broken(self: LocalTurns, resident: Any) -> None:
            resident.arrivals.clear()
            go_on(self, resident)

        return broken

    patch.put(LocalTurns, "_go_on", made)


@mutant("a result whose turn does not land is dropped", here=True)
def drop_what_does_not_land_with_a_turn(patch: Patch) -> None:
    patch.put(deciding, "_go_alone", lambda _: nothing)


@mutant("a second word about an activity counts, too", here=True, odds={"answer_twice": 0.3})
def hear_every_word(patch: Patch) -> None:
    patch.put(Errands, "_is_over", lambda _: lambda _self, errand: errand.stream.closed)


@mutant("runs in the process are not counted", here=True)
def errands_are_not_noted(patch: Patch) -> None:
    def made(_: Any) -> Any:
        return property(lambda _self: None)

    patch.put(Errand, "unnoted", made)


@mutant("turns are decided in place without looking whether the instance stands still", here=True)
def decide_during_a_move(patch: Patch) -> None:
    def made(gathers: Any) -> Any:
        def broken(self: LocalTurns, resident: Any) -> bool:
            resident.deciding = False
            return bool(gathers(self, resident)) or not resident.finished

        return broken

    patch.put(LocalTurns, "_gathers", made)
    patch.put(
        LocalTurns,
        "_is_plain",
        lambda _: (
            lambda self, resident: (
                not (resident.gone or resident.finished)
                and self._deciding.app(resident.identity.app_id) is not None
            )
        ),
    )
