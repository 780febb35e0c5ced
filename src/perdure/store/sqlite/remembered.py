"""What the writer knows from earlier commits, so that it need not ask the file again.

The file has one owner, so what was learned or written stays true until it is written again. It is
only ever a part of what is there: whoever is not found here is asked for. A commit that fails has
changed what is known of its instances, so everything is forgotten then.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from perdure.store.gathering import Known, Name

_INSTANCES_MAX: Final = 20_000


class Remembered:
    """Unfinished instances, and those of their tasks that are open."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[int, Known] = {}
        self._tasks: dict[int, dict[tuple[int, int], int]] = {}  # the row of each

    def find(self, key: int) -> Known | None:
        """Return what is known of an instance."""
        return self._known.get(key)

    def task(self, name: Name) -> int | None:
        """Return the row of a task that is known to be open."""
        tasks = self._tasks.get(name[0])
        return None if tasks is None else tasks.get(name[1:])

    def keep_all(
        self,
        known: Mapping[int, Known | None],
        given_up: Iterable[int],
        tasks: Mapping[Name, int],
    ) -> None:
        """Remember what a commit has come to.

        `given_up` are instances whose tasks of before are not open any more; `tasks` has the row of
        each open one that it has touched, 0 for one that is not.
        """
        for key, each in known.items():
            if each is None:
                self.drop(key)
            else:
                self.keep(each)
        for key in given_up:
            self._tasks.pop(key, None)
        for name, row in tasks.items():
            self.keep_task(name, row)
        self.trim()

    def keep(self, known: Known) -> None:
        """Remember an instance as it is after a commit; a finished one is not asked for again."""
        if known.finished:
            self.drop(known.key)
            return
        known.has_tasks = known.has_timers = False
        self._known[known.key] = known

    def keep_task(self, name: Name, row: int) -> None:
        """Remember that a task is open in a row, or with a row of 0 that it is not."""
        key, place = name[0], name[1:]
        if row and key in self._known:
            self._tasks.setdefault(key, {})[place] = row
        elif key in self._tasks:
            self._tasks[key].pop(place, None)
            if not self._tasks[key]:
                del self._tasks[key]

    def drop(self, key: int) -> None:
        """Forget an instance."""
        self._known.pop(key, None)
        self._tasks.pop(key, None)

    def trim(self) -> None:
        """Let those go that were learned of longest ago, if there are too many."""
        over = len(self._known) - _INSTANCES_MAX
        if over > 0:
            for key in list(islice(self._known, over + _INSTANCES_MAX // 8)):
                self.drop(key)

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()
        self._tasks.clear()
