"""What happened in a run, line by line: the last lines to look at, and a digest of all."""

from collections import Counter, deque
from hashlib import blake2b
from typing import Final

LINES_KEPT_MAX: Final = 400


class Trace:
    """Lines with their step and simulated time. Equal digests are equal runs."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.step = 0
        self.last: deque[str] = deque(maxlen=LINES_KEPT_MAX)
        self.counts: Counter[str] = Counter()
        self._digest = blake2b(digest_size=16)

    def add(self, now_us: int, what: str, text: str = "") -> None:
        """Add a line; each is a step of the run."""
        self.step += 1
        line = f"{self.step} {now_us / 1_000_000:.6f} {what} {text}"
        self.last.append(line)
        self._digest.update(line.encode())
        self._digest.update(b"\n")

    def note(self, data: bytes) -> None:
        """Let bytes count in the digest that are too long for a line."""
        self._digest.update(data)

    @property
    def digest(self) -> str:
        """What stands for every line so far."""
        return self._digest.hexdigest()
