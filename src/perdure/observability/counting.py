"""Counters and histograms that count in plain numbers: the page of a scrape is made of them later.

The library's own take a lock for each number and look through the buckets one by one, which came to
a tenth of what a step of a workflow costs. These are told of by one thread at a time, and read by
whichever makes the page: what it sees of a moment may be a step apart, as with the library's.
"""

from bisect import bisect_left
from collections.abc import Iterable

from prometheus_client import Counter, Histogram
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString
from typing_extensions import override


class PlainCounter(Counter):
    """A counter that only ever grows by what it is told."""

    @override
    def _metric_init(self) -> None:
        super()._metric_init()
        self._count = 0.0

    @override
    def inc(self, amount: float = 1, exemplar: dict[str, str] | None = None) -> None:
        del exemplar
        self._count += amount

    @override
    def _child_samples(self) -> Iterable[Sample]:
        return (Sample("_total", {}, self._count, None, None),)


class PlainHistogram(Histogram):
    """A histogram with a number for each bucket."""

    @override
    def _metric_init(self) -> None:
        super()._metric_init()
        self._bounds = tuple(self._upper_bounds)
        self._counts = [0] * len(self._bounds)
        self._total = 0.0

    @override
    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        del exemplar
        self._counts[bisect_left(self._bounds, amount)] += 1
        self._total += amount

    @override
    def _child_samples(self) -> Iterable[Sample]:
        samples = []
        so_far = 0.0
        for bound, count in zip(self._bounds, self._counts, strict=True):
            so_far += count
            told = floatToGoString(bound)  # type: ignore[no-untyped-call]  # it has no types
            samples.append(Sample("_bucket", {"le": told}, so_far, None, None))
        samples.append(Sample("_count", {}, so_far, None, None))
        samples.append(Sample("_sum", {}, self._total, None, None))
        return tuple(samples)
