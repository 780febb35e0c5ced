"""Breakages of what a turn lands, and of what follows from it."""

from dataclasses import replace
from typing import Any

from perdure.base.time import HOUR_US
from perdure.core.events import EventRaised
from perdure.core.status import TERMINAL
from perdure.core.turn import ContinuedAsNew
from perdure.engine import deciding, moves, rows, turn_items, turns
from perdure.engine.aftermath import Aftermath
from perdure.engine.claims import Claims
from perdure.engine.inboxes import ReadyTurns
from perdure.engine.moves import Moves
from perdure.engine.residents import Resident, Residents
from perdure.engine.turns import Turns
from perdure.wire.events import decode
from tests.simulation.mutants.patching import Patch, every, mutant, nothing


def _closed(patch: Patch, change: Any) -> None:
    """Let `change` alter the entry of every closed turn."""

    def made(closed_entry: Any) -> Any:
        def broken(*given: Any) -> Any:
            prepared = closed_entry(*given)
            return replace(prepared, entry=change(prepared.entry))

        return broken

    patch.put(moves, "closed_entry", made)


def _continued(patch: Patch, change: Any) -> None:
    def made(continued_entry: Any) -> Any:
        def broken(*given: Any) -> Any:
            prepared = continued_entry(*given)
            return replace(prepared, entry=change(prepared.entry))

        return broken

    patch.put(moves, "continued_entry", made)


def _rows(patch: Patch, change: Any) -> None:
    """Let `change` alter the rows that the effects of a turn come to."""

    def made(of: Any) -> Any:
        return lambda *given: change(of(*given))

    patch.put(rows.EffectRows, "of", made)


@mutant("timers of a finished instance stay behind")
def keep_timers_of_the_finished(patch: Patch) -> None:
    _closed(patch, lambda entry: replace(entry, wipe_timers=False))


@mutant("the inbox of a finished instance stays behind")
def keep_inbox_of_the_finished(patch: Patch) -> None:
    _closed(patch, lambda entry: replace(entry, wipe_inbox=False))


@mutant("a terminate leaves what was still to run")
def terminate_leaves_activities(patch: Patch) -> None:
    _closed(patch, lambda entry: replace(entry, wipe_tasks=False))


@mutant("the timer of an answered wait is not cancelled")
def answered_wait_keeps_its_timer(patch: Patch) -> None:
    _closed(patch, lambda entry: replace(entry, ended_timers=()))


@mutant("a turn takes the rest of the inbox with it")
def turn_empties_the_inbox(patch: Patch) -> None:
    _closed(patch, lambda entry: replace(entry, wipe_inbox=True))


@mutant("timers of a generation outlive it")
def timers_cross_continue_as_new(patch: Patch) -> None:
    _continued(patch, lambda entry: replace(entry, wipe_timers=False))


@mutant("what was unread is dropped across continue-as-new")
def continue_as_new_drops_the_inbox(patch: Patch) -> None:
    _continued(patch, lambda entry: replace(entry, wipe_inbox=True))


@mutant("events that are carried over are dropped across continue-as-new")
def continue_as_new_drops_the_carried(patch: Patch) -> None:
    def made(close: Any) -> Any:
        def broken(*given: Any) -> Any:
            result = close(*given)
            if not isinstance(result, ContinuedAsNew):
                return result
            begin = [event for event in result.begin if not isinstance(event, EventRaised)]
            return replace(result, begin=tuple(begin))

        return broken

    patch.put(deciding, "close", made)


@mutant("a child's outcome never reaches its parent")
def lose_message_to_parent(patch: Patch) -> None:
    patch.put(rows, "to_parent", lambda _: lambda *_given: [])


@mutant("an activity is in the history, and its row is not on disk")
def lose_activity_row(patch: Patch) -> None:
    _rows(patch, lambda made: replace(made, tasks=made.tasks[1:]))


@mutant("a timer is in the history, and its row is not on disk")
def lose_timer_row(patch: Patch) -> None:
    _rows(patch, lambda made: replace(made, timers=made.timers[1:]))


@mutant("a child is in the history, and is never born")
def lose_birth(patch: Patch) -> None:
    _rows(patch, lambda made: replace(made, births=made.births[1:], starts=made.starts[1:]))


@mutant("messages to other instances are lost")
def lose_messages_to_others(patch: Patch) -> None:
    _rows(patch, lambda made: replace(made, messages=()))


@mutant("a child's id in use blocks the parent")
def taken_child_id_blocks_the_parent(patch: Patch) -> None:
    def made(birth: Any) -> Any:
        return lambda *given: replace(birth(*given), if_taken=None)

    patch.put(rows, "_birth", made)


@mutant("a recursive terminate forgets the children")
def terminate_forgets_children(patch: Patch) -> None:
    def made(find: Any) -> Any:
        async def broken(*given: Any) -> Any:
            return replace(await find(*given), children=())

        return broken

    patch.put(Moves, "_find", made)


@mutant("a stall takes the inbox with it")
def stall_empties_the_inbox(patch: Patch) -> None:
    def made(stalled_entry: Any) -> Any:
        def broken(resident: Resident, *given: Any) -> Any:
            prepared = stalled_entry(resident, *given)
            return replace(prepared, entry=replace(prepared.entry, taken=tuple(resident.inbox)))

        return broken

    patch.put(moves, "stalled_entry", made)


