"""Instances begun anew from an event of a finished one (behaviour.md 4.11)."""

from collections.abc import Sequence
from dataclasses import replace

from perdure.base.time import is_never
from perdure.core import effects as fx
from perdure.core.events import ExecutionStarted
from perdure.core.kinds import KIND_OF
from perdure.core.requests import Reason, Refusal, Rerun
from perdure.core.rerun import Rerunnable, check_request, no_source, rerun
from perdure.core.state import blank, fold
from perdure.core.views import next_wake_us, waits_for
from perdure.engine.aftermath import Aftermath
from perdure.engine.ground import Ground
from perdure.engine.inboxes import Inboxes
from perdure.engine.rows import birth, inbox_add, lifecycle, task_add
from perdure.engine.timers import Timers
from perdure.store.port import (
    BORN_FIRST,
    Birth,
    Entry,
    HistoryAdd,
    Identity,
    Loaded,
    Outcome,
    TaskAdd,
    TimerAdd,
    Verdict,
)
from perdure.wire.events import decode, decode_stored, encode


class Rerunning:
    """Begins instances anew."""

    def __init__(
        self, ground: Ground, inboxes: Inboxes, aftermath: Aftermath, timers: Timers
    ) -> None:
        """Begin instances through `aftermath`."""
        self._clock = ground.clock
        self._reader = ground.reader
        self._landing = ground.landing
        self._inboxes = inboxes
        self._aftermath = aftermath
        self._timers = timers

    async def rerun(self, request: Rerun) -> str | Refusal:
        """Begin a new instance, and return its id once that is on disk."""
        refusal = check_request(request)
        if refusal is not None:
            return refusal
        source = await self._reader.read(lambda store: store.load(request.source_id))
        if source is None:
            return no_source(request)
        history = [decode_stored(row.event) for row in source.history]
        now_us = self._clock.now_us()
        found = rerun(request, history, source.snapshot.identity.app_id, now_us)
        if isinstance(found, Refusal):
            return found
        entry = self._entry(found, source, now_us)
        outcome = await self._landing.once(entry, lambda outcome: self._born(entry, outcome))
        if outcome.verdict is Verdict.LANDED:
            return request.new_id
        return await self._taken(request.new_id, [each.identity for each in entry.births])

    async def _taken(self, new_id: str, wanted: Sequence[Identity]) -> Refusal:
        """Return which id is in use: the new one, or that of a child it would be born with."""
        ids = [each.instance_id for each in wanted]
        in_use = await self._reader.read(
            lambda store: [each for each in ids if store.snapshot(each) is not None]
        )
        twice = [each for each in ids if ids.count(each) > 1]
        # What was in use may have been purged since; then the new id is as good as any.
        found = next(iter((*in_use, *twice)), new_id)
        text = f"workflow '{found}' has already been created"
        if found != new_id:
            text = f"{text}, and would be a child of '{new_id}'"
        return Refusal(Reason.ALREADY_EXISTS, text)

    def _entry(self, found: Rerunnable, source: Loaded, now_us: int) -> Entry:
        propagated = source.snapshot.identity.propagated
        main = birth(
            replace(found.started, scheduled_start_us=None),
            app_id=source.snapshot.identity.app_id,
            now_us=now_us,
            propagated=propagated,
        )
        rows = tuple(HistoryAdd(KIND_OF[type(e)], encode(e)) for e in found.history)
        state = fold(blank(), found.history)
        head = replace(
            main.head,
            phase=state.phase,
            started_at_us=found.history[0].at_us,
            updated_at_us=now_us,
            waits_for=waits_for(state),
            next_wake_us=next_wake_us(state),
            history_length=state.history_length,
            history_bytes=sum(len(row.event) for row in rows),
            version_name=state.version_name,
            patches=state.patches,
        )
        tasks: list[TaskAdd] = []
        timers: list[TimerAdd] = []
        children: list[Birth] = []
        for effect in found.effects:
            match effect:
                case fx.RunTask():
                    data = encode(effect.scheduled)
                    tasks.append(task_add(effect, data, 1, lambda _scope: propagated))
                case fx.SetTimer(created) if not is_never(created.fire_at_us):
                    timers.append(TimerAdd(1, created.event_id, created.fire_at_us))
                case fx.Birth():
                    children.append(_child(effect, now_us))
                case _:
                    pass
        main = replace(
            main, head=head, inbox=(), history=rows, tasks=tuple(tasks), timers=tuple(timers)
        )
        row = lifecycle("created", now_us, main.identity)
        return Entry(key=None, births=(main, *children), lifecycle=(row,))

    def _born(self, entry: Entry, outcome: Outcome) -> None:
        if outcome.verdict is not Verdict.LANDED:
            return
        first, *children = outcome.births
        assert first.key is not None, "the first birth of a landed entry has a key"
        self._aftermath.born_running(entry.births[0].identity)
        for timer in entry.births[0].timers:
            self._timers.note(timer.fire_at_us)
        self._aftermath.born_running(entry.births[0].identity)
        self._landing.spawn(self._aftermath.recover_tasks(first.key), "running again")
        for made, born in zip(entry.births[1:], children, strict=True):
            add = made.inbox[0]
            started = decode(add.event)
            assert isinstance(started, ExecutionStarted), "an instance is born with its start"
            if born.key is not None:
                identity = replace(made.identity, parent_key=first.key)
                made = replace(made, identity=identity)  # noqa: PLW2901 - its parent is known now
                self._aftermath.born(made, started, born.key, born.inbox_seqs)
            elif made.if_taken is not None and born.inbox_seqs:
                told = made.if_taken
                self._inboxes.deliver(first.key, born.inbox_seqs[0], told, decode(told.event))


def _child(effect: fx.Birth, now_us: int) -> Birth:
    return birth(
        effect.started,
        app_id=effect.app_id,
        now_us=now_us,
        parent=(BORN_FIRST, 1),
        if_taken=None if effect.if_taken is None else inbox_add(effect.if_taken, generation=1),
    )
