"""One run of a workflow's code: what it has asked for, what it waits for, and how it ended.

What the code asks for becomes an action with the next number, and a task under the same number.
While a history is replayed the events of the actions (`authoring.taking`) take them off the list
again; what is left at the end of a turn is what the turn has decided. A run that is kept between
turns decides without a replay: its actions are then taken off because they have been told.
"""

import sys
from collections import deque
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, ParamSpec, TypeAlias, TypeVar

from perdure.authoring.chance import drawn_uuid_text
from perdure.authoring.divergence import PLAIN_TIMER, Diverged
from perdure.authoring.failures import failure_of
from perdure.authoring.foreign import Place, is_ours, place_of
from perdure.authoring.payloads import Typing, read, text_of
from perdure.authoring.recorded import NOTHING_RECORDED
from perdure.authoring.registry import Registry, Workflow
from perdure.authoring.retry import RetryPolicy
from perdure.authoring.strands import Delay, Strand, WorkflowLoop, run_ready
from perdure.authoring.tasks import Task
from perdure.base.time import LATEST_US
from perdure.core import actions as act
from perdure.core.events import Event, EventRaised, Failure
from perdure.core.lineage import Lineage
from perdure.core.status import Status

EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - naive and in UTC, as SDKs have it
_MICROSECOND: Final = timedelta(microseconds=1)
_NO_PATCHES: Final[frozenset[str]] = frozenset()  # each that is made takes 200 bytes

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(slots=True)
class OpenStep:
    """A step whose outcome is awaited: its task, and how it is tried again if it is."""

    task: Task[Any]
    result_type: object | None = None
    action: act.ScheduleTask | act.CreateChild | None = None
    policy: RetryPolicy | None = None
    attempts: int = 1
    retries: "OpenStep | None" = None  # of a pause: what is tried again after it


Waits: TypeAlias = dict[str, list[OpenStep]]  # by the folded name of the event


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the code has ended."""

    status: Status
    result: str | None = None
    failure: Failure | None = None
    saves_events: bool = False


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a run reads what events hold as bytes."""

    failure_of: Callable[[bytes], Failure]
    lineage: Callable[[], Lineage | None]


