"""The disk of a test: the store in memory, at whose commits the process may die."""

from collections.abc import Callable, Sequence
from random import Random

from perdure.proving.disk import Commit, Disk
from perdure.proving.images import Change, Images
from perdure.proving.odds import QUIET
from perdure.store.port import Entry, Outcome, Store
from perdure.testing.occasions import Occasions
from perdure.testing.schedule import Kind
from perdure.testing.telling import Teller


class TrialDisk(Disk):
    """A disk that is at the mercy of a schedule, and of nothing else."""

    def __init__(self, store: Store, occasions: Occasions, broken: Callable[[str], None]) -> None:
        """`broken` is told of what the store finds wrong with a commit."""
        super().__init__(store, Random(0))
        self.images = _Unseen(store)
        self.odds = QUIET
        self.on_changed: Callable[[], None] = lambda: None
        self.on_restart: Callable[[], None] = lambda: None
        self.on_landed = self._commit_landed
        self.on_broken = broken
        self.on_fault = lambda _: None
        self.step = int
        self._occasions = occasions
        self._teller = Teller(store)

    def happens(self, kind: str) -> bool:
        """Tell whether the schedule has a fault of a kind happen now."""
        match kind:
            case "crash_before_commit":
                found = Kind.CRASH_BEFORE_COMMIT
            case "crash_after_commit":
                found = Kind.CRASH_AFTER_COMMIT
            case _:
                return False
        return self._happens(found, self.committing)

    def delay_us(self) -> int:
        """Let nothing take time by itself."""
        return 0

    def _happens(self, kind: Kind, entries: Sequence[Entry]) -> bool:
        return self._occasions.fault(kind, lambda: self._teller.told(entries)) is not None

    def _commit_landed(self, commit: Commit) -> None:
        if self._happens(Kind.RESTART, commit.entries):
            self.on_restart()
        self.on_changed()


class _Unseen(Images):
    """Nobody compares a test's instances with what they were before: they are not read again."""

    def after(self, entries: Sequence[Entry], outcomes: Sequence[Outcome]) -> tuple[Change, ...]:
        del entries, outcomes
        return ()
