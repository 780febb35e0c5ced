"""What a commit has to tell other nodes, entry by entry (`store.touching` says of what)."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from perdure.store.gathering import Name
from perdure.store.leases import News, Touched
from perdure.store.partitions import Partition
from perdure.store.port import Birth, Entry, Outcome, Verdict
from perdure.store.postgres.batch import Batch
from perdure.store.touching import noted_ids, told_ids, touched_keys, touches_all_activities


def keys_of_all(entries: Sequence[Entry]) -> set[int]:
    """Return the instances all of whose activities may have to be told of."""
    keys = {each.key for each in entries if touches_all_activities(each)}
    keys |= {birth.replaces for each in entries for birth in each.births}
    return {key for key in keys if key is not None}


@dataclass(slots=True)
class Telling:
    """The news of one commit."""

    batch: Batch
    open_tasks: dict[int, dict[tuple[int, int], str]]  # apps of those that are told of as a whole
    _touched: dict[tuple[str, int], dict[int, None]] = field(default_factory=dict)
    _ids: dict[str, None] = field(default_factory=dict)
    _noted: dict[str, None] = field(default_factory=dict)
    _before: dict[int, Collection[str]] = field(default_factory=dict)

    def about_to(self, entry: Entry) -> None:
        """Look at those who may be gone once an entry has landed."""
        keys = [entry.key, *[birth.replaces for birth in entry.births]]
        self._before = {
            key: set(self.open_tasks.get(key, {}).values())
            for key in keys
            if key is not None and self.batch.instance(key) is not None
        }

    def done(self, entry: Entry, outcome: Outcome) -> None:
        """Note what an entry has touched."""
        if outcome.verdict is not Verdict.LANDED:
            return
        births = zip(entry.births, outcome.births, strict=True)
        born = {made.key: birth for birth, made in births if made.key is not None}
        for key in touched_keys(entry, outcome):
            place = self.batch.place_of(key)
            if place is not None:  # else it was gone before, and nothing of it has changed
                for app_id in (place[0], *self._others(key, entry, born.get(key))):
                    self._touched.setdefault((app_id, place[1]), {})[key] = None
        self._follow_tasks(entry, outcome)
        self._ids |= dict.fromkeys(told_ids(entry, outcome))
        self._noted |= dict.fromkeys(noted_ids(entry))

    def _others(self, key: int, entry: Entry, birth: Birth | None) -> Iterator[str]:
        """Yield the apps that have to hear of an instance because they run its activities."""
        if key == entry.key:
            yield from [task.app_id for task in entry.tasks]
        if birth is not None:
            yield from [task.app_id for task in birth.tasks]
        has_gone = key in self._before and self.batch.instance(key) is None
        if has_gone or (key == entry.key and touches_all_activities(entry)):
            yield from sorted(self._before.get(key, ()))

    def _follow_tasks(self, entry: Entry, outcome: Outcome) -> None:
        """Keep true which activities are open, for the entries after this one."""
        if entry.key is not None and self.batch.instance(entry.key) is not None:
            own = self.open_tasks.setdefault(entry.key, {})
            for end in entry.ended_tasks:
                own.pop((end.generation, end.task_id), None)
            if entry.wipe_tasks:
                own.clear()
            own |= {(task.generation, task.task_id): task.app_id for task in entry.tasks}
        for birth, made in zip(entry.births, outcome.births, strict=True):
            if made.key is not None:
                tasks = {(task.generation, task.task_id): task.app_id for task in birth.tasks}
                self.open_tasks[made.key] = tasks

    def touched(self) -> dict[Partition, dict[int, None]]:
        """Return the keys to be told of, by partition."""
        return {Partition(*where): keys for where, keys in self._touched.items()}

    def news(self, held: Collection[Partition]) -> News:
        """Return what there is to tell; the partitions held are the teller's own."""
        touched = [
            Touched(where, tuple(keys))
            for where, keys in sorted(self.touched().items())
            if where not in held
        ]
        return News(tuple(touched), tuple(self._ids), tuple(self._noted))


def open_tasks_by_key(
    rows: Sequence[tuple[Name, str]],
) -> dict[int, dict[tuple[int, int], str]]:
    """Return the apps of activities that have not ended, by instance and name."""
    found: dict[int, dict[tuple[int, int], str]] = {}
    for (key, generation, task_id), app_id in rows:
        found.setdefault(key, {})[generation, task_id] = app_id
    return found
