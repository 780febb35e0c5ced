"""An app in the engine's process, in script: code decides from records, activities wait in hand."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Self

from perdure.core.actions import Action, Complete, Decision, ScheduleTask, Terminate
from perdure.core.events import Event, TaskCompleted
from perdure.core.status import Status
from perdure.engine.local import Errand, LocalApp
from perdure.engine.work import Profile
from tests.kit.house import APP, House

# What a workflow decides, given all that it knows and what of that is new.
Code = Callable[[Sequence[Event], Sequence[Event]], Iterable[Action] | str]


class LocalScript:
    """One attached app. It keeps histories as a replayer does, and says when it was asked anew."""

    app: LocalApp

    def __init__(self, code: Code) -> None:
        self.code = code
        self.errands: list[Errand] = []
        self.echoes = False  # whether activities end as soon as they begin
        self.asked: list[tuple[Event, ...]] = []
        self.replays = 0
        self.forgotten: list[Hashable] = []
        self._seen: dict[Hashable, tuple[int, tuple[Event, ...]]] = {}

    @classmethod
    def attach(cls, house: House, code: Code, app_id: str = APP) -> Self:
        """Attach code to a house's engine."""
        script = cls(code)
        script.app = house.engine.attach(Profile(app_id=app_id, worker="here"), script)
        return script

    def decide(
        self,
        key: Hashable,
        past_length: int,
        past: Callable[[], Sequence[Event]],
        new: Sequence[Event],
        propagated: bytes | None,
    ) -> Decision | str:
        del propagated  # no code of these tests looks at it
        length, known = self._seen.get(key, (0, ()))
        if length != past_length:
            self.replays += 1
            known = tuple(past())
            assert len(known) == past_length, "the past is as long as it is said to be"
        self.asked.append(tuple(new))
        known = (*known, *new)
        decided = self.code(known, new)
        if isinstance(decided, str):
            return decided
        actions = tuple(decided)
        recorded = sum(not isinstance(action, Terminate) for action in actions)
        self._seen[key] = (past_length + len(new) + recorded, known)
        return Decision(actions=actions)

    def forget(self, key: Hashable) -> None:
        self.forgotten.append(key)
        self._seen.pop(key, None)

    def run(self, errand: Errand) -> None:
        if self.echoes:
            self.app.completed(errand, errand.scheduled.input)
        else:
            self.errands.append(errand)

    def finish(self, *results: str) -> None:
        """End the activities that have waited longest, one with each result, all at once."""
        for result in results:
            self.app.completed(self.errands.pop(0), result)


def task(number: int, name: str = "act", text: str | None = None, execution_id: str = "") -> Action:
    return ScheduleTask(id=number, name=name, input=text, execution_id=execution_id)


def done(number: int = 99, result: str | None = None) -> Action:
    return Complete(id=number, status=Status.COMPLETED, result=result)


def tasks_then_done(count: int) -> Code:
    """Return code that runs activities side by side, and ends with their results."""

    def code(known: Sequence[Event], new: Sequence[Event]) -> Iterable[Action]:
        results = [event.result or "" for event in known if isinstance(event, TaskCompleted)]
        if len(known) == len(new):
            return [task(number + 1, text=str(number)) for number in range(count)]
        return [done(result=" ".join(results))] if len(results) == count else []

    return code


hello = tasks_then_done(1)
