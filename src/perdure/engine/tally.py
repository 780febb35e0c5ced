"""How much waits on a shelf for each instance id, so that nothing is read where nothing waits."""


class Tally:
    """Counts by instance id, with a limit for each and one for all."""

    def __init__(self, *, most_of_one: int, most: int) -> None:
        """Begin with none."""
        self._most_of_one = most_of_one
        self._most = most
        self._counts: dict[str, int] = {}
        self._total = 0

    def __contains__(self, instance_id: str) -> bool:
        """Tell whether something waits for an instance."""
        return instance_id in self._counts

    def __len__(self) -> int:
        """Return how much waits in all."""
        return self._total

    def full(self, instance_id: str) -> bool:
        """Tell whether no more may wait for an instance."""
        return self._total >= self._most or self._counts.get(instance_id, 0) >= self._most_of_one

    def add(self, instance_id: str, count: int = 1) -> None:
        """Note that so much more waits."""
        self._counts[instance_id] = self._counts.get(instance_id, 0) + count
        self._total += count

    def remove(self, instance_id: str, count: int = 1) -> None:
        """Note that so much waits no longer."""
        left = self._counts[instance_id] - count
        assert left >= 0, f"more was taken than waited for '{instance_id}'"
        self._total -= count
        if left:
            self._counts[instance_id] = left
        else:
            del self._counts[instance_id]
