"""What was asked of the server and what it said, written down in order as it happens."""

import json
import threading
import time
from pathlib import Path
from typing import Any, Final

Record = dict[str, Any]

# How an attempt ended. Of an UNKNOWN one nobody can say whether it was done: the server died, or
# said that it is stopping or away.
ACKED: Final = "acked"
REFUSED: Final = "refused"
UNKNOWN: Final = "unknown"


class Ledger:
    """Records of many threads, in memory and in a file for whoever looks for a cause later."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._records: list[Record] = []
        self._changed = threading.Condition()
        self._acked = 0

    def write(self, what: str, **fields: object) -> None:
        record = {"what": what, "at": time.monotonic(), **fields}
        with self._changed:
            self._records.append(record)
            self._acked += fields.get("outcome") == ACKED
            self._changed.notify_all()
            with self._path.open("a") as file:
                file.write(json.dumps(record) + "\n")

    def records(self) -> list[Record]:
        """All of them so far."""
        with self._changed:
            return list(self._records)

    def await_acks(self, count: int, timeout_s: float) -> None:
        """Return when so many more calls have been acknowledged, or time is up."""
        with self._changed:
            wanted = self._acked + count
            self._changed.wait_for(lambda: self._acked >= wanted, timeout_s)


def read_diaries(folder: Path) -> list[Record]:
    """What the workers have written down; a line that a kill has cut short is no line."""
    records = []
    for path in sorted(folder.glob("diary-*.jsonl")):
        for line in path.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                records.append(json.loads(line))
    return sorted(records, key=lambda record: float(record["at"]))
