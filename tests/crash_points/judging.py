"""Whether the promises hold for what a dead server left, and whether a new one finishes it all."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from perdure.core import requests as rq
from perdure.core.events import ChildCompleted, ChildFailed, TaskCompleted, TaskFailed
from perdure.core.requests import Reason, Refusal
from perdure.core.status import TERMINAL, Status
from perdure.engine.residents import resident_of
from perdure.store.port import Snapshot
from perdure.store.sqlite.store import SqliteStore
from perdure.wire.events import decode_stored
from tests.crash_points.scenarios import APP, END, STORE, Server


@dataclass(slots=True)
class Life:
    """What a client knows of one life of an id: from its start, or from the purge before."""

    name: str
    started: bool = False  # acknowledged
    asked: list[str] = field(default_factory=list)  # items, in order
    had: list[str] = field(default_factory=list)  # those acknowledged
    ended: bool = False
    suspended: set[bool] = field(default_factory=lambda: {False})  # what it may be
    terminated: set[bool] = field(default_factory=lambda: {False})
    purged: set[bool] = field(default_factory=lambda: {False})
    seen: tuple[str, str | None] | None = None


def lives(told: bytes) -> dict[str, list[Life]]:
    """Return what the client was told, by id. A line that was cut off was not told."""
    found: dict[str, list[Life]] = {}
    for line in told.decode().splitlines(keepends=True):
        if not line.endswith("\n"):
            break
        what, request, instance_id, text = json.loads(line)
        if (what, request) == ("asked", "start"):
            found.setdefault(instance_id, []).append(Life(text))
        _note(
            found[instance_id][-1], acknowledged=what == "acknowledged", request=request, text=text
        )
    return found


def _note(life: Life, *, acknowledged: bool, request: str, text: str) -> None:
    match request:
        case "start":
            life.started |= acknowledged
        case "item":
            (life.had if acknowledged else life.asked).append(text)
        case "end":
            life.ended |= acknowledged
        case "suspend" | "resume":
            to = request == "suspend"
            life.suspended = {to} if acknowledged else life.suspended | {to}
        case "terminate":
            life.terminated = {True} if acknowledged else {True, False}
        case "purge":
            life.purged = {True} if acknowledged else {True, False}
        case _:
            status, output = json.loads(text)
            life.seen = (status, output)


async def judge(folder: Path, told: bytes) -> None:
    """Assert every promise on the store of a folder, before and after a new server has run."""
    known = lives(told)
    store = SqliteStore(folder / STORE)
    try:
        _check_store(store)
        for instance_id, of_id in known.items():
            _check_kept(store, instance_id, of_id)
        server = await Server(store).open()
        for instance_id, of_id in known.items():
            await _finish(server, instance_id, of_id[-1])
        for snapshot in _snapshots(store):
            await server.finished(snapshot.identity.instance_id)
        await server.close()
        _check_store(store)
    finally:
        store.close()


def _snapshots(store: SqliteStore) -> list[Snapshot]:
    found = (store.snapshot(key) for key, _ in store.list_ids(0, 1_000))
    return [snapshot for snapshot in found if snapshot is not None]


def _check_store(store: SqliteStore) -> None:
    """State is what history says (P5), one result each (P2), and nobody is stuck (P4)."""
    assert store.stuck(10) == ()
    for key, _ in store.list_ids(0, 1_000):
        loaded = store.load(key)
        assert loaded is not None
        resident = resident_of(loaded)
        if resident.state.finished or resident.finished:
            assert resident.state.phase == loaded.snapshot.head.phase
        assert [row.seq for row in loaded.history] == [*range(1, len(loaded.history) + 1)]
        waiting = [row.add.event for row in loaded.inbox if row.add.generation]
        events = [decode_stored(each) for each in (*(r.event for r in loaded.history), *waiting)]
        results = Counter(
            e.task_id
            for e in events
            if isinstance(e, TaskCompleted | TaskFailed | ChildCompleted | ChildFailed)
        )
        assert not [task for task, count in results.items() if count > 1], results


def _check_kept(store: SqliteStore, instance_id: str, of_id: list[Life]) -> None:
    """What was acknowledged is there (P1), and what was seen is still so."""
    life = of_id[-1]
    snapshot = store.snapshot(instance_id)
    if snapshot is None:
        # Not there: it was never acknowledged, or it may have been purged.
        gone = True in life.purged
        before = of_id[-2] if len(of_id) > 1 else None
        gone_before = not life.started and (before is None or True in before.purged)
        assert gone or gone_before, f"{instance_id} is lost"
        return
    if life.started:
        assert life.purged != {True}, f"{instance_id} was purged and is there"
        assert snapshot.identity.name == life.name
        status = Status(snapshot.status)
        if life.seen is not None:
            assert status.name == life.seen[0]
        if status not in TERMINAL:
            assert snapshot.suspended in life.suspended, f"{instance_id} forgot its suspension"


async def _finish(server: Server, instance_id: str, life: Life) -> None:
    """Have everything done that a client would do again, and check what comes out."""
    component = server.component
    text = instance_id if life.name == "family" else ""
    request = rq.Start(instance_id=instance_id, name=life.name, app_id=APP, input=text)
    if await component.get(instance_id) is None:
        if life.started:
            return  # purged, as `_check_kept` has seen
        await component.start(request)
    elif not life.started:
        # A life before this one may still bear the id: whichever it is, it has to end.
        await component.terminate(rq.Terminate(instance_id=instance_id, recursive=True))
        await server.finished(instance_id)
        return
    await component.resume(rq.Resume(instance_id=instance_id))
    end = await component.raise_event(rq.RaiseEvent(instance_id=instance_id, name=END, input=""))
    assert not isinstance(end, Refusal) or end.reason is Reason.ALREADY_FINISHED, end
    status, output = await server.finished(instance_id)
    if life.seen is not None:
        assert (status.name, output) == life.seen
    elif status is Status.TERMINATED:
        assert True in life.terminated, f"{instance_id} was terminated by nobody"
    else:
        assert life.terminated != {True}, f"{instance_id} forgot that it was terminated"
        assert status is Status.COMPLETED, (status, output)
        _check_output(life, instance_id, json.loads(output or "null"))


def _check_output(life: Life, instance_id: str, output: object) -> None:
    match life.name:
        case "chain":
            assert output == ["0", "1", "2"]
        case "family":
            assert output == ['["0", "1", "2"]'] * 2
        case _:
            # Everything acknowledged, in order, and at most the one besides that was under way.
            possible = [life.had, life.asked[: len(life.had) + 1]]
            assert output in possible, (
                f"{instance_id}: {str(output)[:200]} of {len(life.had)} items"
            )
