"""What readers may know of an instance beyond its status: above all, what it waits for."""

from enum import StrEnum

from perdure.base.time import is_never
from perdure.core.state import State


class Wait(StrEnum):
    """What has to come before an instance moves on. It is stored with every turn."""

    TURN = "turn"
    ACTIVITY = "activity"
    CHILD = "child"
    TIMER = "timer"
    EVENT = "event"
    START_TIME = "start time"
    NOTHING = "nothing"


def waits_for(state: State) -> Wait:
    """Return what an instance waits for once its inbox is empty.

    An instance with nothing outstanding can only be waiting for an event: older SDKs wait for
    one without telling the server. A suspension and a stall are told by their own flags.
    """
    if state.finished:
        return Wait.NOTHING
    if state.started is None:
        return Wait.TURN
    if state.open_tasks:
        return Wait.ACTIVITY
    if state.open_children:
        return Wait.CHILD
    if any(not is_never(t.fire_at_us) for t in state.open_timers.values() if not t.awaited_event):
        return Wait.TIMER
    return Wait.EVENT


def next_wake_us(state: State) -> int | None:
    """Return the moment of the earliest timer that will fire, if there is one."""
    if not state.open_timers or state.finished:
        return None
    moments = [t.fire_at_us for t in state.open_timers.values() if not is_never(t.fire_at_us)]
    return min(moments, default=None)
