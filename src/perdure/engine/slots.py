"""How much of one kind of work may be out at once, in all and by name."""

from collections.abc import Mapping

from perdure.engine.ownership import Ownership
from perdure.engine.quotas import Quota


class Slots:
    """Counts what is out of one kind of work, against limits of this node or of all together."""

    def __init__(
        self, kind: str, most: int | None, by_name: Mapping[str, int], owner: Ownership
    ) -> None:
        """Begin with nothing out; None is no bound."""
        self._most = most
        self._by_name = by_name
        self._out: dict[str, int] = {}
        self.total = 0
        # Where others have a part in the limits.
        self._quota: Quota | None = None
        self._quotas: dict[str, Quota] = {}
        if owner.quotas is not None:
            if most is not None:
                self._quota = owner.quotas.of(kind, "", most)
            self._quotas = {
                name: owner.quotas.of(kind, name, of, self._quota) for name, of in by_name.items()
            }

    def full(self) -> bool:
        """Tell whether nothing more may go out, whatever its name."""
        if self._quota is not None:
            return self._quota.full()
        return self._most is not None and self.total >= self._most

    def full_for(self, name: str) -> bool:
        """Tell whether the name's own limit is reached."""
        if self._quotas:
            quota = self._quotas.get(name)
            return quota is not None and quota.full()
        most = self._by_name.get(name)
        return most is not None and self._out.get(name, 0) >= most

    def refuses(self) -> bool:
        """Tell whether what is to go out may not, whatever its name; others are asked for more."""
        return self.full() if self._quota is None else self._quota.refuses()

    def refuses_for(self, name: str) -> bool:
        """Tell whether what is to go out may not for its name; others are asked for more."""
        quota = self._quotas.get(name)
        return self.full_for(name) if quota is None else quota.refuses()

    def take(self, name: str) -> None:
        """Count one out."""
        self.total += 1
        if name in self._by_name:
            self._out[name] = self._out.get(name, 0) + 1
        for quota in self._shares(name):
            quota.take()

    def give(self, name: str) -> None:
        """Count one back in."""
        assert self.total > 0, "nothing comes back that was not out"
        self.total -= 1
        if name in self._by_name:
            self._out[name] -= 1
        for quota in self._shares(name):
            quota.give()

    def _shares(self, name: str) -> list[Quota]:
        of_name = self._quotas.get(name)
        return [quota for quota in (self._quota, of_name) if quota is not None]
