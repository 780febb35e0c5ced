"""The work that an engine has done in its own process, by all registries that are attached to it.

An engine has one such worker for each app that lives in the process, however many registries there
are: a workflow belongs to the first registry that has its name. While no registry has anything,
there is no worker, and other workers of the app, at the doors, have all its work.
"""

import asyncio
import logging
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from perdure.authoring.activities import Activity
from perdure.authoring.context import WorkflowContext
from perdure.authoring.registry import Registry
from perdure.authoring.replay import Replayer, no_lineage
from perdure.base.time import SECOND_US
from perdure.core.actions import Decision
from perdure.core.events import Event, ExecutionStarted
from perdure.engine.local import Errand, LocalApp
from perdure.engine.service import Engine
from perdure.engine.work import Profile
from perdure.hosting.settings import Bounds, HostSettings
from perdure.wire.fields import failure_of
from perdure.wire.lineage import lineage_of
from perdure.worker.activities import GONE, ActivityRunner
from perdure.worker.calls import ActivityCall, Outcome, Returned
from perdure.worker.gates import Gate
from perdure.worker.runs import Run

_log = logging.getLogger("perdure.worker")

_PLACES_KEPT_MAX: Final = 20_000  # of which registry has which history


class Member:
    """One registry and the code that is kept of its workflows."""

    __slots__ = ("gate", "registry", "replayer")

    def __init__(
        self, registry: Registry, context_type: type[WorkflowContext], bounds: Bounds
    ) -> None:
        self.registry = registry
        self.replayer = Replayer(
            registry,
            failure_of=failure_of,
            context_type=context_type,
            kept_max=bounds.runs_kept,
        )
        # Of its activities, whatever their names. Turns are decided one at a time in any case.
        self.gate = None if bounds.activities is None else Gate(bounds.activities)

    @property
    def has_anything(self) -> bool:
        """Whether something is registered."""
        registry = self.registry
        return bool(registry.workflows or registry.versions or registry.activities)

    def has_workflow(self, name: str) -> bool:
        """Whether a workflow of that name is registered."""
        return name in self.registry.workflows or name in self.registry.versions


class Staff:
    """An implementation of `engine.local.LocalWork`. Made on the loop that it is used on."""

    def __init__(self, engine: Engine, settings: HostSettings, app_id: str) -> None:
        """Do the work of an app of `engine` as soon as somebody has registered something."""
        self._engine = engine
        self._profile = Profile(app_id=app_id, worker="this process", stateful_history=True)
        self._activities = ActivityRunner(
            self._find,
            threads=settings.threads,
            processes=settings.processes,
            gate_of=self._gate_of,
        )
        self._members: list[Member] = []
        self._of: dict[Hashable, Member] = {}  # where there are several
        self._runs: dict[str, Run] = {}  # by the tokens of their errands
        self._quiet = asyncio.Event()  # set whenever nothing runs any more
        self._app: LocalApp | None = None

    # ---- who is there

    def attach(
        self, registry: Registry, context_type: type[WorkflowContext], bounds: Bounds
    ) -> Member:
        """Have the work of a registry done, within its bounds.

        Raises ShuttingDown when nothing more is taken.
        """
        self._activities.widen(bounds.threads or 0)
        member = Member(registry, context_type, bounds)
        self._members.append(member)
        self.begin()
        return member

    def begin(self) -> None:
        """Take work if there is anything that could do it."""
        if self._app is None and any(member.has_anything for member in self._members):
            self._app = self._engine.attach(self._profile, self)
            self._app.on_recall = self._recall

    def detach(self, member: Member) -> None:
        """Have the work of a registry done no more; what it has in hand comes to its end."""
        self._members.remove(member)
        self._of.clear()
        if not any(each.has_anything for each in self._members):
            self.leave()

    async def release(self, member: Member, timeout_us: int) -> None:
        """Have the work of a registry done no more, once what runs has come to its end.

        Only the last one to go is waited for; what takes longer than `timeout_us` runs again.
        """
        others = (each for each in self._members if each is not member)
        if self._app is not None and self._runs and not any(o.has_anything for o in others):
            self._app.resting = True
            self._quiet.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_us / SECOND_US):
                    await self._quiet.wait()
            # Whoever has come meanwhile begins with a place of its own.
            self.leave()
        self.detach(member)
        self.begin()

    def cut(self) -> None:
        """Stop activities that still run: they run again in the next process."""
        count = len(self._activities)
        if count:
            _log.warning("%d activities are cut off, and will run again", count)
        self._activities.close()

    def leave(self) -> None:
        """Take no more work; what is in hand is handed out again."""
        if self._app is not None:
            self._app.close()
            self._app = None

    # ---- turns

    def decide(
        self,
        key: Hashable,
        past_length: int,
        past: Callable[[], Sequence[Event]],
        new: Sequence[Event],
        propagated: bytes | None = None,
    ) -> Decision | str:
        """Return what the workflow's code decides (see `engine.local.LocalWork`)."""
        member = self._members[0] if len(self._members) == 1 else self._member(key, past, new)
        lineage = no_lineage if propagated is None else partial(lineage_of, propagated)
        decision = member.replayer.decide(key, past_length, past, new, lineage=lineage)
        if isinstance(decision, Decision):
            return decision
        _log.error("%s", decision.sentence)
        return decision.sentence

    def forget(self, key: Hashable) -> None:
        """Drop what is kept of a history."""
        self._of.pop(key, None)
        for member in self._members:
            member.replayer.forget(key)

    def let_go(self) -> None:
        """End all code that is kept: left to the garbage collector it would end anywhere."""
        for member in self._members:
            member.replayer.forget_all()

    def _member(
        self, key: Hashable, past: Callable[[], Sequence[Event]], new: Sequence[Event]
    ) -> Member:
        found = self._of.get(key)
        if found is None:
            name = _name_in(new) or _name_in(past()) or ""
            having = (member for member in self._members if member.has_workflow(name))
            found = self._of[key] = next(having, self._members[0])
            if len(self._of) > _PLACES_KEPT_MAX:
                del self._of[next(iter(self._of))]
        return found

    # ---- activities

    def run(self, errand: Errand) -> None:
        """Begin an activity (see `engine.local.LocalWork`)."""
        call = ActivityCall(errand.instance_id, errand.scheduled, errand.propagated)
        run = self._activities.begin(call, partial(self._ended, errand))
        if run is not None:
            self._runs[errand.token] = run

    def _find(self, name: str) -> Activity | None:
        for member in self._members:
            found = member.registry.activities.get(name)
            if found is not None:
                return found
        return None

    def _gate_of(self, activity: Activity) -> Gate | None:
        for member in self._members:
            if member.registry.activities.get(activity.name) is activity:
                return member.gate
        return None

    def _ended(self, errand: Errand, outcome: Outcome) -> None:
        self._runs.pop(errand.token, None)
        if not self._runs:
            self._quiet.set()
        app = errand.stream
        assert isinstance(app, LocalApp), app
        if isinstance(outcome, Returned):
            app.completed(errand, outcome.result)
        else:
            app.failed(errand, outcome.failure)

    def _recall(self, token: str) -> None:
        run = self._runs.get(token)
        if run is not None:
            self._activities.cancel(run, GONE)


def _name_in(events: Sequence[Event]) -> str | None:
    return next((event.name for event in events if isinstance(event, ExecutionStarted)), None)