class Run:
    """See the rules of this file. The attributes are for this room alone."""

    __slots__ = (
        "_now",
        "actions",
        "app_id",
        "applied_patches",
        "arrivals",
        "context",
        "custom_status",
        "diverged",
        "drawn",
        "encountered_patches",
        "history_patches",
        "history_version",
        "instance_id",
        "length",
        "loop",
        "now_us",
        "outcome",
        "places",
        "received",
        "recorded",
        "registry",
        "replaying",
        "root",
        "sequence",
        "sources",
        "stamps",
        "surroundings",
        "suspended",
        "tasks",
        "waits",
        "withheld",
        "workflow",
    )

    def __init__(self, registry: Registry, sources: Sources) -> None:
        """Begin before the first event."""
        self.registry = registry
        self.sources = sources
        # It has every method of a loop, set where the class is made.
        self.loop = WorkflowLoop(self.sleep)  # type: ignore[abstract]
        # Its context variables are its own, for as long as it runs: they begin as in a new thread,
        # whoever it is that starts it or leads it through its history again.
        self.surroundings = Context()
        self.workflow: Workflow | None = None
        self.context: object = None
        self.root: Strand[Any] | None = None
        self.outcome: Outcome | None = None
        self.instance_id = self.app_id = ""
        self.now_us = 0
        self._now: datetime | None = None
        self.sequence = self.drawn = self.stamps = self.arrivals = 0
        self.actions: dict[int, act.Action] = {}
        self.tasks: dict[int, OpenStep] = {}
        self.waits: Waits = {}
        self.received: dict[str, deque[tuple[int, EventRaised]]] = {}
        self.custom_status: str | None = None
        self.history_version: str | None = None
        self.history_patches = _NO_PATCHES
        self.applied_patches: dict[str, bool] = {}
        self.encountered_patches: list[str] = []
        self.diverged: Diverged | None = None  # should the code have caught it
        self.suspended = False
        self.withheld: list[Event] = []
        self.replaying = False
        self.places: dict[int, Place] = {}
        self.recorded = NOTHING_RECORDED  # what is at hand of the history, in a replay
        self.length = 0

    @property
    def typing(self) -> Typing:
        """How far annotations are followed in reading results."""
        return Typing.DAPR if self.workflow is None else self.workflow.typing

    def now(self) -> datetime:
        """The time of the turn, in UTC and naive."""
        if self._now is None:
            self._now = EPOCH + timedelta(microseconds=self.now_us)
        return self._now

    def turn_began(self, at_us: int) -> None:
        """Set the workflow's clock."""
        self.now_us = at_us
        self._now = None

    def next_id(self) -> int:
        """Return the number of the next step.

        Raises RuntimeError for code that is being let go of: its `finally` is no step of it.
        """
        if self.loop.let_go:
            raise RuntimeError("this code is let go of, and goes on elsewhere: it asks for nothing")
        self.sequence += 1
        return self.sequence

    def next_execution_id(self) -> str:
        """Draw the id of a call."""
        text = drawn_uuid_text(self.instance_id, self.now(), self.drawn)
        self.drawn += 1
        return text

    def ask(self, action: act.Action, step: OpenStep | None = None) -> None:
        """Note what the code asks for, and what it will be told of it."""
        self.actions[action.id] = action
        if step is not None:
            self.tasks[action.id] = step
        if self.replaying:
            self.places[action.id] = _caller()

    def sleep(self, delay: Delay) -> Task[None]:
        """Set a durable timer. Seconds and timedeltas count from now, moments are in UTC."""
        return self.timer(self.moment_us(delay), PLAIN_TIMER).task

    def timer(
        self, fire_at_us: int, origin: int, origin_bytes: bytes = b"", awaited: str | None = None
    ) -> OpenStep:
        """Set a durable timer of an origin."""
        step = OpenStep(Task())
        action = act.CreateTimer(
            id=self.next_id(),
            fire_at_us=fire_at_us,
            origin=origin,
            origin_bytes=origin_bytes,
            awaited_event=awaited,
        )
        self.ask(action, step)
        return step

    def moment_us(self, delay: Delay) -> int:
        """Return the moment that is meant, in microseconds."""
        if isinstance(delay, datetime):
            aware = delay.utcoffset() is not None
            moment = delay.astimezone(UTC).replace(tzinfo=None) if aware else delay
            return min((moment - EPOCH) // _MICROSECOND, LATEST_US)
        after = delay if isinstance(delay, timedelta) else timedelta(seconds=delay)
        return min(self.now_us + after // _MICROSECOND, LATEST_US)

    def settle(self, step: OpenStep, text: str | None) -> None:
        """Complete a step with the text of its result; one that cannot be read fails it."""
        try:
            value = read(text, step.result_type, self.typing)
        except Exception as error:  # noqa: BLE001 - the author's class is made, and may refuse
            step.task.fail(error)
        else:
            step.task.succeed(value)

    def begin(self, steps: Any) -> None:
        """Have the code run up to its first wait."""
        self.root = Strand(self.loop, steps)
        self.root.watch(self._on_end)

    def advance(self) -> None:
        """Let the code go on as far as it can."""
        run_ready(self.loop)

    def _on_end(self, root: Task[Any]) -> None:
        self.loop.stopped = True
        if self.outcome is None:
            if root.is_failed:
                self.end_failed(root.get_exception())
            else:
                self.end_well(root.get_result())

    def end_well(self, result: object) -> None:
        """The code has returned."""
        try:
            text = text_of(result)
        except Exception as error:  # noqa: BLE001 - the author's class tells itself, or does not
            self.end_failed(error)
        else:
            self.end(Outcome(Status.COMPLETED, text))

    def end_failed(self, error: BaseException) -> None:
        """The code has raised, or could not be run."""
        self.end(Outcome(Status.FAILED, failure=failure_of(error)))

    def end(self, outcome: Outcome) -> None:
        """Keep the first outcome; nothing that was asked for and not told is done any more."""
        self.loop.stopped = True
        if self.outcome is None:
            self.outcome = outcome
            self.actions.clear()

    def place(self) -> Place:
        """Return where the code is: the line at which it waits, or else that of its function."""
        place = place_of(self.root.steps) if self.root is not None else ("", 0)
        if place[0] or self.workflow is None:
            return place
        code = getattr(self.workflow.function, "__code__", None)
        return ("", 0) if code is None else (code.co_filename, code.co_firstlineno)

    def running_at(self) -> Place:
        """Return the line of workflow code that is being run."""
        return _caller()

    def within(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call what calls the author's code, in the surroundings of this workflow.

        An asynchronous generator that it leaves ends there and then, and not whenever the loop of
        the process comes to it.
        """
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(None, None)
        try:
            return self.surroundings.run(function, *args, **kwargs)
        finally:
            sys.set_asyncgen_hooks(*hooks)

    def close(self) -> None:
        """End the code where it waits; what it does thereupon is nobody's business.

        What refers to the run in turn is let go of, or the garbage collector would have to find it.
        """
        if not self.loop.let_go:
            self.within(self.loop.close_strands)
            self.context = self.root = None
            del self.loop.timer


def _caller() -> Place:
    frame = sys._getframe(2)  # noqa: SLF001 - there is no other way to a line number
    while frame.f_back is not None and is_ours(frame.f_code):
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno)
