"""Rows of an entry: additions to inboxes, births, messages; and those that effects come to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace

from perdure.base.records import dataclass
from perdure.base.time import is_never
from perdure.core import effects as fx
from perdure.core.events import (
    Event,
    ExecutionStarted,
    ExecutionTerminated,
    PropagationScope,
)
from perdure.core.kinds import KIND_OF
from perdure.core.status import Status
from perdure.core.views import Wait
from perdure.engine.residents import Resident
from perdure.store.port import (
    START_TIMER_ID,
    Birth,
    Head,
    Identity,
    InboxAdd,
    LifecycleAdd,
    Message,
    TaskAdd,
    TimerAdd,
    TimerEnd,
)
from perdure.wire.events import encode

Propagate = Callable[[PropagationScope], bytes | None]


def inbox_add(event: Event, *, generation: int = 0, rank: int = 1) -> InboxAdd:
    """Return an event as an addition to an inbox."""
    return InboxAdd(KIND_OF[type(event)], encode(event), generation, rank)


def lifecycle(kind: str, at_us: int, identity: Identity) -> LifecycleAdd:
    """Return a row of the lifecycle table."""
    return LifecycleAdd(kind, at_us, identity.instance_id, identity.name)


def birth(
    started: ExecutionStarted,
    *,
    app_id: str,
    now_us: int,
    parent: tuple[int, int] | None = None,
    propagated: bytes | None = None,
    if_taken: InboxAdd | None = None,
) -> Birth:
    """Return the birth of an instance that waits for its first turn, or for its start time.

    `parent` is the key and generation of the instance that awaits its result.
    """
    link = started.parent
    identity = Identity(
        instance_id=started.instance_id,
        name=started.name,
        app_id=app_id,
        execution_id=started.execution_id,
        version=started.version,
        born_at_us=now_us,
        scheduled_start_us=started.scheduled_start_us,
        parent_key=None if parent is None else parent[0],
        parent_id=None if link is None else link.instance_id,
        parent_app_id=None if link is None else link.app_id,
        parent_generation=0 if parent is None else parent[1],
        parent_task_id=-1 if link is None else link.task_id,
        tags=started.tags,
        propagated=propagated,
    )
    start_us = started.scheduled_start_us
    held = start_us is not None and start_us > now_us
    head = Head(
        phase=int(Status.PENDING),
        created_at_us=started.at_us,
        updated_at_us=started.at_us,
        waits_for=Wait.START_TIME if held else Wait.TURN,
        waits_since_us=now_us,
        next_wake_us=start_us if held else None,
    )
    return Birth(
        identity=identity,
        head=head,
        inbox=(inbox_add(started, rank=0),),
        timers=_start_timer(start_us) if held else (),
        held=held,
        if_taken=if_taken,
    )


def _start_timer(start_us: int | None) -> tuple[TimerAdd, ...]:
    # One for the year 9999, too: it never fires, and says what the instance waits for.
    return () if start_us is None else (TimerAdd(0, START_TIMER_ID, start_us),)


@dataclass(frozen=True, slots=True)
class Newborn:
    """A birth that is proposed, and what is reported of it."""

    birth: Birth
    started: ExecutionStarted
    parent_span: str | None

    @property
    def lifecycle(self) -> LifecycleAdd:
        """The row that tells of it."""
        return lifecycle("created", self.started.at_us, self.birth.identity)


@dataclass(frozen=True, slots=True)
class Found:
    """What had to be read before an entry could be made."""

    replaced: Mapping[str, int]  # finished instances whose ids are wanted by births
    children: Sequence[int]  # unfinished children to be ended
    # What policies do not let through, and why.
    forbidden: Mapping[fx.Tell, str] = field(default_factory=dict)


NOTHING_FOUND = Found({}, ())


@dataclass(frozen=True, slots=True)
class Owner:
    """The instance whose effects they are, and the generation: its present one or the next."""

    resident: Resident
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRows:
    """The rows that a turn's effects come to."""

    tasks: tuple[TaskAdd, ...]
    timers: tuple[TimerAdd, ...]
    ended_timers: tuple[TimerEnd, ...]
    births: tuple[Birth, ...]
    messages: tuple[Message, ...]
    own: tuple[InboxAdd, ...]  # for the instance itself
    starts: tuple[ExecutionStarted, ...]

    @staticmethod
    def of(  # noqa: C901 - one case a kind of effect
        owner: Owner,
        effects: Sequence[fx.Effect],
        encoded: Mapping[int, bytes],
        propagate: Propagate,
        found: Found,
        now_us: int,
    ) -> "EffectRows":
        """Return the rows of `effects` that belong to a generation."""
        tasks: list[TaskAdd] = []
        timers: list[TimerAdd] = []
        ended: list[TimerEnd] = []
        births: list[Birth] = []
        messages: list[Message] = []
        own: list[InboxAdd] = []
        starts: list[ExecutionStarted] = []
        for effect in effects:
            match effect:
                case fx.RunTask():
                    data = encoded[id(effect.scheduled)]
                    tasks.append(task_add(effect, data, owner.generation, propagate))
                case fx.SetTimer(created):
                    if not is_never(created.fire_at_us):
                        at_us = created.fire_at_us
                        timers.append(TimerAdd(owner.generation, created.event_id, at_us))
                case fx.CancelTimer(timer_id):
                    ended.append(TimerEnd(owner.generation, timer_id, must_exist=False))
                case fx.Birth():
                    births.append(_birth(owner, effect, propagate, found, now_us))
                    starts.append(effect.started)
                case fx.Tell(instance_id, event) if effect not in found.forbidden:
                    messages.append(Message(instance_id, inbox_add(event)))
                case fx.Tell() | fx.Forbidden():
                    pass
                case fx.TellSelf(event):
                    own.append(inbox_add(event, generation=owner.generation))
                case fx.TellParent(event):
                    messages += to_parent(owner.resident.identity, event)
                case fx.EndChildren(reason):
                    order = terminate_order(reason, now_us)
                    messages += [Message(key, order) for key in found.children]
        return EffectRows(
            tasks=tuple(tasks),
            timers=tuple(timers),
            ended_timers=tuple(ended),
            births=tuple(births),
            messages=tuple(messages),
            own=tuple(own),
            starts=tuple(starts),
        )


