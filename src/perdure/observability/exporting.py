"""Sends spans in batches from a thread of its own, so that the engine never waits for a collector.

What a collector cannot take in time is dropped and counted; workflows matter more than spans.
"""

import logging
import threading
from collections import deque
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

QUEUE_SPANS_MAX: Final = 20_000
BATCH_SPANS_MAX: Final = 512
BATCH_WAIT_S: Final = 2.0

_log: Final = logging.getLogger(__name__)


class BatchSink:
    """Holds spans until there are many or some time is over, then exports them."""

    def __init__(self, exporter: SpanExporter, *, batch_wait_s: float = BATCH_WAIT_S) -> None:
        self._exporter = exporter
        self._batch_wait_s = batch_wait_s
        self._spans: deque[ReadableSpan] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._dropped = 0
        # A collector that does not answer must not keep the process alive: a daemon thread.
        self._thread = threading.Thread(target=self._run, name="perdure-spans", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """How many spans were never taken by the collector."""
        return self._dropped

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span; returns at once."""
        with self._changed:
            if self._closing or len(self._spans) >= QUEUE_SPANS_MAX:
                self._dropped += 1
                return
            self._spans.append(span)
            if len(self._spans) >= BATCH_SPANS_MAX:
                self._changed.notify()

    def close(self, timeout_s: float) -> bool:
        """Export what is left, for as long as `timeout_s`; tell whether that was enough."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout_s)
        self._exporter.shutdown()
        return not self._thread.is_alive()

    def _run(self) -> None:
        while batch := self._next_batch():
            try:
                result = self._exporter.export(batch)
            except Exception:  # noqa: BLE001 - an exporter may raise what it likes
                _log.exception("spans could not be exported")
                result = SpanExportResult.FAILURE
            if result is not SpanExportResult.SUCCESS:
                self._dropped += len(batch)
                _log.warning("the collector did not take %d spans", len(batch))

    def _next_batch(self) -> list[ReadableSpan]:
        """Return what is to be exported next; nothing once the sink is closed and empty."""
        with self._changed:
            while not self._spans and not self._closing:
                self._changed.wait_for(self._is_due, self._batch_wait_s)
            count = min(len(self._spans), BATCH_SPANS_MAX)
            return [self._spans.popleft() for _ in range(count)]

    def _is_due(self) -> bool:
        return self._closing or len(self._spans) >= BATCH_SPANS_MAX
