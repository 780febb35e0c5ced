"""What the tests of stores are made of: entries with only what a test is about."""

from typing import Any

from perdure.core.events import Kind
from perdure.core.status import TERMINAL, Status
from perdure.store.port import (
    Birth,
    BirthOutcome,
    Entry,
    Head,
    Identity,
    InboxAdd,
    Outcome,
    Store,
    TaskAdd,
    Verdict,
)

START = InboxAdd(int(Kind.EXECUTION_STARTED), b"start", rank=0)
RAISED = InboxAdd(int(Kind.EVENT_RAISED), b"raised")
TERMINATED = InboxAdd(int(Kind.EXECUTION_TERMINATED), b"terminated")


def head(status: Status = Status.RUNNING, **fields: Any) -> Head:
    """A head in a phase, with a moment of completion if that is an end."""
    if status in TERMINAL:
        fields.setdefault("completed_at_us", 100)
    return Head(phase=int(status), **fields)


def identity(instance_id: str, **fields: Any) -> Identity:
    known = {"name": "order", "app_id": "shop", "execution_id": f"run of {instance_id}"}
    return Identity(instance_id=instance_id, **(known | fields))


def birth(instance_id: str, status: Status = Status.RUNNING, **fields: Any) -> Birth:
    """A birth; what it does not take itself goes to its identity."""
    own = {name: fields.pop(name) for name in Birth.__slots__ if name in fields}
    head_fields = {name: fields.pop(name) for name in Head.__slots__ if name in fields}
    return Birth(
        identity=identity(instance_id, **fields),
        **({"head": head(status, **head_fields)} | own),
    )


def bear(store: Store, instance_id: str, status: Status = Status.RUNNING, **fields: Any) -> int:
    """Let an instance be born, and return its key."""
    (outcome,) = store.commit([Entry(key=None, births=(birth(instance_id, status, **fields),))])
    assert outcome.verdict is Verdict.LANDED, outcome
    return key_of(outcome.births[0])


def key_of(outcome: BirthOutcome) -> int:
    assert outcome.key is not None, "the birth did not happen"
    return outcome.key


def land(store: Store, **fields: Any) -> Outcome:
    """Commit one entry, which must land."""
    outcome = commit(store, **fields)
    assert outcome.verdict is Verdict.LANDED, outcome
    return outcome


def commit(store: Store, **fields: Any) -> Outcome:
    """Commit one entry."""
    (outcome,) = store.commit([Entry(**fields)])
    return outcome


def finish(store: Store, key: int, status: Status = Status.COMPLETED, **fields: Any) -> None:
    """Let an instance end."""
    snapshot = store.snapshot(key)
    assert snapshot is not None
    land(store, key=key, expect_version=snapshot.version, head=head(status, **fields))


def task(task_id: int, generation: int = 1, **fields: Any) -> TaskAdd:
    known: dict[str, Any] = {"name": "ship", "app_id": "shop", "event": b"task"}
    known |= {"scheduled_at_us": 7}
    return TaskAdd(generation, task_id, **(known | fields))


def inbox_of(store: Store, instance: str | int) -> list[bytes]:
    """The events of an inbox, in the order that they are read in."""
    loaded = store.load(instance)
    assert loaded is not None
    return [row.add.event for row in loaded.inbox]


def history_of(store: Store, instance: str | int) -> list[tuple[int, bytes]]:
    """The numbers and events of a history."""
    loaded = store.load(instance)
    assert loaded is not None
    return [(row.seq, row.event) for row in loaded.history]


def held_by(store: Store) -> list[tuple[object, ...]]:
    """Every row of every table, the counters aside."""
    return [row for row in store.dump() if row[0] != "counters"]