@mutant("an activity is handed out before the commit that schedules it")
def hand_out_before_commit(patch: Patch) -> None:
    def made(move: Any) -> Any:
        def broken(self: Any, resident: Resident, turn: Any, prepared: Any, *given: Any) -> Any:
            for task in prepared.entry.tasks:
                scheduled = decode(task.event)
                self._aftermath._tasks.add(resident, task, scheduled)
            return move(self, resident, turn, prepared, *given)

        return broken

    patch.put(Moves, "_move", made)


@mutant("a terminate waits for a worker, as any event does")
def terminate_is_an_event(patch: Patch) -> None:
    def made(consider: Any) -> Any:
        def broken(self: ReadyTurns, resident: Resident) -> None:
            resident.terminating = False
            consider(self, resident)

        return broken

    patch.put(ReadyTurns, "consider", made)


@mutant("a turn is handed out while the instance is suspended")
def suspended_turns_go_out(patch: Patch) -> None:
    def made(consider: Any) -> Any:
        def broken(self: ReadyTurns, resident: Resident) -> None:
            suspended, resident.suspended = resident.suspended, False
            consider(self, resident)
            resident.suspended = suspended

        return broken

    patch.put(ReadyTurns, "consider", made)


@mutant("any answer counts, whatever its token", odds={"answer_late": 0.1, "answer_twice": 0.2})
def any_token_will_do(patch: Patch) -> None:
    def made(find: Any) -> Any:
        def broken(self: Claims, answer: Any) -> Any:
            out = self._out.find(answer.instance_id)
            if out is not None and answer.token:
                answer.token = out.turn.token
            return find(self, answer)

        return broken

    patch.put(Claims, "find", made)


@mutant("turns of a worker that is gone are forgotten", odds={"worker_gone": 3.0})
def lost_turns_are_forgotten(patch: Patch) -> None:
    patch.put(Turns, "left", lambda _: nothing)


@mutant("a stalled instance is never tried again")
def stalled_stay_stalled(patch: Patch) -> None:
    from perdure.engine.stalls import Stalls  # noqa: PLC0415 - one breakage, one import

    def never(self: Stalls, key: int, app_id: str | None) -> None:
        del app_id
        self._delays.delay(key, attempt=1, first_us=HOUR_US * 100, longest_us=HOUR_US * 100)

    patch.put(Stalls, "note", lambda _: never)
    patch.put(Stalls, "wake", lambda _: lambda *_given: [])


@mutant("a batch is taken in the order of nobody")
def batch_out_of_order(patch: Patch) -> None:
    def made(freeze: Any) -> Any:
        def broken(*given: Any) -> Any:
            turn = freeze(*given)
            if any(item.add.rank == 0 for item in turn.batch):
                return turn
            return replace(turn, batch=tuple(reversed(turn.batch)))

        return broken

    patch.put(turns, "freeze", made)


@mutant("a worker that keeps histories is told that it has more than it was sent")
def delta_skips_an_event(patch: Patch) -> None:
    def made(_: Any) -> Any:
        return lambda resident: (resident.key, resident.state.generation, len(resident.ends) + 1)

    patch.put(turns, "history_sent", made)


@mutant("a worker is sent a history that lacks its last event")
def history_lacks_an_event(patch: Patch) -> None:
    def made(turn_item: Any) -> Any:
        def broken(head: Any, past: Any, new: Any, token: str) -> Any:
            return turn_item(head, bytes(past)[: len(past) // 2], new, token)

        return broken

    patch.put(turn_items, "turn_item", every_third(made))


def every_third(made: Any) -> Any:
    """Let a breakage show only now and then."""
    return lambda found: every(3, found, made(found))


@mutant(
    "what lands while an instance is loaded is not shown to it",
    odds={"slow_store": 60.0},
    settings={"residents_max": 1},
    first_seed=3,
)
def late_changes_are_forgotten(patch: Patch) -> None:
    def made(_: Any) -> Any:
        def broken(self: Residents, key: int, change: Any) -> Any:
            resident = self._by_key.get(key)
            if resident is not None:
                change(resident)
            return resident

        return broken

    patch.put(Residents, "do", made)


@mutant("memory changes although the move did not land", odds={"reply_lost": 0.03})
def stale_moves_are_applied(patch: Patch) -> None:
    def made(moved: Any) -> Any:
        def broken(
            self: Aftermath, resident: Resident, turn: Any, prepared: Any, *given: Any
        ) -> None:
            self._advance(resident, turn, prepared, stalled=False)
            moved(self, resident, turn, prepared, *given)

        return broken

    patch.put(Aftermath, "moved", made)


@mutant("a finished instance takes one more turn")
def finished_go_on(patch: Patch) -> None:
    def change(entry: Any) -> Any:
        if entry.head.phase not in TERMINAL:
            return entry
        return replace(entry, history=(*entry.history, entry.history[-1]))

    _closed(patch, change)


@mutant("the answer to an early turn lands before its cause")
def early_turns_do_not_wait(patch: Patch) -> None:
    patch.put(turns, "is_early", lambda _: lambda _turn: False)
