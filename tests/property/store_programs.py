"""Programs for stores: entries drawn at random, but so that most of them mean something.

What an entry names (keys, versions, rows) is drawn from what a store holds at that moment, with
something stale or made up now and then. That store runs ahead: it takes each entry by itself as
soon as it is drawn, so that the next one may build on it in the same commit.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any, TypeVar

from hypothesis import strategies as st

from perdure.store.port import (
    BORN_FIRST,
    Birth,
    Entry,
    HandOut,
    Head,
    HistoryAdd,
    Identity,
    InboxAdd,
    LifecycleAdd,
    Message,
    NoteAdd,
    NoteEnd,
    NoteRule,
    Require,
    Store,
    TaskAdd,
    TaskEnd,
    TimerAdd,
    TimerEnd,
)

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[Any]], Any]

IDS = ("a", "b", "c", "d", "é", "z\x00")
NAMES = ("order", "Order", "ship")
PHASES = (6, 0, 0, 1, 3, 5)
SHELVES = ("receipts", "mailbox")
KINDS = (3, 4, 5, 12, 15)

_moments = st.integers(0, 6)
_events = st.sampled_from((b"", b"x", b"\x00\xff", b"e" * 300))
_texts = st.sampled_from((None, "", "t", "u"))


class Author:
    """Draws the entries of a program; remembers which numbers it has used."""

    def __init__(self, ahead: Store) -> None:
        self.ahead = ahead
        self._fresh = count(1)

    def draw(self, strategy: st.SearchStrategy[T]) -> T:
        drawn: T = self._draw(strategy)
        return drawn

    def entries(self, draw: Draw) -> list[Entry]:
        """Draw a commit."""
        self._draw = draw
        entries = []
        for _ in range(self.draw(st.integers(1, 5))):
            entries.append(self.entry())
            self.ahead.commit(entries[-1:])
        return entries

    def entry(self) -> Entry:
        """Draw what one step changes, with notes now and then."""
        step = self.step()
        if self.draw(st.integers(0, 2)):
            return step
        names = st.tuples(st.sampled_from(SHELVES), st.sampled_from(IDS))
        return replace(
            step,
            notes=tuple(
                map(self.note_add, self.draw(st.lists(names, max_size=2, unique=True))),
            ),
            ended_notes=tuple(
                NoteEnd(*name, must_exist=self.draw(st.booleans()))
                for name in self.draw(st.lists(names, max_size=2, unique=True))
            ),
            epitaph=() if step.key is None else self.lifecycle(),
        )

    def note_add(self, name: tuple[str, str]) -> NoteAdd:
        return NoteAdd(
            shelf=name[0],
            key=name[1],
            at_us=self.draw(_moments),
            body=self.draw(_events),
            about=self.draw(_texts),
            rule=self.draw(st.sampled_from(NoteRule)),
        )

    def step(self) -> Entry:
        keys = [key for key, _ in self.ahead.list_ids(0, 100)]
        if not keys or self.draw(st.integers(0, 4)) == 0:
            births: list[Birth] = []
            if not keys or self.draw(st.booleans()):
                births.append(self.birth(None))
            has_child = self.draw(st.booleans())
            if births and has_child:
                births.append(self.birth(BORN_FIRST))
            return Entry(
                key=None,
                births=tuple(births),
                messages=self.messages(),
                lifecycle=self.lifecycle(),
            )
        key = self.draw(st.sampled_from([*keys, 1, max(keys) + 1]))
        match self.draw(st.integers(0, 4)):
            case 0:
                return self.turn(key)
            case 1:
                return self.delivery(key)
            case 2:
                return self.task_end(key)
            case 3:
                return self.flags(key)
            case _:
                return self.anything(key)

    def turn(self, key: int) -> Entry:
        """What a turn changes."""
        found = self.ahead.load(key)
        inbox = [row.seq for row in found.inbox] if found else []
        return Entry(
            key=key,
            expect_version=self.version(key),
            require=self.draw(st.sampled_from(Require)),
            head=self.head(),
            wipe_history=self.draw(st.integers(0, 3)) == 0,
            history=self.history(),
            taken=tuple(self.draw(st.lists(st.sampled_from([*inbox, 1]), max_size=3))),
            wipe_inbox=self.draw(st.integers(0, 3)) == 0,
            tasks=self.tasks(key),
            timers=self.timers(key),
            ended_timers=self.ended_timers(key, must_exist=False),
            wipe_timers=self.draw(st.integers(0, 3)) == 0,
            wipe_tasks=self.draw(st.integers(0, 5)) == 0,
            births=tuple(self.birth(key) for _ in range(self.draw(st.integers(0, 2)))),
            messages=self.messages(),
            lifecycle=self.lifecycle(),
        )

    def delivery(self, key: int) -> Entry:
        """What a raised event or a fired timer changes."""
        return Entry(
            key=key,
            require=self.draw(st.sampled_from(Require)),
            inbox=tuple(self.inbox_add() for _ in range(self.draw(st.integers(0, 2)))),
            ended_timers=self.ended_timers(key, must_exist=True),
        )

    def task_end(self, key: int) -> Entry:
        """What the end of activities changes, and hand-outs noted on the way."""
        return Entry(
            key=key,
            require=self.draw(st.sampled_from(Require)),
            inbox=(self.inbox_add(),),
            ended_tasks=tuple(
                TaskEnd(generation, task_id, self.draw(_moments), self.draw(st.booleans()))
                for generation, task_id in self.task_names(key)
            ),
            handed_out=tuple(
                HandOut(generation, task_id, self.draw(st.sampled_from("vw")), self.draw(_moments))
                for generation, task_id in self.task_names(key)
            ),
        )

    def flags(self, key: int) -> Entry:
        flag = st.sampled_from((None, True, False))
        return Entry(
            key=key,
            suspended=self.draw(flag),
            held=self.draw(flag),
            lifecycle=self.lifecycle(),
            purge=self.draw(st.integers(0, 4)) == 0,
        )

    def anything(self, key: int) -> Entry:
        """Everything at once, in ways that no engine would ask for."""
        return Entry(
            key=key,
            expect_version=self.draw(st.sampled_from((None, self.version(key)))),
            suspended=self.draw(st.sampled_from((None, True, False))),
            wipe_history=self.draw(st.booleans()),
            history=self.history(),
            wipe_inbox=self.draw(st.booleans()),
            inbox=(self.inbox_add(),),
            tasks=self.tasks(key),
            ended_tasks=tuple(
                TaskEnd(generation, task_id, 1) for generation, task_id in self.task_names(key)[:1]
            ),
            wipe_tasks=self.draw(st.booleans()),
            timers=self.timers(key),
            wipe_timers=self.draw(st.booleans()),
            births=(self.birth(key),),
            messages=self.messages(),
            purge=self.draw(st.booleans()),
        )

    def version(self, key: int) -> int:
        found = self.ahead.snapshot(key)
        version = found.version if found else 1
        return version + self.draw(st.sampled_from((0, 0, 0, 0, 1)))

    def head(self) -> Head:
        phase = self.draw(st.sampled_from(PHASES))
        return Head(
            phase=phase,
            generation=self.draw(st.integers(1, 3)),
            created_at_us=self.draw(_moments),
            started_at_us=self.draw(st.none() | _moments),
            updated_at_us=self.draw(_moments),
            completed_at_us=self.draw(_moments) if phase in {1, 3, 5} else None,
            custom_status=self.draw(_texts),
            stalled=self.draw(st.sampled_from((None, None, None, "patch"))),
            waits_for=self.draw(st.sampled_from(("turn", "activity", "event"))),
            next_wake_us=self.draw(st.none() | _moments),
            history_length=self.draw(_moments),
            version_name=self.draw(_texts),
            patches=tuple(self.draw(st.lists(st.sampled_from("pq"), max_size=2))),
        )

    def birth(self, parent: int | None) -> Birth:
        instance_id = self.draw(st.sampled_from(IDS))
        bearer = self.ahead.snapshot(instance_id)
        key = next(self._fresh)
        tags = self.draw(st.dictionaries(st.sampled_from("kl"), st.sampled_from("vw"), max_size=2))
        return Birth(
            identity=Identity(
                instance_id=instance_id,
                name=self.draw(st.sampled_from(NAMES)),
                app_id=self.draw(st.sampled_from(("app", "other"))),
                execution_id=str(key),
                version=self.draw(_texts),
                scheduled_start_us=self.draw(st.none() | _moments),
                parent_key=parent,
                parent_id=None if parent is None else self.draw(st.sampled_from(IDS)),
                tags=tuple(tags.items()),
                propagated=self.draw(st.none() | _events),
            ),
            head=self.head(),
            inbox=tuple(self.inbox_add() for _ in range(self.draw(st.integers(0, 2)))),
            history=self.history(),
            tasks=tuple(self.task_add(0) for _ in range(self.draw(st.integers(0, 1)))),
            timers=(TimerAdd(0, -1, self.draw(_moments)),) if self.draw(st.booleans()) else (),
            held=self.draw(st.booleans()),
            replaces=self.draw(st.sampled_from((None, bearer.key, 1))) if bearer else None,
            if_taken=self.draw(st.sampled_from((None, self.inbox_add()))),
        )

    def history(self) -> tuple[HistoryAdd, ...]:
        return tuple(
            HistoryAdd(self.draw(st.sampled_from(KINDS)), self.draw(_events))
            for _ in range(self.draw(st.integers(0, 3)))
        )

    def inbox_add(self) -> InboxAdd:
        kind = self.draw(st.sampled_from(KINDS))
        return InboxAdd(kind, self.draw(_events), self.draw(st.integers(0, 2)), kind == 12)

    def task_add(self, task_id: int) -> TaskAdd:
        propagated = self.draw(st.none() | _events)
        return TaskAdd(1, task_id, "ship", "app", self.draw(_events), 5, propagated)

    def tasks(self, key: int) -> tuple[TaskAdd, ...]:
        """Draw new activities, some of them under the names of ended ones."""
        is_open = {row.add.task_id for row in self.ahead.tasks(0, 1_000) if row.key == key}
        ids = self.draw(st.lists(st.integers(0, 3), max_size=2, unique=True))
        return tuple(self.task_add(task_id) for task_id in ids if task_id not in is_open)

    def task_names(self, key: int) -> list[tuple[int, int]]:
        """Draw tasks of an instance, ended and made-up ones among them."""
        is_open = [row.add.task_id for row in self.ahead.tasks(0, 1_000) if row.key == key]
        ids = self.draw(st.lists(st.sampled_from([*is_open, *is_open, 0, 1]), max_size=2))
        return [(1, task_id) for task_id in ids]

    def timers(self, key: int) -> tuple[TimerAdd, ...]:
        taken = self.timer_ids(key)
        ids = self.draw(st.lists(st.integers(0, 3), max_size=2, unique=True))
        return tuple(
            TimerAdd(1, timer_id, self.draw(_moments)) for timer_id in ids if timer_id not in taken
        )

    def timer_ids(self, key: int) -> list[int]:
        return [row.timer_id for row in self.ahead.due_timers(1_000, 1_000) if row.key == key]

    def ended_timers(self, key: int, *, must_exist: bool) -> tuple[TimerEnd, ...]:
        known = self.timer_ids(key)
        ids = self.draw(st.lists(st.sampled_from([*known, *known, 0, -1]), max_size=2))
        return tuple(
            TimerEnd(0 if timer_id == -1 else 1, timer_id, must_exist=must_exist)
            for timer_id in ids
        )

    def messages(self) -> tuple[Message, ...]:
        to = st.sampled_from(IDS) | st.integers(1, 9)
        return tuple(
            Message(self.draw(to), self.inbox_add()) for _ in range(self.draw(st.integers(0, 2)))
        )

    def lifecycle(self) -> tuple[LifecycleAdd, ...]:
        return tuple(
            LifecycleAdd("created", self.draw(_moments), self.draw(st.sampled_from(IDS)), "order")
            for _ in range(self.draw(st.integers(0, 2)))
        )
