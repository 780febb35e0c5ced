"""A piece of work that an activity of Temporal's has for a worker, and how it may end badly."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from perdure.base.errors import PerdureError
from perdure.base.observer import Activity, Subject
from perdure.engine.dispatcher import Work, WorkStream
from perdure.engine.losses import Losses

TURN_PAIR: Final = -1


class WorkersGone(PerdureError):
    """No worker of the app is connected here: another process of the bridge may have one."""


class TooLarge(PerdureError):
    """No message can carry the work item."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A worker's answer as it came, and whether it speaks Microsoft's dialect."""

    data: bytes
    microsoft: bool


@dataclass(slots=True, eq=False)
class Job:
    """One piece of work; `answer` is set once."""

    kind: Work
    pair: tuple[str, int]  # the instance and the activity's id, or TURN_PAIR
    subject: Subject
    make_item: Callable[[WorkStream, str], bytes]  # raises TooLarge
    activity: Activity | None = None
    answer: "asyncio.Future[Answered]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    since_us: int = 0
    handed_out_at_us: int = 0
    token: str = ""
    stream: WorkStream | None = None
    losses: Losses = field(default_factory=Losses)
    faults: int = 0

    @property
    def app_id(self) -> str:
        """The app whose worker is to do it."""
        return self.subject.app_id

    @property
    def name(self) -> str:
        """The workflow type, or the activity's name, by which it may be limited."""
        return self.subject.name if self.activity is None else self.activity.name