NO_ROWS = EffectRows(
    tasks=(), timers=(), ended_timers=(), births=(), messages=(), own=(), starts=()
)


def task_add(effect: fx.RunTask, data: bytes, generation: int, propagate: Propagate) -> TaskAdd:
    """Return the row of an activity to run; `data` is its TaskScheduled."""
    scheduled = effect.scheduled
    return TaskAdd(
        generation,
        scheduled.event_id,
        scheduled.name,
        effect.app_id,
        data,
        scheduled.at_us,
        propagate(scheduled.scope),
    )


def terminate_order(reason: str | None, now_us: int) -> InboxAdd:
    """Return the order to end, recursively, as it goes to a child."""
    return inbox_add(ExecutionTerminated(at_us=now_us, input=reason, recurse=True))


def to_parent(identity: Identity, event: Event) -> list[Message]:
    """Return the message that gives an outcome to the parent, if there is one."""
    if identity.parent_key is None:
        return []
    return [Message(identity.parent_key, inbox_add(event, generation=identity.parent_generation))]


def _birth(
    owner: Owner, effect: fx.Birth, propagate: Propagate, found: Found, now_us: int
) -> Birth:
    is_child = effect.started.parent is not None
    made = birth(
        effect.started,
        app_id=effect.app_id,
        now_us=now_us,
        parent=(owner.resident.key, owner.generation) if is_child else None,
        propagated=propagate(effect.scope),
        if_taken=(
            None
            if effect.if_taken is None
            else inbox_add(effect.if_taken, generation=owner.generation)
        ),
    )
    return replacing(made, found.replaced.get(effect.started.instance_id))


def replacing(made: Birth, key: int | None) -> Birth:
    """Return a birth that takes the place of a finished instance, if there is one."""
    return made if key is None else replace(made, replaces=key)
