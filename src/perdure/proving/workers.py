"""Simulated workers: processes with one stream each, that run programs and activities.

A worker answers after a while, in whatever order that comes to. It may be of an old release that
lacks a patch or a version, may not echo tokens, may keep histories, and may speak Microsoft's
dialect, which knows no patches. What it has in hand is gone when it dies.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from perdure.base.time import SECOND_US
from perdure.core.events import Event
from perdure.engine.work import Dialect, Profile, Stream
from perdure.proving import answers
from perdure.proving.flow import Decided, Strayed
from perdure.proving.items import ActivityItem, TurnItem, parsed
from perdure.proving.loop import SimLoop
from perdure.proving.steps import decide
from perdure.wire.generated.work_pb2 import Action

_ACTIVITY_FAILS: Final = 0.12
_KEPT_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Make:
    """What kind of worker it is."""

    release: int
    echoes: bool
    stateful: bool
    turns_max: int | None
    activities_max: int | None
    speaks: Dialect = Dialect.DAPR
    says: Dialect = Dialect.DAPR  # as it opens its stream; it may leave it UNDECIDED

    @property
    def is_microsofts(self) -> bool:
        """Whether it is of Microsoft's family."""
        return self.speaks is Dialect.MICROSOFT


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker has to tell of an item."""

    item: TurnItem | ActivityItem
    data: bytes
    decided: Decided | None  # of a turn


class SimWorker:
    """One worker process at a time over one link; it is also the worker's end of the link."""

    stream: Stream | None

    def __init__(self, name: str, make: Make, loop: SimLoop, chance: Random) -> None:
        """Whoever composes the world sets the callbacks, and connects it."""
        self.name = name
        self.make = make
        self.alive = True
        self.stream = None
        self.in_hand = 0
        self.on_answer: Callable[[SimWorker, Answer], None]
        self.on_run: Callable[[str], None]
        self.on_strayed: Callable[[SimWorker, TurnItem, str], None]
        self.on_ended: Callable[[SimWorker], None]
        self.arrives: Callable[[SimWorker, Callable[[], None]], None]
        self._loop = loop
        self._chance = chance
        self._kept: dict[str, tuple[Event, ...]] = {}

    def profile(self) -> Profile:
        """Return what it says of itself."""
        return Profile(
            app_id="app",
            worker=self.name,
            dialect=self.make.says,
            turns_max=self.make.turns_max,
            activities_max=self.make.activities_max,
            stateful_history=self.make.stateful,
        )

    # ---- the stream

    def deliver(self, stream: Stream, item: bytes) -> None:
        """Take an item in when it has come over the network."""
        self.arrives(self, lambda: self._take(item) if self.stream is stream else None)

    def ended(self, stream: Stream) -> None:
        """Learn that the server's end is gone, when the network tells."""
        self.arrives(self, lambda: self._ended() if self.stream is stream else None)

    def begin(self) -> None:
        """Begin with a stream that has just been opened."""
        self._kept.clear()

    def _ended(self) -> None:
        self.stream = None
        if self.alive:
            self.on_ended(self)

    # ---- work

    def _take(self, data: bytes) -> None:
        if not self.alive:
            return
        item = parsed(data)
        if isinstance(item, TurnItem):
            item = self._remembering(item)
        self.in_hand += 1
        self._loop.outside(self._takes_us(item), self._finish, item)

    def _remembering(self, item: TurnItem) -> TurnItem:
        kept = self._kept.pop(item.instance_id, ())[: item.cached or 0]
        if len(kept) != (item.cached or 0):
            self.on_strayed(self, item, "what it was never sent is left out of its history")
        known = (*kept, *item.past)
        if self.make.stateful:
            self._kept[item.instance_id] = known
            if len(self._kept) > _KEPT_MAX:
                del self._kept[next(iter(self._kept))]
        return replace(item, known=known)

    def _takes_us(self, item: TurnItem | ActivityItem) -> int:
        chance = self._chance
        if isinstance(item, TurnItem):
            return chance.randrange(1_000, 50_000)
        if chance.random() < 0.02:  # noqa: PLR2004 - now and then one is long
            return chance.randrange(30, 300) * SECOND_US
        return chance.randrange(1_000, 2_000_000)

    def _finish(self, item: TurnItem | ActivityItem) -> None:
        if not self.alive:
            return
        self.in_hand -= 1
        answer = self._decide(item) if isinstance(item, TurnItem) else self._run(item)
        if answer is not None:
            self.on_answer(self, answer)

    def _decide(self, item: TurnItem) -> Answer | None:
        token = item.token if self.make.echoes else ""
        try:
            decided = decide(item.known, item.new, self.make.release)
        except Strayed as fault:
            if self.make.release > 1:
                self.on_strayed(self, item, str(fault))
                return None
            # Old code on a history of new code: it consults no patch, and knows nothing of this.
            return Answer(item, self._turn_answer(item, token=token), None)
        if decided.version is not None and self.make.release == 1:
            data = self._turn_answer(item, answers.no_such_version(), token=token)
            return Answer(item, data, None)
        data = self._turn_answer(
            item,
            *decided.actions,
            token=token,
            custom_status=decided.custom_status,
            patches=decided.patches or None,
            version=decided.version,
        )
        return Answer(item, data, decided)

    def _turn_answer(self, item: TurnItem, *actions: Action, token: str, **told: Any) -> bytes:
        data = answers.turn_answer(item.instance_id, *actions, token=token, **told)
        return answers.traced(data, self._chance) if self.make.is_microsofts else data

    def _run(self, item: ActivityItem) -> Answer:
        token = item.token if self.make.echoes else ""
        told = f"{item.input}={self._chance.getrandbits(32):08x}"
        fails = self._chance.random() < _ACTIVITY_FAILS
        data = answers.activity_answer(
            item.instance_id,
            item.task_id,
            token=token,
            result=None if fails else told,
            failure=told if fails else None,
        )
        self.on_run(told)
        return Answer(item, data, None)

    def nonsense(self, item: TurnItem) -> bytes:
        """Return an answer that breaks the protocol."""
        first = max([event.event_id for event in item.known], default=0) + 1
        twice = (answers.schedule(first), answers.schedule(first))
        token = item.token if self.make.echoes else ""
        return answers.turn_answer(item.instance_id, *twice, token=token)
