"""The author's code as the turns of a test decide by it, and what stalls it, in words."""

from collections.abc import Callable, Hashable, Sequence

from perdure.authoring.divergence import Divergence
from perdure.authoring.registry import Registry
from perdure.authoring.replay import Replayer
from perdure.core.actions import Decision
from perdure.core.events import Event
from perdure.core.lineage import Lineage
from perdure.wire.fields import failure_of


class Deciding(Replayer):
    """What the code of one process keeps between turns."""

    def __init__(
        self,
        registry: Registry,
        *,
        replay_each_turn: bool,
        stalled: Callable[[str, str], None],
        asked: Callable[[str], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """`stalled` is told of an instance and why the code cannot go on with it.

        `asked` is told of each app that work is for, `failed` of what is no fault of the code.
        """
        super().__init__(registry, failure_of=failure_of)
        self._replay_each_turn = replay_each_turn
        self._stalled = stalled
        self._asked = asked
        self._failed = failed

    def decide(
        self,
        key: Hashable,
        past_length: int,
        past: Callable[[], Sequence[Event]],
        new: Sequence[Event],
        *,
        lineage: Callable[[], Lineage | None] = lambda: None,
    ) -> Decision | Divergence:
        """Decide a turn, as any replayer does."""
        if self._replay_each_turn:
            # What a crash would bring to light is then seen in every test.
            self.forget(key)
        try:
            decision = super().decide(key, past_length, past, new, lineage=lineage)
        except Exception as error:
            self._failed(error)
            raise
        if isinstance(decision, Divergence):
            self._stalled(decision.instance_id, decision.sentence)
        else:
            for action in decision.actions:
                if action.router is not None and action.router.target_app:
                    self._asked(action.router.target_app)
        return decision
