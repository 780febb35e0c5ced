"""Short lives of a server on a SQLite file, to be cut off at every write.

`python -m tests.crash_points.scenarios NAME FOLDER` runs one: a real engine, a worker and a client
in one process. Before each request a line goes to the file `told` beside the store, and another
when it has been acknowledged, so that both stand among the writes in their order.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from perdure.app.clock import SystemClock
from perdure.base.observer import NullObserver
from perdure.base.time import SECOND_US
from perdure.components.embedded import EmbeddedComponent
from perdure.core import requests as rq
from perdure.core.events import (
    ChildCompleted,
    Event,
    EventRaised,
    ExecutionStarted,
    TaskCompleted,
    TimerFired,
)
from perdure.core.requests import Refusal
from perdure.core.status import Status
from perdure.engine.service import Engine
from perdure.engine.settings import EngineSettings
from perdure.engine.work import Profile
from perdure.store.port import Store
from perdure.store.sqlite.store import SqliteStore
from perdure.wire.generated import work_pb2 as pb
from tests.kit.answers import child, complete, continue_as_new, schedule, timer
from tests.kit.worker import TurnItem, Worker

APP = "app"
STORE = "store.db"
TOLD = "told"
END = "end"
STEPS = 3
_FINISH_S = 60.0


# ---- what the workflows do


def _raised(events: Iterable[Event]) -> list[tuple[str, str]]:
    return [(e.name, e.input or "") for e in events if isinstance(e, EventRaised)]


def _chain(events: Sequence[Event], _text: str) -> list[pb.Action]:
    """Activities one after the other; the output has all results."""
    done = [e.result or "" for e in events if isinstance(e, TaskCompleted)]
    if len(done) == STEPS:
        return [complete(STEPS + 1, json.dumps(done))]
    return [schedule(len(done) + 1, "act", str(len(done)))]


def _gather(events: Sequence[Event], _text: str) -> list[pb.Action]:
    """Takes events until the last, and returns them in order."""
    raised = _raised(events)
    names = [name for name, _ in raised]
    if END not in names:
        return []
    return [complete(1, json.dumps([text for _, text in raised[: names.index(END)]]))]


def _rounds(events: Sequence[Event], text: str) -> list[pb.Action]:
    """The same, two to a generation, each of which begins anew with what it has."""
    have = json.loads(text or "[]")
    raised = _raised(events)
    now, later = raised[:2], raised[2:]
    for name, each in now:
        if name == END:
            return [complete(1, json.dumps(have))]
        have.append(each)
    return [continue_as_new(1, json.dumps(have), later)] if len(now) == 2 else []


def _family(events: Sequence[Event], text: str) -> list[pb.Action]:
    """Two children at once and a timer; the output has what the children returned."""
    if not any(isinstance(e, TimerFired | ChildCompleted) for e in events):
        due_us = max(e.at_us for e in events) + SECOND_US // 100
        return [child(1, f"{text}-1", "chain"), child(2, f"{text}-2", "chain"), timer(3, due_us)]
    results = {e.task_id: e.result for e in events if isinstance(e, ChildCompleted)}
    if len(results) < 2 or not any(isinstance(e, TimerFired) for e in events):
        return []
    return [complete(4, json.dumps([results[1], results[2]]))]


_CODE = {"chain": _chain, "gather": _gather, "rounds": _rounds, "family": _family}


def turns(item: TurnItem) -> list[pb.Action]:
    """Answer a turn of any of the workflows."""
    events = (*item.known, *item.new)
    started = next(e for e in events if isinstance(e, ExecutionStarted))
    actions = _CODE[started.name](events, started.input or "")
    known = {(type(e).__name__, e.event_id) for e in item.known if e.event_id > 0}
    created = {("TaskScheduled", 1), ("TaskScheduled", 2), ("TaskScheduled", 3)}
    return [
        action
        for action in actions
        if ("TaskScheduled", action.id) not in known & created
        and ("ChildCreated", action.id) not in known
        and ("TimerCreated", action.id) not in known
    ]


# ---- the server


class Server:
    """An engine on a store, with a worker that answers everything."""

    def __init__(self, store: Store) -> None:
        """Compose it; `open` starts it."""
        clock, observer = SystemClock(), NullObserver()
        self._store = store
        self.engine = Engine(EngineSettings(app_id=APP), store, clock, observer)
        self.component = EmbeddedComponent(self.engine, clock, observer)

    async def open(self) -> "Server":
        await self.engine.start()
        profile = Profile(app_id=APP, worker="worker")
        self._worker = Worker(self.engine, profile).work(turns)
        return self

    async def close(self) -> None:
        self._worker.check()
        self._worker.leave()
        await self.engine.stop()

    async def finished(self, instance_id: str) -> tuple[Status, str | None]:
        """Return how an instance ended, and its output."""
        async with asyncio.timeout(_FINISH_S):
            view = await self.component.wait(instance_id, finished=True, timeout_us=None)
        assert view is not None, instance_id
        assert view.finished, view
        return view.status, view.output


class Client:
    """Makes requests, and tells before and after."""

    def __init__(self, server: Server, told: Path) -> None:
        """Write to the file `told`."""
        self.server = server
        self._told = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def _tell(self, what: str, request: str, instance_id: str, text: str) -> None:
        line = json.dumps([what, request, instance_id, text]) + "\n"
        os.write(self._told, line.encode())

    async def _ask(self, request: str, instance_id: str, text: str, coming: Awaitable[Any]) -> None:
        self._tell("asked", request, instance_id, text)
        answer = await coming
        assert not isinstance(answer, Refusal), (request, instance_id, answer)
        self._tell("acknowledged", request, instance_id, text)

    async def start(self, instance_id: str, name: str, text: str = "") -> None:
        request = rq.Start(instance_id=instance_id, name=name, app_id=APP, input=text)
        coming = self.server.component.start(request)
        await self._ask("start", instance_id, name, coming)

    async def tell(self, instance_id: str, text: str, name: str = "item") -> None:
        request = rq.RaiseEvent(instance_id=instance_id, name=name, input=text)
        kind = "end" if name == END else "item"
        await self._ask(kind, instance_id, text, self.server.component.raise_event(request))

    async def end(self, instance_id: str) -> None:
        await self.tell(instance_id, "", END)

    async def change(self, kind: str, instance_id: str) -> None:
        component = self.server.component
        match kind:
            case "terminate":
                coming: Awaitable[Any] = component.terminate(
                    rq.Terminate(instance_id=instance_id, recursive=True)
                )
            case "suspend":
                coming = component.suspend(rq.Suspend(instance_id=instance_id))
            case "resume":
                coming = component.resume(rq.Resume(instance_id=instance_id))
            case _:
                coming = component.purge(rq.Purge(instance_id=instance_id, recursive=True))
        await self._ask(kind, instance_id, "", coming)

    async def see(self, instance_id: str) -> None:
        """Wait for an end; what was seen once must stay true."""
        status, output = await self.server.finished(instance_id)
        self._tell("acknowledged", "see", instance_id, json.dumps([status.name, output]))


# ---- the lives


async def activities(client: Client) -> None:
    """Two chains of activities at once."""
    await asyncio.gather(client.start("a", "chain"), client.start("b", "chain"))
    await asyncio.gather(client.see("a"), client.see("b"))


async def events(client: Client) -> None:
    """Events before, between and after a suspension."""
    await client.start("a", "gather")
    await client.tell("a", "1")
    await client.change("suspend", "a")
    await client.tell("a", "2")
    await client.change("resume", "a")
    await client.tell("a", "3")
    await client.end("a")
    await client.see("a")


async def generations(client: Client) -> None:
    """Events that cross the ends of generations."""
    await client.start("a", "rounds")
    for number in range(5):
        await client.tell("a", str(number))
    await client.end("a")
    await client.see("a")


async def families(client: Client) -> None:
    """A parent with children and a timer, and another that is ended with its children."""
    await client.start("a", "family", "a")
    await client.start("b", "family", "b")
    await client.change("terminate", "b")
    await client.see("a")
    await client.see("b")


async def reuse(client: Client) -> None:
    """An id that is used, purged, used again, and replaced."""
    await client.start("a", "chain")
    await client.see("a")
    await client.change("purge", "a")
    await client.start("a", "gather")
    await client.tell("a", "1")
    await client.change("terminate", "a")
    await client.start("a", "gather")
    await client.tell("a", "2")
    await client.end("a")
    await client.see("a")


async def large(client: Client) -> None:
    """So much that the log is written back into the file on the way."""
    await client.start("a", "gather")
    for number in range(5):
        await client.tell("a", str(number) + "x" * 600_000)
    await client.end("a")
    await client.see("a")


LIVES: dict[str, Callable[[Client], Awaitable[None]]] = {
    "activities": activities,
    "events": events,
    "generations": generations,
    "families": families,
    "reuse": reuse,
    "large": large,
}


async def _run(name: str, folder: Path) -> None:
    store = SqliteStore(folder / STORE)
    server = await Server(store).open()
    await LIVES[name](Client(server, folder / TOLD))
    await server.close()
    store.close()


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], Path(sys.argv[2])))
