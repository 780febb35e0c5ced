"""The auditor keeps what was asked, acknowledged, handed out and answered, and predicts replies.

It knows nothing of the engine: it sees requests and replies, work items and answers, and images of
the disk after each commit. The checkers look things up here, and accuse.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from perdure.core.events import Event, EventRaised, Kind
from perdure.core.requests import RaiseEvent
from perdure.core.status import TERMINAL, Status
from perdure.proving.calls import Call, Fault
from perdure.proving.dialects import forms_of
from perdure.proving.disk import Commit
from perdure.proving.images import Change, Image, Images, event_of
from perdure.proving.items import ActivityItem, TurnItem
from perdure.proving.shared_disk import Ways

_STATES_MAX: Final = 60
_HAND_OUTS_MAX: Final = 40
UNBORN: Final = 0  # the key of what is handed out of nobody who is on disk
CALL_TAG: Final = "call"


@dataclass(frozen=True, slots=True)
class Seen:
    """What could be seen of an id from one step on; a key of None means nobody bore it."""

    step: int
    key: int | None
    status: Status
    suspended: bool
    has_parent: bool

    @property
    def there(self) -> bool:
        return self.key is not None

    @property
    def finished(self) -> bool:
        return self.there and self.status in TERMINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOut:
    """A work item that was written to a stream."""

    node: str  # with the number of its life
    link: str
    key: int
    item: TurnItem | ActivityItem
    generation: int
    position: int  # how long the history was
    term: int = 0  # of the lease that it was handed out under, where there are leases
    step: int = 0
    at_us: int = 0


class Auditor:
    """The books of one run."""

    def __init__(self, images: Images) -> None:
        """Begin with empty books."""
        self.images = images
        self.ways: Ways | None = None  # where several nodes share the disk
        self.step = 0
        self.clock_us: Callable[[], int] = int  # what time the engine believes it is
        self.now_us = 0
        self.calls: dict[str, deque[Call]] = {}  # by the instance that is asked for
        self.states: dict[str, deque[Seen]] = {}
        self.cut_off: dict[str, int] = {}  # from which step on the states of an id are known
        self.children: dict[int, list[int]] = {}
        self.born: dict[int, tuple[str, int | None]] = {}  # each key's id, and its parent's key
        self.born_step: dict[int, int] = {}
        self.born_us: dict[int, int] = {}
        self.changed_us: dict[int, int] = {}  # of each key: when anything of it last changed
        self.ended_step: dict[int, int] = {}  # of each key: when it finished or was removed
        self.marks_seen: set[str] = set()  # starts and events that were on disk at some time
        self.turns_out: dict[str, HandOut] = {}  # by instance id: the last one
        self.turns_of: dict[int, deque[HandOut]] = {}
        self.tasks_out: dict[tuple[int, int, int], deque[HandOut]] = {}
        self.results_made: set[str] = set()
        self.unsure_events: set[str] = set()  # whoever raised them was told of an error
        self.terminate_us: dict[int, int] = {}  # of each key: when an order to end was on disk
        self.tainted: set[int] = set()  # see `met`
        self.acknowledged: Counter[str] = Counter()

    # ---- requests

    def sent(self, call: Call) -> None:
        """Note a request that has left its client."""
        for name in _names_of(call):
            self.calls.setdefault(name, deque(maxlen=400)).append(call)

    def answered(self, call: Call) -> None:
        """Note a reply that a node has made."""
        call.answered_step = self.step
        if isinstance(call.reply, Fault) and isinstance(call.request, RaiseEvent):
            self.unsure_events.add(call.request.input or "")
        if call.accepted:
            self.acknowledged[call.kind] += 1

    def window(self, instance_id: str, since: int) -> list[Seen] | None:
        """Return every state of an id from a step on, or None if not all are known any more."""
        known = self.states.get(instance_id, deque())
        if self.cut_off.get(instance_id, 0) > since:
            return None
        nobody = Seen(0, None, Status.PENDING, suspended=False, has_parent=False)
        earlier = [seen for seen in known if seen.step <= since][-1:] or [nobody]
        return [*earlier, *[seen for seen in known if seen.step > since]]

    def last_key(self, instance_id: str) -> int:
        """Return the key of who last bore an id; 0 if nobody is known to have."""
        known = self.states.get(instance_id, deque())
        return next((seen.key for seen in reversed(known) if seen.key is not None), 0)

    def may_be_asked(self, instance_id: str, kind: str, since: int) -> list[Call]:
        """Return the requests of a kind that may still have had an effect after a step."""
        return [
            call
            for call in self.calls.get(instance_id, ())
            if call.kind == kind and (call.answered_step is None or call.answered_step >= since)
        ]

    # ---- the disk

    def landed(self, commit: Commit) -> None:
        """Note what a commit has changed."""
        for change in commit.changes:
            self._log(change)
            if change.after is not None:
                self._note_marks(change.before, change.after)
            if change.after is None or change.after.finished:
                self._note_last_words(change.key, commit)
            if change.after is None:
                self._close_the_book_of(change.key)

    def _close_the_book_of(self, key: int) -> None:
        """What was handed out of an instance that is gone is of no more interest."""
        self.turns_of.pop(key, None)
        for name in [name for name in self.tasks_out if name[0] == key]:
            del self.tasks_out[name]

    def _note_last_words(self, key: int, commit: Commit) -> None:
        """What landed in an inbox that went in the same commit was there for no image to show."""
        for entry, outcome in zip(commit.entries, commit.outcomes, strict=True):
            for add, seq in zip(entry.inbox, outcome.inbox_seqs, strict=False):
                if entry.key == key and seq is not None:
                    self._note_event(event_of(add.event))

    def _note_event(self, event: Event) -> None:
        if isinstance(event, EventRaised) and event.input:
            self.marks_seen.add(event.input)

    def _log(self, change: Change) -> None:
        before, after = change.before, change.after
        image = after or before
        assert image is not None, "a change has a side"
        key = image.key
        self.changed_us[key] = self.now_us
        if before is None:
            parent = image.snapshot.identity.parent_key
            self.born_step[key] = self.step
            self.born_us[key] = self.now_us
            self._taint_copy(image)
            self._adopt(image)
            self.born[key] = (image.instance_id, parent)
            if parent is not None:
                self.children.setdefault(parent, []).append(key)
        gone = after is None or after.finished
        if gone:
            self.ended_step.setdefault(key, self.step)
        bearer = self.images.by_id.get(image.instance_id)
        if after is None and bearer is not None:
            self._see(image.instance_id, None)  # for a moment, between two lives
        self._see(image.instance_id, bearer)

    def _taint_copy(self, image: Image) -> None:
        """A rerun copies the history of its source, be it as it may."""
        for call in self.calls.get(image.instance_id, ()):
            source = getattr(call.request, "source_id", None)
            copied = None if source is None else self.images.by_id.get(source)
            if image.history and copied is not None and copied.key in self.tainted:
                self.tainted.add(image.key)

    def _adopt(self, image: Image) -> None:
        """A first turn is handed out before its instance has a key."""
        starts = forms_of(
            [*(row.add.event for row in image.inbox), *(r.event for r in image.history)]
        )
        for out in self.turns_of.get(UNBORN, ()):
            if isinstance(out.item, TurnItem) and starts.keys() & {*out.item.new_bytes}:
                new = tuple(starts.get(event, event) for event in out.item.new_bytes)
                item = replace(out.item, new_bytes=new)
                own = replace(out, item=item, key=image.key, generation=image.generation)
                self._turns_of(image.key).append(own)

    def _turns_of(self, key: int) -> deque[HandOut]:
        return self.turns_of.setdefault(key, deque(maxlen=_HAND_OUTS_MAX))

    def _see(self, instance_id: str, bearer: Image | None) -> None:
        if bearer is None:
            seen = Seen(self.step, None, Status.PENDING, suspended=False, has_parent=False)
        else:
            snapshot = bearer.snapshot
            seen = Seen(
                self.step,
                bearer.key,
                Status(snapshot.status),
                suspended=snapshot.suspended,
                has_parent=snapshot.identity.parent_key is not None,
            )
        states = self.states.setdefault(instance_id, deque(maxlen=_STATES_MAX))
        if len(states) == _STATES_MAX:
            self.cut_off[instance_id] = states[1].step
        states.append(seen)

    def _note_marks(self, before: Image | None, after: Image) -> None:
        if before is None:
            self.marks_seen.update(
                value for name, value in after.snapshot.identity.tags if name == CALL_TAG
            )
        known = set() if before is None else {row.seq for row in before.inbox}
        for row in after.inbox:
            if row.seq not in known:
                self._note_event(event_of(row.add.event))
                if row.add.kind == Kind.EXECUTION_TERMINATED:
                    self.terminate_us.setdefault(after.key, self.now_us)

    def line_of(self, key: int) -> list[str]:
        """Return the ids of an instance and of everybody above it, in their lives of that time."""
        line = []
        above: int | None = key
        while above is not None and above in self.born:
            instance_id, above = self.born[above]
            line.append(instance_id)
        return line

    def below(self, key: int) -> Iterator[int]:
        """Yield the keys of everybody who was ever born below an instance."""
        for child in self.children.get(key, ()):
            yield child
            yield from self.below(child)

    def active_below(self, key: int, since: int) -> bool:
        """Tell whether anybody below an instance was unfinished at or after a step."""
        return any(self.ended_step.get(each, since) >= since for each in self.below(key))

    # ---- work

    def handed_out(self, out: HandOut) -> None:
        """Note a work item that has been handed out."""
        match out.item:
            case TurnItem():
                self.turns_out[out.item.instance_id] = out
                self._turns_of(out.key).append(out)
            case ActivityItem():
                name = (out.key, out.generation, out.item.task_id)
                self.tasks_out.setdefault(name, deque(maxlen=_HAND_OUTS_MAX)).append(out)

    def met(self, item: TurnItem | ActivityItem, node: str) -> None:
        """Note an answer without a token; one that meets work other than its own taints that.

        Nothing in it tells an earlier life, generation or batch from the present one: such
        workers are protected no further than their protocol lets them be.
        """
        bearer = self.images.by_id.get(item.instance_id)
        if bearer is None:
            return
        match item:
            case TurnItem():
                last = self.turns_out.get(item.instance_id)
                if last is None or not isinstance(last.item, TurnItem) or last.node != node:
                    return
                same = (item.new_bytes[1:], len(item.known)) == (
                    last.item.new_bytes[1:],
                    last.position,
                )
            case ActivityItem():
                name = (bearer.key, bearer.generation, item.task_id)
                outs = self.tasks_out.get(name)
                same = not outs or outs[-1].item.input == item.input
        if not same:
            self.tainted.add(bearer.key)


def _names_of(call: Call) -> tuple[str, ...]:
    source = getattr(call.request, "source_id", None)
    return (call.target,) if source is None else (call.target, source)
