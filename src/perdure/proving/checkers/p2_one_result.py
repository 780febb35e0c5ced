"""P2: a scheduled activity has at most one recorded result, and it is one that was made for it."""

from collections import Counter

from perdure.core.events import (
    ChildCompleted,
    ChildFailed,
    Event,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TimerCreated,
    TimerFired,
)
from perdure.proving.checkers.base import Checker
from perdure.proving.disk import Commit
from perdure.proving.images import Image, event_of
from perdure.wire.fields import failure_bytes, parse_failure


class OneResult(Checker):
    """Whatever is told twice counts once, and for its own life and generation alone."""

    promise = "P2"

    def landed(self, commit: Commit) -> None:
        for change in commit.changes:
            if change.after is not None and change.after.key not in self.auditor.tainted:
                self._look(change.after)
                self._in_time(change.before, change.after)

    def _in_time(self, before: Image | None, after: Image) -> None:
        """A timer that has just fired was due by the engine's own clock."""
        known = set() if before is None else {row.seq for row in before.inbox}
        for row in after.inbox:
            event = event_of(row.add.event)
            if row.seq in known or not isinstance(event, TimerFired):
                continue
            if event.fire_at_us > self.auditor.clock_us():
                self.accuse(f"a timer of '{after.instance_id}' fired before its time")

    def _look(self, image: Image) -> None:
        past = image.past()
        unread = [
            event_of(row.add.event)
            for row in image.inbox
            if row.add.generation in {0, image.generation}
        ]
        results = Counter(name for event in past if (name := _resolved(event)) is not None)
        for name, count in results.items():
            if count > 1:
                self.accuse(f"{name} of '{image.instance_id}' has {count} results in its history")
        waiting = Counter(name for event in unread if (name := _resolved(event)) is not None)
        for name, count in waiting.items():
            if count > 1 or name in results:
                self.accuse(f"{name} of '{image.instance_id}' has a second result in its inbox")
        self._authentic(image, past, unread)

    def _authentic(self, image: Image, past: list[Event], unread: list[Event]) -> None:
        wanted = {
            event.event_id: event.input or "" for event in past if isinstance(event, TaskScheduled)
        }
        timers = {
            event.event_id: event.fire_at_us for event in past if isinstance(event, TimerCreated)
        }
        for event in (*past, *unread):
            match event:
                case TaskCompleted() | TaskFailed():
                    told = _told(event)
                    given = wanted.get(event.task_id)
                    if given is None or told.rpartition("=")[0] != given:
                        text = f"activity {event.task_id} of '{image.instance_id}' was given"
                        self.accuse(f"{text} {given!r} and has the result {told!r}")
                    elif told not in self.auditor.results_made:
                        self.accuse(f"the result {told!r} is on disk and no worker has made it")
                case TimerFired() if timers.get(event.timer_id) != event.fire_at_us:
                    self.accuse(f"'{image.instance_id}' has a timer fired that it never set")
                case _:
                    pass


def _resolved(event: Event) -> tuple[str, int] | None:
    match event:
        case TaskCompleted() | TaskFailed():
            return "activity", event.task_id
        case ChildCompleted() | ChildFailed():
            return "child", event.task_id
        case TimerFired():
            return "timer", event.timer_id
        case _:
            return None


def _told(event: TaskCompleted | TaskFailed) -> str:
    if isinstance(event, TaskCompleted):
        return event.result or ""
    failure = failure_bytes(event.failure)
    return "" if failure is None else parse_failure(failure).message
