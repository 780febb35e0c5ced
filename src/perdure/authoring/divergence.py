"""A divergence: the code asks for something else than what its history says it has done."""

from dataclasses import dataclass
from typing import Final, NoReturn

from perdure.core import actions as act
from perdure.core import events as ev

# How the value of a side effect is kept: as the name of a timer that never fires.
SIDE_EFFECT: Final = "perdure.side_effect:"

# The numbers of a timer's origin (behaviour.md, timers of 1.18), as in TimerCreatedEvent.
PLAIN_TIMER: Final = 4
EVENT_TIMER: Final = 5
ACTIVITY_RETRY: Final = 6
CHILD_RETRY: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """Where the code and its history part; nothing is to be done with what it decided."""

    workflow: str
    instance_id: str
    step: int
    recorded: str
    asked: str
    file: str
    line: int

    @property
    def sentence(self) -> str:
        """All of it for people, and what can be done."""
        where = f" at {self.file}:{self.line}" if self.file else ""
        return (
            f"workflow '{self.workflow}' ({self.instance_id}) does not do what its history says: "
            f"step {self.step} was {self.recorded}, and the code asks for {self.asked}{where}. "
            "Deploy code that does what is recorded, and keep what is new behind "
            "`ctx.is_patched(...)` or in a version of its own"
        )


class Diverged(BaseException):
    """Carries a divergence out of workflow code, which must not catch it."""

    def __init__(self, divergence: Divergence) -> None:
        """Keep it."""
        super().__init__(divergence.sentence)
        self.divergence = divergence


# What comes out of code and is no failure of its own: Ctrl-C means the process, and has only come
# while it was running. All else is one, an exit too: it would end process after process.
NOT_OF_THE_CODE: Final = (KeyboardInterrupt, Diverged)


def diverge(divergence: Divergence) -> NoReturn:
    """Stop here."""
    raise Diverged(divergence)


Recorded = ev.TaskScheduled | ev.TimerCreated | ev.ChildCreated | ev.EventSent | ev.DetachedCreated


def told(step: act.Action | Recorded) -> str:
    """Return what an action, or the event that it became, is called for people."""
    words = _CALLED.get(type(step), "")
    if isinstance(step, act.CreateTimer | ev.TimerCreated):
        return _timer(step)
    subject = getattr(step, "name", "") or getattr(step, "instance_id", "")
    return f"{words} '{subject}'" if subject else words


_CALLED: Final[dict[type[object], str]] = {
    act.ScheduleTask: "activity",
    ev.TaskScheduled: "activity",
    act.CreateChild: "child workflow",
    ev.ChildCreated: "child workflow",
    act.SendEvent: "sending event",
    ev.EventSent: "sending event",
    act.CreateDetached: "starting the independent workflow",
    ev.DetachedCreated: "starting the independent workflow",
    act.Complete: "the end of the workflow",
    act.Terminate: "the end of workflow",
    act.VersionNotAvailable: "a version that is not registered",
}


def _timer(timer: act.CreateTimer | ev.TimerCreated) -> str:
    if timer.name is not None and timer.name.startswith(SIDE_EFFECT):
        return "a side effect"
    if timer.awaited_event is not None:
        return f"a wait for event '{timer.awaited_event}'"
    if timer.origin in {ACTIVITY_RETRY, CHILD_RETRY}:
        return "the pause before another attempt"
    return "a timer"


def matches(action: act.Action | None, event: Recorded) -> bool:
    """Tell whether an action is the one that became the event."""
    match event:
        case ev.TaskScheduled():
            return isinstance(action, act.ScheduleTask) and action.name == event.name
        case ev.ChildCreated():
            return isinstance(action, act.CreateChild) and action.name == event.name
        case ev.TimerCreated():
            return isinstance(action, act.CreateTimer) and _kept(action.name) == _kept(event.name)
        case ev.EventSent():
            return isinstance(action, act.SendEvent) and action.name == event.name
        case ev.DetachedCreated():
            return isinstance(action, act.CreateDetached)


def _kept(name: str | None) -> bool:
    return name is not None and name.startswith(SIDE_EFFECT)
