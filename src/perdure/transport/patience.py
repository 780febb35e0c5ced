"""How often a client may do what costs the server more than itself."""


class Patience:
    """So many times at once, and so many times a second."""

    __slots__ = ("_burst", "_left", "_per_s", "_since_s")

    def __init__(self, burst: float, per_s: float, now_s: float) -> None:
        """Begin rested."""
        self._burst = burst
        self._per_s = per_s
        self._left = burst
        self._since_s = now_s

    def lasts(self, now_s: float, cost: float = 1.0) -> bool:
        """Bear something once more; tells whether that was not once too often."""
        rested = self._left + (now_s - self._since_s) * self._per_s
        self._since_s = now_s
        self._left = min(self._burst, rested) - cost
        return self._left >= 0
