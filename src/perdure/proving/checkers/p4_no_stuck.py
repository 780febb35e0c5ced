"""P4: whatever is unfinished has something that will move it, on disk, from the same commit on."""

from collections.abc import Iterable, Iterator

from perdure.base.time import is_never
from perdure.core.events import (
    ChildCompleted,
    ChildFailed,
    Event,
    TaskCompleted,
    TaskFailed,
    TimerFired,
)
from perdure.core.state import State
from perdure.proving.checkers.base import Checker
from perdure.proving.disk import Commit
from perdure.proving.images import Image, event_of
from perdure.proving.node import Node


class NoStuckRun(Checker):
    """State and wake-up are saved together, so that neither is there without the other."""

    promise = "P4"

    def landed(self, commit: Commit) -> None:
        for change in commit.changes:
            if change.after is not None and not change.after.finished:
                self._awaits_what_will_come(change.after)
            elif change.before is not None and change.before.snapshot.identity.parent_key:
                self._parent_is_told(change.before)
        for row in self.images.stuck():
            self.accuse(f"nothing will ever move '{row}'")

    def _parent_is_told(self, child: Image) -> None:
        parent = self.images.by_key.get(child.snapshot.identity.parent_key or 0)
        if parent is not None and not parent.finished:
            self._awaits_what_will_come(parent)

    def _awaits_what_will_come(self, image: Image) -> None:
        if image.key in self.auditor.tainted:
            return
        state = image.state()
        come = set(_come(image))
        for what, missing in (
            ("activity", _without_task(image, state, come)),
            ("timer", _without_timer(image, state, come)),
            ("child", self._without_child(image, state, come)),
        ):
            for number in missing:
                self.accuse(f"'{image.instance_id}' awaits {what} {number}, and nothing runs it")
        self._nothing_is_left_over(image, state)

    def _without_child(
        self, image: Image, state: State, come: set[tuple[str, int]]
    ) -> Iterator[int]:
        running = {
            child.snapshot.identity.parent_task_id
            for key in self.auditor.children.get(image.key, ())
            if (child := self.images.by_key.get(key)) is not None
            and not child.finished
            and child.snapshot.identity.parent_generation == image.generation
        }
        for number in state.open_children:
            if number not in running and ("child", number) not in come:
                yield number

    def _nothing_is_left_over(self, image: Image, state: State) -> None:
        for row in image.timers:
            started = row.timer_id < 0 and row.generation == 0
            if not started and (
                row.generation != image.generation or row.timer_id not in state.open_timers
            ):
                self.accuse(f"'{image.instance_id}' keeps timer {row.timer_id} for nothing")

    def ended(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            busy = {name: count for name, count in node.engine.figures().items() if count}
            for name in ("streams", "residents"):
                busy.pop(name, None)
            if busy:
                self.accuse(f"everything has finished, and {node.name} has still {busy}")


def _without_task(image: Image, state: State, come: set[tuple[str, int]]) -> Iterator[int]:
    running = {
        row.add.task_id for row in image.open_tasks if row.add.generation == image.generation
    }
    for number in state.open_tasks:
        if (number in running) == (("activity", number) in come):
            yield number


def _without_timer(image: Image, state: State, come: set[tuple[str, int]]) -> Iterator[int]:
    running = {row.timer_id for row in image.timers if row.generation == image.generation}
    for number, timer in state.open_timers.items():
        if is_never(timer.fire_at_us):
            continue
        if (number in running) == (("timer", number) in come):
            yield number


def _come(image: Image) -> Iterator[tuple[str, int]]:
    for row in image.inbox:
        if row.add.generation in {0, image.generation}:
            event: Event = event_of(row.add.event)
            match event:
                case TaskCompleted() | TaskFailed():
                    yield "activity", event.task_id
                case TimerFired():
                    yield "timer", event.timer_id
                case ChildCompleted() | ChildFailed():
                    yield "child", event.task_id
                case _:
                    pass
