"""What looks like a clock, chance or the outside, and is the same in every replay."""

import random
import string
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from perdure.authoring.chance import drawn_uuid, seeded
from perdure.authoring.divergence import PLAIN_TIMER, SIDE_EFFECT, Diverged, Divergence, told
from perdure.authoring.payloads import Typing, read, signature_of, to_json
from perdure.authoring.run import Run
from perdure.base.time import LATEST_US
from perdure.core import actions as act
from perdure.core import events as ev

P = ParamSpec("P")
T = TypeVar("T")

_LETTERS = string.ascii_letters + string.digits
_INT_MAX = 2**31 - 1


class Determinism:
    """The part of a workflow's context that stands in for what a workflow must not use."""

    __slots__ = ("_run",)

    def __init__(self, run: Run) -> None:
        """Speak for a run."""
        self._run = run

    @property
    def current_utc_datetime(self) -> datetime:
        """The time of the present turn, in UTC and naive, as Dapr's SDK has it."""
        return self._run.now()

    def now(self) -> datetime:
        """Return the time of the present turn, in UTC and naive."""
        return self._run.now()

    def now_with_sequence(self) -> datetime:
        """Return the time of the turn, each time a microsecond later."""
        stamps = self._run.stamps
        self._run.stamps += 1
        return self._run.now() + timedelta(microseconds=stamps)

    def current_utc_datetime_with_sequence(self) -> datetime:
        """Return the same, by its other name."""
        return self.now_with_sequence()

    def uuid4(self) -> UUID:
        """Return a new id, which is the same in every replay."""
        run = self._run
        run.drawn += 1
        return drawn_uuid(run.instance_id, run.now(), run.drawn - 1)

    def new_guid(self) -> UUID:
        """Return the same, by its other name."""
        return self.uuid4()

    def random(self) -> random.Random:
        """Return a source of numbers that follow from the instance and the time of the turn.

        Ask once a turn and keep it: asked again at the same time it begins anew.
        """
        return seeded(self._run.instance_id, self._run.now())

    def random_string(self, length: int, *, alphabet: str | None = None) -> str:
        """Return letters by chance. Raises ValueError for a negative length or no alphabet."""
        letters = _LETTERS if alphabet is None else alphabet
        if length < 0:
            raise ValueError("length must be non-negative")
        if not letters:
            raise ValueError("alphabet must not be empty")
        chance = self.random()
        return "".join(letters[chance.randrange(0, len(letters))] for _ in range(length))

    def random_int(self, min_value: int = 0, max_value: int = _INT_MAX) -> int:
        """Return a number by chance, both ends included. Raises ValueError without one between."""
        if min_value > max_value:
            raise ValueError("min_value must be <= max_value")
        return self.random().randint(min_value, max_value)

    def random_choice(self, sequence: Sequence[T]) -> T:
        """Return an element by chance. Raises IndexError of an empty sequence."""
        if not sequence:
            raise IndexError("Cannot choose from empty sequence")
        return self.random().choice(sequence)

    def side_effect(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function once and remember what it returned, as JSON, for every replay.

        It is for what is quick and may be repeated: if the process dies before the turn is on
        disk, the function is called again. Anything that acts on the world is an activity.
        """
        run = self._run
        number = run.next_id()
        text = self._recorded(number)
        if text is None:
            text = to_json(function(*args, **kwargs))
        run.ask(
            act.CreateTimer(
                id=number, fire_at_us=LATEST_US, origin=PLAIN_TIMER, name=SIDE_EFFECT + text
            )
        )
        found: Any = read(text, signature_of(function).output_type, Typing.FULL)
        return found  # type: ignore[no-any-return]  # what `function` is annotated to return

    def _recorded(self, number: int) -> str | None:
        """Return what the history has for a step, or None if it does not have the step."""
        run = self._run
        event = run.recorded.step(number)
        if event is None:
            return None
        if isinstance(event, ev.TimerCreated) and (event.name or "").startswith(SIDE_EFFECT):
            return (event.name or "").removeprefix(SIDE_EFFECT)
        run.diverged = Diverged(self._divergence(number, told(event)))
        raise run.diverged

    def _divergence(self, number: int, recorded: str) -> Divergence:
        run = self._run
        file, line = run.running_at()
        return Divergence(
            workflow=run.workflow.name if run.workflow is not None else "",
            instance_id=run.instance_id,
            step=number,
            recorded=recorded,
            asked="a side effect",
            file=file,
            line=line,
        )
