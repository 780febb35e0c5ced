"""The app in a node's process: its code is asked in place, its activities take simulated time.

It keeps the runs of its workflows as a replayer does, so that what it was told in vain shows if it
is not made to forget. Now and then it leaves, with what it has in hand, and comes back as another
release; meanwhile the work goes to the workers.
"""

from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Final

from perdure.base.errors import ShuttingDown
from perdure.base.time import SECOND_US
from perdure.core.actions import Decision, ScheduleTask, VersionNotAvailable
from perdure.core.events import Event
from perdure.engine.local import Errand, LocalApp
from perdure.engine.service import Engine
from perdure.engine.work import Profile
from perdure.proving import answers
from perdure.proving.flow import Decided, Flow, Strayed, decided
from perdure.proving.images import Image
from perdure.proving.items import ActivityItem, TurnItem, WorkItem
from perdure.proving.loop import SimLoop
from perdure.proving.steps import RELEASE, run
from perdure.wire.actions import decision_of, parse_turn_answer
from perdure.wire.events import encode

_ACTIVITY_FAILS: Final = 0.12
_OLD: Final = 0.2
_NONSENSE: Final = ScheduleTask(id=1, name="twice under one id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchers:
    """Who draws what goes wrong, and who is told of what is done here."""

    happens: Callable[[str], bool]
    calm: Callable[[], bool]  # whether nothing goes wrong any more
    on_out: Callable[[str, Hashable, WorkItem], None]  # by which link, of which history
    on_run: Callable[[str], None]
    on_strayed: Callable[[str, str], None]


@dataclass(slots=True)
class _Kept:
    flow: Flow
    seen: int


@dataclass(slots=True)
class HereApp:
    """What is attached to one life of a node. Its calls come from within that."""

    engine: Engine
    loop: SimLoop
    chance: Random
    watchers: Watchers
    app: LocalApp | None = None
    link: str = ""
    release: int = RELEASE
    _comings: int = 0
    _kept: dict[Hashable, _Kept] = field(default_factory=dict)

    def come(self) -> None:
        """Attach, and leave again after a while."""
        self._comings += 1
        self.link = f"here/{self._comings}"
        old = self.chance.random() < _OLD
        self.release = 1 if old and not self.watchers.calm() else RELEASE
        self._kept.clear()
        with suppress(ShuttingDown):  # the node is stopping meanwhile
            self.app = self.engine.attach(Profile(app_id="app", worker="here"), self)
        self.loop.call_in(self.chance.randrange(20, 200) * SECOND_US, self._leave)

    def _leave(self) -> None:
        app, self.app = self.app, None
        if app is not None:
            app.close()
        away_us = SECOND_US if self.watchers.calm() else self.chance.randrange(1, 20) * SECOND_US
        self.loop.call_in(away_us, self.come)

    # ---- turns

    def decide(
        self,
        key: Hashable,
        past_length: int,
        past: Callable[[], Sequence[Event]],
        new: Sequence[Event],
        propagated: bytes | None,
    ) -> Decision | str:
        del propagated
        kept = self._kept.pop(key, None)
        try:
            if kept is None or kept.seen != past_length:
                kept = _Kept(Flow(run, self.release), past_length)
                for event in past() if past_length else ():
                    kept.flow.read(event)
            kept.flow.replaying = False
            for event in new:
                kept.flow.read(event)
        except Strayed as fault:
            if self.release == RELEASE and kept is not None:
                self.watchers.on_strayed(kept.flow.instance_id, str(fault))
            return str(fault)
        came_to = decided(kept.flow)
        self.watchers.on_out(self.link, key, _turn_item(kept.flow, past_length, new))
        if self.watchers.happens("answer_nonsense"):
            return Decision(actions=(_NONSENSE, _NONSENSE))
        if came_to.version is not None and self.release == 1:
            return Decision(actions=(VersionNotAvailable(id=0),))
        self._keep(key, kept, past_length + len(new))
        return _decision(kept.flow.instance_id, came_to)

    def _keep(self, key: Hashable, kept: _Kept, length: int) -> None:
        pending = kept.flow.pending.values()
        # Ending another instance leaves no event behind.
        kept.seen = length + sum(each.WhichOneof("kind") != "terminate" for each in pending)
        kept.flow.pending.clear()
        if kept.flow.end is None:
            self._kept[key] = kept

    def forget(self, key: Hashable) -> None:
        self._kept.pop(key, None)

    # ---- activities

    def run(self, errand: Errand) -> None:
        scheduled = errand.scheduled
        item = ActivityItem(
            instance_id=errand.instance_id,
            task_id=scheduled.event_id,
            name=scheduled.name,
            input=scheduled.input,
            execution_id=scheduled.execution_id,
            token=errand.token,
            propagated=errand.propagated,
        )
        self.watchers.on_out(self.link, None, item)
        if self.chance.random() < 0.2:  # noqa: PLR2004 - some end before anything else happens
            self._end(errand)
        else:
            self.loop.call_in(self.chance.randrange(1_000, 1_000_000), self._end, errand)

    def _end(self, errand: Errand) -> None:
        told = f"{errand.scheduled.input}={self.chance.getrandbits(32):08x}"
        app = errand.stream
        assert isinstance(app, LocalApp), app
        self.watchers.on_run(told)
        times = 2 if self.watchers.happens("answer_twice") else 1
        fails = self.chance.random() < _ACTIVITY_FAILS
        for _ in range(times):
            if fails:
                app.failed(errand, answers.failure_details(told))
            else:
                app.completed(errand, told)


def _turn_item(flow: Flow, past_length: int, new: Sequence[Event]) -> TurnItem:
    """Return a turn as it would have been sent to a worker that keeps histories."""
    return TurnItem(
        instance_id=flow.instance_id,
        past=(),
        known=(),
        new=tuple(new),
        token="",
        past_bytes=(),
        new_bytes=tuple(encode(event) for event in new),
        cached=past_length,
        execution_id=flow.execution_id,
        propagated=None,
    )


def _decision(instance_id: str, came_to: Decided) -> Decision:
    data = answers.turn_answer(
        instance_id,
        *came_to.actions,
        custom_status=came_to.custom_status,
        patches=came_to.patches or None,
        version=came_to.version,
    )
    return decision_of(parse_turn_answer(data), microsoft=False)


def is_of(image: Image, key: Hashable) -> bool:
    """Tell whether a key names the present history of an instance (`engine.deciding`)."""
    return key == (image.snapshot.identity.execution_id, image.generation)
