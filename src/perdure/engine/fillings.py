"""What has happened since reads of the store began whose answers are yet to be taken in."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class Fillings:
    """Remembers for as long as any such read is under way."""

    def __init__(self) -> None:
        """Begin with none under way."""
        self.ended: set[Hashable] = set()  # activities
        self.gone: set[int] = set()  # instances that are purged or terminated
        self.paused: set[int] = set()  # instances that were suspended
        self._count = 0

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Rows read within this may be out of date when they are taken in."""
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self.ended.clear()
                self.gone.clear()
                self.paused.clear()

    @property
    def are_under_way(self) -> bool:
        """Whether there are reads whose answers are yet to be taken in."""
        return self._count > 0

    def has_ended(self, name: tuple[int, int, int]) -> bool:
        """Tell whether an activity has ended, or its instance is gone."""
        return name in self.ended or name[0] in self.gone

    def note(self, happened: set[int], key: int) -> None:
        """Remember what has happened to an instance, in one of the sets above."""
        if self._count:
            happened.add(key)

    def note_ended(self, name: Hashable) -> None:
        """Remember that an activity has ended."""
        if self._count:
            self.ended.add(name)
