"""How much waits on a shelf for each instance id, so that nothing is read where nothing waits.

What is being written counts already, and what may have been written counts as well: there is
never less here than on disk, and more only until somebody looks.
"""

from collections.abc import Mapping


class Tally:
    """Counts by instance id, with a limit for each and one for all."""

    def __init__(self, *, most_of_one: int, most: int) -> None:
        """Begin with none."""
        self._most_of_one = most_of_one
        self._most = most
        self._counts: dict[str, int] = {}
        self._total = 0
        self._being_written = 0
        self._changes = 0

    def __contains__(self, instance_id: str) -> bool:
        """Tell whether something may wait for an instance."""
        return instance_id in self._counts

    def count(self, instance_id: str) -> int:
        """Return how much may wait for an instance."""
        return self._counts.get(instance_id, 0)

    def full(self, instance_id: str) -> bool:
        """Tell whether no more may wait for an instance."""
        return self._total >= self._most or self.count(instance_id) >= self._most_of_one

    # ---- writing

    def begin(self, instance_id: str) -> None:
        """Note that one is being written."""
        self._change(instance_id, 1)
        self._being_written += 1
        self._changes += 1

    def end(self, instance_id: str, *, kept: bool) -> None:
        """Note that it is written, or may be; without `kept`, that it is not."""
        self._being_written -= 1
        if not kept:
            self._change(instance_id, -1)

    def remove(self, instance_id: str, count: int = 1) -> None:
        """Note that so much is on disk no longer."""
        self._changes += 1
        self._change(instance_id, -count)

    # ---- looking

    def mark(self) -> int | None:
        """Return what tells later whether anything was changed since; None if it may be.

        Take it before reading from disk, and hand it in with what was read.
        """
        return None if self._being_written else self._changes

    def at_least(self, counts: Mapping[str, int]) -> None:
        """Note that so much is on disk: that others have written it, or it was counted already."""
        for instance_id, count in counts.items():
            self._change(instance_id, max(0, count - self.count(instance_id)))

    def none_left(self, instance_id: str, mark: int | None) -> None:
        """Note that nothing of an instance is on disk, unless that may have changed."""
        if mark is not None and mark == self._changes:
            self._change(instance_id, -self.count(instance_id))

    def found(self, counts: Mapping[str, int], mark: int | None) -> None:
        """Note what is on disk, unless that may have changed."""
        if mark is not None and mark == self._changes:
            self._counts = dict(counts)
            self._total = sum(counts.values())

    def _change(self, instance_id: str, difference: int) -> None:
        count = self.count(instance_id) + difference
        assert count >= 0, f"more was taken than waited for '{instance_id}'"
        self._total += difference
        if count:
            self._counts[instance_id] = count
        else:
            self._counts.pop(instance_id, None)
