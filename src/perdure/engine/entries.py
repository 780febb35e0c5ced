"""What the core decided, as the entry of one commit. Plain functions, no I/O."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from perdure.base.time import is_never
from perdure.core import effects as fx
from perdure.core.events import (
    KIND_OF,
    Event,
    ExecutionStarted,
    ExecutionTerminated,
    Kind,
    PropagationScope,
)
from perdure.core.state import State
from perdure.core.status import TERMINAL, Status, may_move
from perdure.core.turn import Closed, ContinuedAsNew, Stalled
from perdure.core.views import Wait, next_wake_us, waits_for
from perdure.engine.residents import Resident, Turn
from perdure.store.port import (
    START_TIMER_ID,
    Birth,
    Entry,
    Head,
    HistoryAdd,
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

_LIFECYCLE = {
    Status.COMPLETED: "completed",
    Status.FAILED: "failed",
    Status.CANCELED: "canceled",
    Status.TERMINATED: "terminated",
}


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
    timers: tuple[TimerAdd, ...] = ()
    if held and start_us is not None and not is_never(start_us):
        timers = (TimerAdd(0, START_TIMER_ID, start_us),)
    head = Head(
        phase=Status.PENDING,
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
        timers=timers,
        held=held,
        if_taken=if_taken,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An entry, and what its resident becomes when it has landed."""

    entry: Entry
    head: Head
    state: State
    history: tuple[bytes, ...]
    starts: tuple[ExecutionStarted, ...] = ()  # one for each birth of the entry


@dataclass(frozen=True, slots=True)
class Found:
    """What had to be read before an entry could be made."""

    replaced: Mapping[str, int]  # finished instances whose ids are wanted by births
    children: Sequence[int]  # unfinished children to be ended


NOTHING_FOUND = Found({}, ())


def closed_entry(
    resident: Resident,
    turn: Turn | None,
    closed: Closed,
    now_us: int,
    propagate: Propagate,
    found: Found = NOTHING_FOUND,
) -> Prepared:
    """Return the entry of a closed turn, or with no turn of a terminate."""
    state = closed.state
    encoded = {id(event): encode(event) for event in closed.recorded}
    rows = [HistoryAdd(KIND_OF[type(event)], encoded[id(event)]) for event in closed.recorded]
    if turn is not None:
        taken = [HistoryAdd(item.add.kind, item.add.event) for item in turn.batch]
        rows = [HistoryAdd(Kind.WORKFLOW_STARTED, encode(closed.turn)), *taken, *rows]
    assert state.history_length == resident.state.history_length + len(rows), "history adds up"
    head = head_after(resident, closed, sum(len(row.event) for row in rows), now_us)
    assert may_move(Status(resident.head.phase), Status(head.phase)), "the table allows the move"
    parts = _Parts.of(resident, closed.effects, encoded, propagate, found, now_us)
    entry = Entry(
        key=resident.key,
        expect_version=resident.version,
        head=head,
        history=tuple(rows),
        taken=() if turn is None else (*(i.seq for i in turn.batch), *turn.dropped),
        wipe_inbox=state.finished,
        wipe_timers=state.finished,
        tasks=parts.tasks,
        timers=parts.timers,
        ended_timers=() if state.finished else parts.ended_timers,
        births=parts.births,
        messages=parts.messages,
        lifecycle=_moves(resident, Status(head.phase), now_us),
    )
    return Prepared(
        entry=entry,
        head=head,
        state=state,
        history=tuple(row.event for row in rows),
        starts=parts.starts,
    )


def continued_entry(
    resident: Resident, turn: Turn, continued: ContinuedAsNew, now_us: int
) -> Prepared:
    """Return the entry of a continue-as-new."""
    head = replace(
        resident.head,
        phase=Status.RUNNING,
        generation=continued.state.generation,
        created_at_us=continued.begin[0].at_us,
        started_at_us=None,
        updated_at_us=now_us,
        custom_status=continued.custom_status,
        stalled=None,
        waits_for=Wait.TURN,
        waits_since_us=now_us,
        next_wake_us=None,
        history_length=0,
        history_bytes=0,
        version_name=None,
        patches=(),
    )
    entry = Entry(
        key=resident.key,
        expect_version=resident.version,
        head=head,
        wipe_history=True,
        taken=(*(item.seq for item in turn.batch), *turn.dropped),
        inbox=tuple(inbox_add(event, rank=0) for event in continued.begin),
        wipe_timers=True,
        lifecycle=(lifecycle("continued", now_us, resident.identity),),
    )
    return Prepared(entry=entry, head=head, state=continued.state, history=())


