"""The store in memory with trouble on demand: commits that fail, wait, or lose their reply."""

from collections.abc import Callable, Sequence
from functools import wraps
from threading import Event, Lock
from typing import Any

from perdure.base.errors import StoreError, StoreFailed, StoreUnavailable, StoreUnsure
from perdure.store.memory import MemoryStore
from perdure.store.port import Entry, Loaded, Outcome, Snapshot, Store, Verdict

# What changes nothing lands whatever the trouble: it marks a place in the order of commits.
MARK = Entry(key=None)


def _counts_all(kind: "type[ShakyStore]") -> "type[ShakyStore]":
    """Have whatever the port has counted, also where nothing can go wrong with it."""
    for name in vars(Store).keys() & vars(MemoryStore).keys() - vars(kind).keys():
        if not name.startswith("_"):
            setattr(kind, name, _counted(getattr(MemoryStore, name)))
    return kind


def _counted(ask: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(ask)
    def asked(store: "ShakyStore", *arguments: Any, **named: Any) -> Any:
        store._count()  # noqa: SLF001 - a method of the class below
        return ask(store, *arguments, **named)

    return asked


@_counts_all
class ShakyStore(MemoryStore):
    """A `Store` that does what a disk can do at its worst, when it is told to."""

    def __init__(self, *made_of: Any) -> None:
        super().__init__(*made_of)
        self.commits = 0  # how often something landed
        self.calls = 0  # how often anything was asked, commits too
        self.landed: list[Entry] = []
        self.outcomes: list[Outcome] = []  # of what is in `landed`
        self._failing = 0
        self._losing = 0
        self._failing_reads = 0
        self._away = False
        self._left: int | None = None  # commits until the power fails
        self._hold_after = 0
        self._commits_may_go = _open_gate()
        self._loads_may_go = _open_gate()
        self._looks_may_go = _open_gate()
        self._replies_may_go = _open_gate()
        self.load_waits = Event()
        self.look_waits = Event()
        self.commit_waits = Event()
        self.reply_waits = Event()
        self._counting = Lock()

    # ---- trouble

    def fail_commits(self, times: int, *, away: bool = False) -> None:
        """Let the next commits fail, keeping nothing; with `away` as if nobody answered."""
        self._failing = times
        self._away = away

    def lose_replies(self, times: int) -> None:
        """Let the next commits land and then fail, as when a reply gets lost."""
        self._losing = times

    def fail_reads(self, times: int, *, away: bool = False) -> None:
        """Let the next reads of instances fail; with `away` as if nobody answered."""
        self._failing_reads = times
        self._away = away

    def power_fails_after(self, commits: int) -> None:
        """Let so many commits land and none after them."""
        self._left = commits

    def power_returns(self) -> None:
        """Let everything work again."""
        self._left = None

    def hold_commits(self, *, after: int = 0) -> None:
        """Let commits wait, before they do anything, until `let_commits_go`; `after` so many."""
        self._hold_after = after
        self.commit_waits.clear()
        if not after:
            self._commits_may_go.clear()

    def let_commits_go(self) -> None:
        self._commits_may_go.set()

    def hold_replies(self) -> None:
        """Let commits wait, after they have landed, until `let_replies_go`."""
        self.reply_waits.clear()
        self._replies_may_go.clear()

    def let_replies_go(self) -> None:
        self._replies_may_go.set()

    def hold_looks(self) -> None:
        """Let snapshots wait, before they are taken, until `let_looks_go`."""
        self.look_waits.clear()
        self._looks_may_go.clear()

    def let_looks_go(self) -> None:
        self._looks_may_go.set()

    def hold_loads(self) -> None:
        """Let loads wait with what they have read until `let_loads_go`."""
        self.load_waits.clear()
        self._loads_may_go.clear()

    def let_loads_go(self) -> None:
        self._loads_may_go.set()

    # ---- the store

    def commit(self, entries: Sequence[Entry]) -> list[Outcome]:
        if all(entry == MARK for entry in entries):
            return [Outcome(Verdict.LANDED)] * len(entries)
        if not self._commits_may_go.is_set():
            self.commit_waits.set()
        self._commits_may_go.wait()
        self._count()
        if self._failing > 0:
            self._failing -= 1
            raise self._trouble("the disk is full")
        if self._left is not None and self._left <= 0:
            raise StoreUnavailable("the power has failed")
        outcomes = super().commit(entries)
        for entry, outcome in zip(entries, outcomes, strict=True):
            if entry != MARK:
                self.landed.append(entry)
                self.outcomes.append(outcome)
        self._count_landed()
        if self._losing > 0:
            self._losing -= 1
            raise StoreUnsure("the reply was lost")
        self._reply()
        return outcomes

    def _reply(self) -> None:
        if not self._replies_may_go.is_set():
            self.reply_waits.set()
            self._replies_may_go.wait()

    def _count_landed(self) -> None:
        self.commits += 1
        if self._left is not None:
            self._left -= 1
        if self._hold_after:
            self._hold_after -= 1
            if not self._hold_after:
                self._commits_may_go.clear()

    def snapshot(self, instance: str | int) -> Snapshot | None:
        if not self._looks_may_go.is_set():
            self.look_waits.set()
            self._looks_may_go.wait()
        self._read()
        return super().snapshot(instance)

    def load(self, instance: str | int) -> Loaded | None:
        self._read()
        return self._gated(super().load(instance))

    def load_inbox(self, key: int) -> Loaded | None:
        return self._gated(super().load_inbox(key))

    def _gated(self, loaded: Loaded | None) -> Loaded | None:
        if not self._loads_may_go.is_set():
            self.load_waits.set()
            self._loads_may_go.wait()
        return loaded

    def children(self, key: int) -> tuple[Snapshot, ...]:
        self._read()
        return super().children(key)

    def _read(self) -> None:
        self._count()
        with self._counting:
            if self._failing_reads > 0:
                self._failing_reads -= 1
                raise self._trouble("the disk cannot be read")

    def _trouble(self, text: str) -> StoreError:
        return StoreUnavailable("the store is away") if self._away else StoreFailed(text)

    def _count(self) -> None:
        with self._counting:
            self.calls += 1


def _open_gate() -> Event:
    gate = Event()
    gate.set()
    return gate
