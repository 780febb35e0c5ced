"""Workflow code as an SDK runs it: from the history alone, to the actions of one turn.

Theory of operation. The program runs as a generator that is let go on after each event. What it
schedules is an action under the next id until the history shows that it was decided before; what
it waits for is answered by id, and external events by name, first in, first out and without
regard to case. Actions that no event has met are what this turn decides.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from perdure.base.time import SECOND_US
from perdure.core import events as ev
from perdure.core.status import Status
from perdure.proving import answers
from perdure.proving.programs import Program, parse
from perdure.wire.generated import work_pb2 as pb

Steps = Iterator[None]


class Strayed(Exception):
    """The history shows something else than the program has decided."""


@dataclass(slots=True)
class Later:
    """A result that will come."""

    done: bool = False
    failed: bool = False
    value: str | None = None

    def come(self, value: str | None, *, failed: bool = False) -> None:
        """Take the result."""
        self.done, self.failed, self.value = True, failed, value


@dataclass(frozen=True, slots=True)
class Decided:
    """What a turn came to."""

    actions: tuple[pb.Action, ...]
    custom_status: str | None
    patches: tuple[str, ...]
    version: str | None
    consumed: tuple[str, ...]  # the payloads of external events that the program has taken
    unread: tuple[tuple[str, str | None], ...]
    ended: bool


@dataclass(slots=True)
class Flow:
    """One run of a program over one history. `release` is that of the worker's code."""

    run: Callable[["Flow"], Steps]
    release: int
    program: Program = field(default_factory=lambda: Program(()))
    execution_id: str = ""
    instance_id: str = ""
    now_us: int = 0
    replaying: bool = True
    next_id: int = 0
    pending: dict[int, pb.Action] = field(default_factory=dict)
    laters: dict[int, Later] = field(default_factory=dict)
    waits: dict[str, list[Later]] = field(default_factory=dict)
    unread: list[tuple[str, str | None]] = field(default_factory=list)
    consumed: list[str] = field(default_factory=list)
    known_patches: list[str] = field(default_factory=list)
    patches: list[str] = field(default_factory=list)
    custom_status: str | None = None
    seen: list[str] = field(default_factory=list)
    main: Steps | None = None
    end: pb.Action | None = None
    continues: bool = False

    # ---- what the program asks for

    def _act(self, action: pb.Action) -> Later:
        self.pending[action.id] = action
        later = self.laters[action.id] = Later()
        return later

    def _id(self) -> int:
        self.next_id += 1
        return self.next_id

    def call(self, name: str) -> Later:
        """Schedule an activity."""
        number = self._id()
        return self._act(answers.schedule(number, name, f"{self.execution_id}#{number}"))

    def timer(self, seconds: int, awaited: str | None = None) -> Later:
        """Set a timer."""
        return self._act(answers.timer(self._id(), self.now_us + seconds * SECOND_US, awaited))

    def child(self, named: str, program: str) -> Later:
        """Start a child."""
        number = self._id()
        action = answers.child(number, named)
        action.create_child.input.value = program
        return self._act(action)

    def detach(self, named: str, program: str) -> None:
        """Start an independent workflow."""
        action = answers.detached(self._id(), named)
        action.create_detached.input.value = program
        self._act(action)

    def send(self, target: str, name: str) -> None:
        """Send an event to another instance."""
        number = self._id()
        self._act(answers.send(number, target, name, f"sent {self.execution_id}#{number}"))

    def finish_other(self, target: str) -> None:
        """Terminate another instance; no event shows it, so only a turn that is new does it."""
        number = self._id()
        if not self.replaying:
            self.pending[number] = answers.end_other(number, target)

    def event(self, name: str) -> Later:
        """Wait for an external event."""
        later = Later()
        folded = name.casefold()
        for place, (raised, value) in enumerate(self.unread):
            if raised.casefold() == folded:
                del self.unread[place]
                self._take(later, value)
                return later
        self.waits.setdefault(folded, []).append(later)
        return later

    def patched(self, name: str) -> bool:
        """Tell whether new code runs; what has been decided once stays."""
        if name in self.patches:
            return True
        if name in self.known_patches or not self.replaying:
            self.patches.append(name)
            return True
        return False

    def _take(self, later: Later, value: str | None) -> None:
        later.come(value)
        self.consumed.append(value or "")

    # ---- what the history tells

    def read(self, event: ev.Event) -> None:  # noqa: C901 - one case a kind of event
        """Take one event in, and let the program go on."""
        match event:
            case ev.WorkflowStarted(at_us=at_us, patches=patches):
                self.now_us = at_us
                self.known_patches += patches
                return
            case ev.ExecutionStarted():
                self._begin(event)
            case ev.TaskScheduled():
                self._met(event.event_id, "schedule_task", event.name)
            case ev.TimerCreated():
                self._met(event.event_id, "create_timer", "")
            case ev.ChildCreated():
                self._met(event.event_id, "create_child", event.name)
            case ev.DetachedCreated():
                self._met(event.event_id, "create_detached", "")
            case ev.EventSent():
                self._met(event.event_id, "send_event", "")
            case ev.TaskCompleted() | ev.ChildCompleted():
                self._come(event.task_id, event.result, failed=False)
            case ev.TaskFailed() | ev.ChildFailed():
                self._come(event.task_id, None, failed=True)
            case ev.TimerFired():
                self._come(event.timer_id, "fired", failed=False)
            case ev.EventRaised():
                self._raised(event)
            case _:
                return
        self._go_on()

    def _begin(self, event: ev.ExecutionStarted) -> None:
        self.program = parse(event.input)
        self.execution_id = event.execution_id
        self.instance_id = event.instance_id
        self.main = self.run(self)

    def _go_on(self) -> None:
        if self.main is not None and self.end is None:
            next(self.main, None)

    def _met(self, number: int, kind: str, name: str) -> None:
        action = self.pending.pop(number, None)
        if action is None or action.WhichOneof("kind") != kind:
            raise Strayed(f"action {number} is {kind} in the history, and the program has it not")
        if name and getattr(action, kind).name != name:
            raise Strayed(f"action {number} is of '{name}' in the history, and not in the program")

    def _come(self, number: int, value: str | None, *, failed: bool) -> None:
        later = self.laters.get(number)
        if later is None:
            raise Strayed(f"a result came for action {number}, which the program has not decided")
        if later.done:
            raise Strayed(f"a second result came for action {number}")
        later.come(value, failed=failed)
        self.seen.append(f"{number}:{'!' if failed else ''}{value}")

    def _raised(self, event: ev.EventRaised) -> None:
        waiting = self.waits.get(event.name.casefold())
        if waiting and self.end is None:
            self._take(waiting.pop(0), event.input)
        else:
            self.unread.append((event.name, event.input))

    # ---- what comes of it

    def digest(self) -> str:
        """Return what stands for everything that the program has been told."""
        told = "\n".join((*self.seen, *self.consumed))
        return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()

    def finish(self) -> None:
        """End the program, or this generation of it."""
        number = self._id()
        if self.program.rounds > 0:
            left = Program(self.program.steps, self.program.rounds - 1, self.program.needs)
            self.end = answers.continue_as_new(number, left.text())
            self.continues = True
        else:
            self.end = answers.complete(number, self.digest())

    def fail(self) -> None:
        """End the program as failed."""
        self.end = answers.complete(self._id(), None, Status.FAILED, "on purpose")


def decided(flow: Flow) -> Decided:
    """Return what a flow has decided that the history does not show yet."""
    ending = () if flow.end is None else (flow.end,)
    if flow.end is not None and flow.continues:
        # With all that came and was not taken, what came in the batch of the end too.
        carried = [(name, value or "") for name, value in flow.unread]
        end = flow.end.complete
        ending = (answers.continue_as_new(flow.end.id, end.result.value, carried),)
    return Decided(
        actions=(*flow.pending.values(), *ending),
        custom_status=flow.custom_status,
        patches=tuple(flow.patches),
        version=flow.program.needs or None,
        consumed=tuple(flow.consumed),
        unread=tuple(flow.unread),
        ended=flow.end is not None,
    )
