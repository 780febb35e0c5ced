"""How busy the worker keeps a core while a workload is full."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Self

SAMPLE_S: Final = 0.05
# What is looked at of a workload, by time: not how it comes and goes.
BEGIN_PERCENT: Final = 10
END_PERCENT: Final = 90

Sample = tuple[float, float]  # seconds of a clock, seconds of CPU until then


def busy_percent(samples: Sequence[Sample]) -> float | None:
    """Return the share of a core in the middle of what was sampled; None if that is too short."""
    if not samples:
        return None
    begin_s, end_s = samples[0][0], samples[-1][0]
    lasted_s = end_s - begin_s
    middle = [
        sample
        for sample in samples
        if BEGIN_PERCENT <= (sample[0] - begin_s) * 100 / (lasted_s or 1) <= END_PERCENT
    ]
    if len(middle) < 2:  # noqa: PLR2004 - one moment has no share of anything
        return None
    (from_s, before_s), (to_s, after_s) = middle[0], middle[-1]
    return (after_s - before_s) / (to_s - from_s) * 100


class Busy:
    """Samples, beside what is done within `with`, the CPU seconds that `cpu_s` tells."""

    def __init__(self, cpu_s: Callable[[], float]) -> None:
        """Begin without samples."""
        self._cpu_s = cpu_s
        self._samples: list[Sample] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def percent(self) -> float | None:
        """The share of a core; None if it was too short to tell."""
        return busy_percent(self._samples)

    def _sample(self) -> None:
        while True:
            self._samples.append((time.perf_counter(), self._cpu_s()))
            if self._over.wait(SAMPLE_S):
                return
