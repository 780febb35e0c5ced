"""What a commit is about, in words."""

from collections.abc import Iterator, Sequence
from typing import Final

from perdure.core import events as ev
from perdure.core.status import Status
from perdure.store.port import Entry, Store
from perdure.wire.events import decode_stored

_TOLD_MAX: Final = 3


class Teller:
    """Tells of commits before they land, with the names that the store knows."""

    def __init__(self, store: Store) -> None:
        """Look instances and activities up in `store`."""
        self._store = store

    def told(self, entries: Sequence[Entry]) -> str:
        """Return what a commit is about, at most a few things of it."""
        parts = list(dict.fromkeys(part for entry in entries for part in self._parts(entry)))
        parts = parts or [part for entry in entries for part in self._notes(entry)]
        more = [f"{len(parts) - _TOLD_MAX} more"] if len(parts) > _TOLD_MAX else []
        return " and ".join([*parts[:_TOLD_MAX], *more]) or "what is noted"

    def _parts(self, entry: Entry) -> Iterator[str]:
        if entry.key is None:
            yield from (f"the start of '{birth.identity.instance_id}'" for birth in entry.births)
            return
        snapshot = self._store.snapshot(entry.key)
        whose = f"'{snapshot.identity.instance_id}'" if snapshot else "an instance that is gone"
        if entry.head is not None:
            done = [text for add in entry.history if (text := _decided(decode_stored(add.event)))]
            yield f"a turn of {whose}" + (f" ({', '.join(done)})" if done else "")
        for add in entry.inbox:
            yield f"{self._arrived(entry.key, decode_stored(add.event))} of {whose}"

    def _notes(self, entry: Entry) -> Iterator[str]:
        for note in entry.handed_out:
            assert entry.key is not None, "who is handed out has been born"
            yield f"the note that {self._activity(entry.key, note.task_id)} was handed out"

    def _arrived(self, key: int, event: ev.Event) -> str:
        match event:
            case ev.TaskCompleted(task_id=task_id) | ev.TaskFailed(task_id=task_id):
                return f"the result of {self._activity(key, task_id)}"
            case ev.TimerFired():
                return "the firing of a timer"
            case ev.EventRaised(name=name):
                return f"the event '{name}'"
            case ev.ChildCompleted() | ev.ChildFailed():
                return "the result of a child"
            case _:
                return type(event).__name__

    def _activity(self, key: int, task_id: int) -> str:
        names = [row.add.name for row in self._store.tasks_of(key) if row.add.task_id == task_id]
        return names[-1] if names else f"activity {task_id}"


def _decided(event: ev.Event) -> str:
    match event:
        case ev.TaskScheduled(name=name):
            return f"calls {name}"
        case ev.TimerCreated():
            return "sets a timer"
        case ev.ChildCreated(name=name):
            return f"starts the child {name}"
        case ev.EventSent(name=name):
            return f"sends '{name}'"
        case ev.ExecutionCompleted(status=status):
            return Status(status).name.lower()
        case _:
            return ""
