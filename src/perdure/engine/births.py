"""Starts, and their first turns.

Where the app is in this process, a start lands with its first turn (`engine.deciding`). Elsewhere
that turn is handed out as soon as the start is on its way to the disk (`engine.early`); or a moment
before, and then both land together, if a worker that has nothing else to do is quick enough
(`engine.together`).
"""

from dataclasses import replace
from functools import partial

from perdure.base.errors import WorkerFault
from perdure.core import effects as fx
from perdure.core.events import WorkflowStarted
from perdure.core.requests import Start
from perdure.core.turn import Closed
from perdure.engine.aftermath import Aftermath
from perdure.engine.entries import Prepared
from perdure.engine.ground import Ground
from perdure.engine.moves import Moves
from perdure.engine.proposals import Proposal, Proposals
from perdure.engine.residents import NOT_LANDED, InboxItem, Resident, Turn, unborn
from perdure.engine.rows import Newborn
from perdure.engine.turns import Turns
from perdure.store.port import Outcome, Verdict


class Births:
    """Proposes starts."""

    def __init__(
        self,
        ground: Ground,
        turns: Turns,
        moves: Moves,
        aftermath: Aftermath,
        proposals: Proposals,
    ) -> None:
        """Have first turns decided by the apps and workers that `turns` knows."""
        self._owner = ground.owner
        self._clock = ground.clock
        self._deciding = turns.deciding
        self._early = turns.early
        self._moves = moves
        self._aftermath = aftermath
        self._proposals = proposals

    async def propose(self, request: Start, replaces: int | None) -> Proposal:
        """Return a start that replaces a finished instance, or nobody.

        It has its first turn with it if nobody else could own it, its app is here or its worker is
        quick, and that turn asks for nothing but activities and timers.
        """
        newborn = self._proposals.newborn(request, replaces)
        if newborn.birth.held:
            return self._proposals.of(newborn)
        resident = unborn(newborn.birth)
        item = InboxItem(NOT_LANDED, newborn.birth.inbox[0], newborn.started)
        app = self._deciding.app(request.app_id) if self._owner.alone else None
        if app is not None:
            now_us = self._clock.now_us()
            turn = Turn(WorkflowStarted(at_us=now_us), (item,), (), handed_out_at_us=now_us)
            try:
                result = self._deciding.decide(resident, turn, app)
            except WorkerFault:
                result = None  # asked once more when it is on disk, it says so again
            if isinstance(result, Closed) and self._only_begins(result):
                return self._with_its_turn(newborn, resident, turn, result)
            self._deciding.forget(resident)
        return await self._with_an_early_turn(newborn, resident, item)

    async def _with_an_early_turn(
        self, newborn: Newborn, resident: Resident, item: InboxItem
    ) -> Proposal:
        birth = newborn.birth
        stream = self._early.begin_first(resident, item, birth.replaces)
        turn = resident.turn
        if stream is not None and turn is not None and self._owner.alone:
            try:
                await self._early.together.first(turn, stream)
            except BaseException:
                self._early.never_born(resident)  # whoever asked has gone: nothing was handed in
                raise
            held = turn.held
            result = None if held is None or resident.turn is not turn else held.result
            if isinstance(result, Closed) and self._only_begins(result):
                return self._with_its_turn(newborn, resident, turn, result)

        def apply(outcome: Outcome) -> None:
            if outcome.verdict is not Verdict.LANDED:
                self._early.never_born(resident)
                return
            born = outcome.births[0]
            assert born.key is not None, "a birth that has landed has a key"
            (item.seq,) = born.inbox_seqs
            ours = self._aftermath.come_into_the_world(birth, resident, born.key, [item])
            self._proposals.report(newborn)
            self._early.born(resident, ours=ours)

        return replace(
            self._proposals.of(newborn),
            apply=apply,
            fail=lambda _: self._early.never_born(resident),
        )

    def _with_its_turn(
        self, newborn: Newborn, resident: Resident, turn: Turn, result: Closed
    ) -> Proposal:
        prepared = self._moves.born(resident, turn, result, newborn)
        apply = partial(self._landed, newborn, resident, turn, prepared, result)
        return Proposal(prepared.entry, apply, partial(self._lost, resident))

    def _landed(
        self,
        newborn: Newborn,
        resident: Resident,
        turn: Turn,
        prepared: Prepared,
        result: Closed,
        outcome: Outcome,
    ) -> None:
        if outcome.verdict is not Verdict.LANDED:
            self._lost(resident)
            return
        key = outcome.births[0].key
        assert key is not None, "a birth that has landed has a key"
        resident.key = key
        self._proposals.report(newborn)
        if turn.token:
            self._early.born_with_it(resident, turn)
        self._aftermath.born_with_a_turn(resident, turn, prepared, result)
        if result.state.finished:
            self._deciding.forget(resident)

    def _lost(self, resident: Resident, _: object = None) -> None:
        """What was to be born with its turn never was."""
        self._deciding.forget(resident)
        self._early.never_born(resident)

    def _only_begins(self, result: Closed) -> bool:
        """Tell whether a turn asks for nothing but what a birth may bring with it."""
        for effect in result.effects:
            match effect:
                case fx.RunTask() | fx.SetTimer():
                    pass
                case _:
                    return False
        return not self._moves.has_to_read(result.effects)