def stalled_entry(resident: Resident, stalled: Stalled, now_us: int) -> Prepared:
    """Return the entry of a stall: the inbox stays as it is."""
    event = stalled.state.stalled
    assert event is not None, "a stall has its event"
    rows = tuple(HistoryAdd(Kind.EXECUTION_STALLED, encode(e)) for e in stalled.recorded)
    head = replace(
        resident.head,
        stalled=f"{event.reason.name}: {event.description}",
        updated_at_us=now_us,
        history_length=stalled.state.history_length,
        history_bytes=resident.head.history_bytes + sum(len(row.event) for row in rows),
    )
    told = resident.head.stalled != head.stalled
    entry = Entry(
        key=resident.key,
        expect_version=resident.version,
        head=head,
        history=rows,
        lifecycle=(lifecycle("stalled", now_us, resident.identity),) if told else (),
    )
    history = tuple(row.event for row in rows)
    return Prepared(entry=entry, head=head, state=stalled.state, history=history)


def head_after(resident: Resident, closed: Closed, added_bytes: int, now_us: int) -> Head:
    """Return the head of an instance after a closed turn."""
    state, before = closed.state, resident.head
    started = state.started
    assert started is not None, "a closed turn has seen the start"
    return replace(
        before,
        phase=state.phase,
        created_at_us=started.at_us,
        started_at_us=before.started_at_us or closed.turn.at_us,
        updated_at_us=now_us,
        completed_at_us=now_us if state.finished else None,
        custom_status=closed.custom_status if not _ended_by_us(closed) else before.custom_status,
        stalled=None,
        waits_for=waits_for(state),
        waits_since_us=now_us,
        next_wake_us=next_wake_us(state),
        history_length=state.history_length,
        history_bytes=before.history_bytes + added_bytes,
        version_name=state.version_name,
        patches=state.patches,
    )


def _ended_by_us(closed: Closed) -> bool:
    completed = closed.state.completed
    return completed is not None and completed.event_id == -1


def _moves(resident: Resident, phase: Status, now_us: int) -> tuple[LifecycleAdd, ...]:
    rows = []
    if resident.head.phase == Status.PENDING and phase is not Status.PENDING:
        rows.append(lifecycle("started", now_us, resident.identity))
    if phase in TERMINAL:
        rows.append(lifecycle(_LIFECYCLE[phase], now_us, resident.identity))
    return tuple(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """The rows that a turn's effects come to."""

    tasks: tuple[TaskAdd, ...]
    timers: tuple[TimerAdd, ...]
    ended_timers: tuple[TimerEnd, ...]
    births: tuple[Birth, ...]
    messages: tuple[Message, ...]
    starts: tuple[ExecutionStarted, ...]

    @staticmethod
    def of(
        resident: Resident,
        effects: Iterable[fx.Effect],
        encoded: Mapping[int, bytes],
        propagate: Propagate,
        found: Found,
        now_us: int,
    ) -> "_Parts":
        generation = resident.state.generation
        tasks: list[TaskAdd] = []
        timers: list[TimerAdd] = []
        ended: list[TimerEnd] = []
        births: list[Birth] = []
        messages: list[Message] = []
        starts: list[ExecutionStarted] = []
        for effect in effects:
            match effect:
                case fx.RunTask():
                    data = encoded[id(effect.scheduled)]
                    tasks.append(task_add(effect, data, generation, propagate))
                case fx.SetTimer(created):
                    if not is_never(created.fire_at_us):
                        timers.append(TimerAdd(generation, created.event_id, created.fire_at_us))
                case fx.CancelTimer(timer_id):
                    ended.append(TimerEnd(generation, timer_id, must_exist=False))
                case fx.Birth():
                    births.append(_birth(resident, effect, propagate, found, now_us))
                    starts.append(effect.started)
                case fx.Tell(instance_id, event):
                    messages.append(Message(instance_id, inbox_add(event)))
                case fx.TellParent(event):
                    messages += to_parent(resident.identity, event)
                case fx.EndChildren(reason):
                    order = terminate_order(reason, now_us)
                    messages += [Message(key, order) for key in found.children]
        return _Parts(
            tasks=tuple(tasks),
            timers=tuple(timers),
            ended_timers=tuple(ended),
            births=tuple(births),
            messages=tuple(messages),
            starts=tuple(starts),
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
    resident: Resident, effect: fx.Birth, propagate: Propagate, found: Found, now_us: int
) -> Birth:
    is_child = effect.started.parent is not None
    generation = resident.state.generation
    made = birth(
        effect.started,
        app_id=effect.app_id,
        now_us=now_us,
        parent=(resident.key, generation) if is_child else None,
        propagated=propagate(effect.scope),
        if_taken=(
            None if effect.if_taken is None else inbox_add(effect.if_taken, generation=generation)
        ),
    )
    return replace(made, replaces=found.replaced.get(effect.started.instance_id))
