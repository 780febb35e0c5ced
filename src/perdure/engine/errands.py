"""Activities that run in this process: begun, noted, and landed with the turn they bring about."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from perdure.core.events import AnyFailure, TaskCompleted, TaskFailed
from perdure.engine.deciding import LocalTurns
from perdure.engine.ground import Ground
from perdure.engine.local import Errand, LocalApp
from perdure.engine.queueing import Task, TaskOut
from perdure.engine.reports import activity_of
from perdure.engine.results import TaskResult, arrival_of
from perdure.store.port import Entry

# An activity that has not ended by then has its hand-out noted on disk; a shorter one has it noted
# with its end.
_NOTE_AFTER_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class TaskDealings:
    """What is done with activities by whoever has them all."""

    went_out: Callable[[TaskOut], None]
    land: Callable[[TaskOut, TaskResult], object]
    landed: Callable[[TaskOut, TaskResult], None]
    drop: Callable[[TaskOut, str], None]  # take it back, and say why its result counts for nothing
    again: Callable[[TaskOut], None]  # take it back and hand it out once more


class Errands:
    """Begins activities here and takes their ends."""

    def __init__(self, ground: Ground, turns: LocalTurns, dealings: TaskDealings) -> None:
        """Land by `turns` what can be, and by `dealings` what goes by itself."""
        self._clock = ground.clock
        self._observer = ground.observer
        self._settings = ground.settings
        self._landing = ground.landing
        self._turns = turns
        self._dealings = dealings
        self._loop = asyncio.get_running_loop()
        self._count = 0
        self._fresh: list[Errand] = []
        self._older: list[Errand] = []

    def begin(self, task: Task, app: LocalApp) -> None:
        """Begin an activity whose cause is on disk."""
        now_us = self._clock.now_us()
        task.attempts += 1
        self._count += 1
        errand = Errand(task, app, f"here {self._count}", now_us)
        self._dealings.went_out(errand)
        if not self._fresh and not self._older:
            self._loop.call_later(_NOTE_AFTER_S, self._note)
        self._fresh.append(errand)
        activity = activity_of(task.scheduled, task.add.app_id, task.attempts)
        subject = task.subject(self._settings.app_id)
        waited_us = max(0, now_us - task.add.scheduled_at_us)
        self._observer.activity_handed_out(subject, activity, waited_us=waited_us)
        app.work.run(errand)

    def _note(self) -> None:
        """Note on disk what has been out for a while."""
        for errand in self._older:
            if not errand.landing:
                self._note_now(errand)
        self._older, self._fresh = self._fresh, []
        if self._older:
            self._loop.call_later(_NOTE_AFTER_S, self._note)

    def _note_now(self, errand: Errand) -> None:
        note = errand.unnoted
        if note is not None:
            errand.noted = True
            task = errand.task
            self._landing.note(Entry(key=task.key, term=task.term, handed_out=(note,)))

    # ---- their ends

    def completed(self, errand: Errand, result: str | None) -> None:
        """Take a result (see `engine.local`)."""
        scheduled = errand.task.scheduled
        self._ended(
            errand,
            TaskCompleted(
                at_us=self._clock.now_us(),
                task_id=scheduled.event_id,
                result=result,
                execution_id=scheduled.execution_id,
            ),
        )

    def failed(self, errand: Errand, failure: AnyFailure) -> None:
        """Take a failure (see `engine.local`)."""
        scheduled = errand.task.scheduled
        self._ended(
            errand,
            TaskFailed(
                at_us=self._clock.now_us(),
                task_id=scheduled.event_id,
                failure=failure,
                execution_id=scheduled.execution_id,
            ),
        )

    def abandoned(self, errand: Errand) -> None:
        """Have an activity run once more (see `engine.local`)."""
        if self._is_over(errand):
            return
        errand.told = errand.landing = True
        self._note_now(errand)
        self._dealings.again(errand)

    def _is_over(self, errand: Errand) -> bool:
        return errand.told or errand.stream.closed

    def _ended(self, errand: Errand, result: TaskResult) -> None:
        if self._is_over(errand):
            self._observer.late_completion_dropped(
                "activity", instance_id=errand.instance_id, reason="it is not outstanding"
            )
            return
        errand.told = True
        if errand.void:
            self._dealings.drop(errand, "its instance is gone")
            return
        errand.landing = True
        task = errand.task
        arrival = arrival_of(
            errand,
            result,
            landed=lambda: self._dealings.landed(errand, result),
            alone=lambda _: self._dealings.land(errand, result),
        )
        if not self._turns.arrive(task.key, arrival, task.term):
            self._dealings.land(errand, result)
