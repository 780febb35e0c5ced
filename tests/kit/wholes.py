"""A store with something in every table, and instances that have moved from it."""

from perdure.core.events import ChildCreated, ExecutionStarted, TaskFailed, WorkflowStarted
from perdure.core.kinds import KIND_OF
from perdure.core.notes import NoteAdd
from perdure.core.status import Status
from perdure.store.moving import (
    Numbers,
    Shipment,
    Source,
    Target,
    shifted,
    shifted_lifecycle,
    shifted_note,
)
from perdure.store.port import (
    Birth,
    Entry,
    HandOut,
    Head,
    HistoryAdd,
    Identity,
    InboxAdd,
    LifecycleAdd,
    Require,
    TaskAdd,
    TaskEnd,
    TimerAdd,
    Verdict,
)
from perdure.wire.events import encode

_ALL = 1_000_000


def fill(store: Target) -> None:
    """Let an instance run that has everything, one wait to start, one end, one be gone."""
    _land(
        store,
        Entry(
            key=None,
            births=(_birth("gone"), _full(parent_key=1), _birth("child", parent_key=2)),
            lifecycle=tuple(LifecycleAdd("created", 5, each, "order") for each in _IDS),
            notes=tuple(
                NoteAdd(shelf=shelf, key=f"{shelf} 1", at_us=7, body=b"\x00", about=about)
                for shelf, about in (("receipts", None), ("mailbox", "full"), ("kept/t", None))
            ),
        ),
    )
    _land(store, Entry(key=1, purge=True))
    _land(store, _turn(2))
    _land(store, Entry(key=None, births=(_birth("later", held=True), _birth("ended"))))
    end = Head(phase=int(Status.COMPLETED), completed_at_us=99, history_length=1)
    end_history = (HistoryAdd(4, b"completed"),)
    _land(store, Entry(key=5, expect_version=1, head=end, history=end_history, wipe_inbox=True))


_IDS = ("gone", "full", "child")


def _land(store: Target, entry: Entry) -> None:
    (outcome,) = store.commit([entry])
    assert outcome.verdict is Verdict.LANDED, outcome


def _birth(instance_id: str, *, held: bool = False, parent_key: int | None = None) -> Birth:
    identity = Identity(
        instance_id=instance_id,
        name="order",
        app_id="shop",
        execution_id=f"run of {instance_id}",
        parent_key=parent_key,
        parent_id=None if parent_key is None else "full",
    )
    timers = (TimerAdd(0, -1, 500),) if held else ()
    head = Head(phase=int(Status.PENDING))
    start = InboxAdd(3, b"start", rank=0)
    return Birth(identity=identity, head=head, inbox=(start,), timers=timers, held=held)


_HAPPENED = (
    WorkflowStarted(at_us=13),
    ExecutionStarted(at_us=13, name="Bestellung ✓", instance_id="full", execution_id="run of full"),
    ChildCreated(at_us=13, event_id=5, instance_id="child", name="order"),
)


def _full(parent_key: int) -> Birth:
    identity = Identity(
        instance_id="full",
        name="Bestellung ✓",
        app_id="shop",
        execution_id="run of full",
        version="2",
        born_at_us=11,
        scheduled_start_us=12,
        parent_key=parent_key,
        parent_id="gone",
        parent_app_id="other",
        parent_generation=3,
        parent_task_id=4,
        tags=(("z", "1"), ("a", "")),
        propagated=b"\x00\xff",
    )
    head = Head(phase=int(Status.RUNNING), created_at_us=13, patches=("one",), custom_status="")
    return Birth(
        identity=identity,
        head=head,
        inbox=(InboxAdd(17, b"raised"), InboxAdd(3, b"start", rank=0)),
        history=tuple(HistoryAdd(int(KIND_OF[type(event)]), encode(event)) for event in _HAPPENED),
        tasks=tuple(
            TaskAdd(1, at, "ship", "shop", b"task", 7, propagated=b"p" if at else None)
            for at in range(3)
        ),
        timers=(TimerAdd(1, 8, 600), TimerAdd(1, 7, 700)),
    )


def _turn(key: int) -> Entry:
    head = Head(
        phase=int(Status.RUNNING),
        created_at_us=13,
        started_at_us=14,
        updated_at_us=15,
        custom_status='{"a": 1}',
        stalled="why",
        waits_for="activity",
        waits_since_us=16,
        next_wake_us=600,
        history_length=3,
        history_bytes=17,
        version_name="v",
        patches=("one", "two"),
    )
    return Entry(
        key=key,
        expect_version=1,
        require=Require.UNFINISHED,
        head=head,
        suspended=True,
        handed_out=(HandOut(1, 0, "worker", 20), HandOut(1, 0, "worker 2", 21)),
        ended_tasks=(TaskEnd(1, 1, 22, failed=True),),
        history=(HistoryAdd(8, encode(TaskFailed(at_us=22, task_id=1))),),
        inbox=(InboxAdd(17, b"raised again", 1),),
    )


def move(source: Source, target: Target) -> Numbers:
    """Move everything, and return by how much the numbers have grown."""
    by = target.reserve(source.numbers())
    shipment = Shipment(
        instances=tuple(shifted(each, by) for each in source.wholes(0, _ALL, _ALL)),
        lifecycle=tuple(shifted_lifecycle(row, by) for row in source.lifecycle(0, _ALL)),
        notes=tuple(shifted_note(row, by) for row in source.notes_by_row(0, _ALL)),
    )
    assert target.receive(shipment) == ()
    return by
