"""What the core decided, as the entry of one commit. Plain functions, no I/O."""

from dataclasses import replace

from perdure.base.records import dataclass
from perdure.core.events import ExecutionStalled, ExecutionStarted, WorkflowStarted
from perdure.core.kinds import KIND_OF
from perdure.core.state import State, fold
from perdure.core.status import STATUSES, TERMINAL, Status, may_move
from perdure.core.turn import Closed, ContinuedAsNew, Stalled
from perdure.core.views import Wait, next_wake_us, waits_for
from perdure.engine.residents import NOT_LANDED, Resident, Turn
from perdure.engine.rows import (
    NO_ROWS,
    NOTHING_FOUND,
    EffectRows,
    Found,
    Newborn,
    Owner,
    Propagate,
    inbox_add,
    lifecycle,
)
from perdure.store.port import (
    Birth,
    Entry,
    HandOut,
    Head,
    HistoryAdd,
    LifecycleAdd,
    TaskEnd,
    TimerEnd,
)
from perdure.wire.events import encode

_WORKFLOW_STARTED = KIND_OF[WorkflowStarted]
_LIFECYCLE = {
    Status.COMPLETED: "completed",
    Status.FAILED: "failed",
    Status.CANCELED: "canceled",
    Status.TERMINATED: "terminated",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An entry, and what its resident becomes when it has landed."""

    entry: Entry
    head: Head
    state: State
    history: tuple[bytes, ...]
    starts: tuple[ExecutionStarted, ...] = ()  # one for each birth of the entry


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
    rows, encoded = _history(resident, turn, closed)
    history = tuple([row.event for row in rows])
    head = head_after(resident, closed, sum(map(len, history)), now_us)
    rows_of = NO_ROWS
    if closed.effects:
        owner = Owner(resident, state.generation)
        rows_of = EffectRows.of(owner, closed.effects, encoded, propagate, found, now_us)
    ended_tasks, handed_out, fired = _arrived(turn)
    entry = Entry(
        key=resident.key,
        term=resident.term,
        expect_version=resident.version,
        head=head,
        history=tuple(rows),
        taken=() if turn is None else _taken(turn),
        inbox=() if state.finished else rows_of.own,
        wipe_inbox=state.finished,
        wipe_timers=state.finished,
        wipe_tasks=turn is None,  # a terminate: what it still had to run is not run any more
        tasks=rows_of.tasks,
        ended_tasks=ended_tasks,
        handed_out=handed_out,
        timers=rows_of.timers,
        ended_timers=fired if state.finished else (*fired, *rows_of.ended_timers),
        births=rows_of.births,
        messages=rows_of.messages,
        lifecycle=_moves(resident, state.phase, now_us),
    )
    return Prepared(
        entry=entry,
        head=head,
        state=state,
        history=history,
        starts=rows_of.starts,
    )


def born_entry(
    resident: Resident,
    turn: Turn,
    closed: Closed,
    now_us: int,
    propagate: Propagate,
    newborn: Newborn,
) -> Prepared:
    """Return the entry of a start with its first turn, which asks for activities and timers alone.

    `resident` is whoever will have been born.
    """
    rows, encoded = _history(resident, turn, closed)
    history = tuple([row.event for row in rows])
    head = head_after(resident, closed, sum(map(len, history)), now_us)
    owner = Owner(resident, closed.state.generation)
    begun = EffectRows.of(owner, closed.effects, encoded, propagate, NOTHING_FOUND, now_us)
    birth = Birth(
        identity=resident.identity,
        head=head,
        history=tuple(rows),
        tasks=begun.tasks,
        timers=begun.timers,
        replaces=newborn.birth.replaces,
    )
    moves = _moves(resident, closed.state.phase, now_us)
    entry = Entry(key=None, births=(birth,), lifecycle=(newborn.lifecycle, *moves))
    return Prepared(entry=entry, head=head, state=closed.state, history=history)


def _history(
    resident: Resident, turn: Turn | None, closed: Closed
) -> tuple[list[HistoryAdd], dict[int, bytes]]:
    """Return what a closed turn adds to the history, and its own events as bytes by their id()."""
    rows: list[HistoryAdd] = []
    if turn is not None:
        rows.append(HistoryAdd(_WORKFLOW_STARTED, encode(closed.turn)))
        rows += [HistoryAdd(item.add.kind, item.add.event) for item in turn.batch]
    encoded: dict[int, bytes] = {}
    for event in closed.recorded:
        data = encoded[id(event)] = encode(event)
        rows.append(HistoryAdd(KIND_OF[type(event)], data))
    length = resident.state.history_length + len(rows)
    assert closed.state.history_length == length, "history adds up"
    return rows, encoded


def continued_entry(
    resident: Resident,
    turn: Turn,
    continued: ContinuedAsNew,
    now_us: int,
    propagate: Propagate,
    found: Found = NOTHING_FOUND,
) -> Prepared:
    """Return the entry of a continue-as-new."""
    inbox = [inbox_add(event, rank=0) for event in continued.begin]
    encoded = {id(e): add.event for e, add in zip(continued.begin, inbox, strict=True)}
    owner = Owner(resident, continued.state.generation)
    rows_of = EffectRows.of(owner, continued.effects, encoded, propagate, found, now_us)
    head = _fresh_head(resident, continued, now_us)
    ended_tasks, handed_out, fired = _arrived(turn)
    entry = Entry(
        key=resident.key,
        term=resident.term,
        expect_version=resident.version,
        head=head,
        wipe_history=True,
        taken=_taken(turn),
        inbox=(*inbox, *rows_of.own),
        ended_timers=fired,
        wipe_timers=True,
        tasks=rows_of.tasks,
        ended_tasks=ended_tasks,
        handed_out=handed_out,
        timers=rows_of.timers,
        births=rows_of.births,
        messages=rows_of.messages,
        lifecycle=(lifecycle("continued", now_us, resident.identity),),
    )
    return Prepared(
        entry=entry, head=head, state=continued.state, history=(), starts=rows_of.starts
    )


def _fresh_head(resident: Resident, continued: ContinuedAsNew, now_us: int) -> Head:
    """Return the head of a generation that has yet to begin."""
    return replace(
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
        next_wake_us=next_wake_us(fold(continued.state, continued.begin)),
        history_length=0,
        history_bytes=0,
        version_name=None,
        patches=(),
    )


def stalled_entry(resident: Resident, stalled: Stalled, now_us: int) -> Prepared:
    """Return the entry of a stall: the inbox stays as it is."""
    event = stalled.event
    rows = tuple(HistoryAdd(KIND_OF[ExecutionStalled], encode(e)) for e in stalled.recorded)
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
        term=resident.term,
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
    started, phase = state.started, state.phase
    assert started is not None, "a closed turn has seen the start"
    assert may_move(STATUSES[before.phase], phase), "the table allows the move"
    return Head(
        phase=int(phase),
        generation=before.generation,
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


def _taken(turn: Turn) -> tuple[int, ...]:
    seqs = [item.seq for item in turn.batch if item.seq != NOT_LANDED]
    return (*seqs, *turn.dropped)


def _arrived(
    turn: Turn | None,
) -> tuple[tuple[TaskEnd, ...], tuple[HandOut, ...], tuple[TimerEnd, ...]]:
    """Return the ends of what lands with the turn that takes it (`engine.deciding`)."""
    if turn is None or not turn.arrivals:
        return (), (), ()
    tasks = [each.task for each in turn.arrivals if each.task is not None]
    notes = [each.handed_out for each in turn.arrivals if each.handed_out is not None]
    timers = [each.timer for each in turn.arrivals if each.timer is not None]
    return tuple(tasks), tuple(notes), tuple(timers)


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
