"""The judgement of what the workers have been given and have done: P2 and P3.

A worker's diary says when an activity came, when its code ran, and when the server said OK to its
result. Between two arrivals of one activity its worker or the server must have died, or been cut
off. A result to which the same life of the server said OK that had handed the activity out, over a
line that held, is on disk: the activity never comes again, and that result is the one the workflow
sees.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from tests.e2e.crash.judging import Seen
from tests.e2e.crash.ledger import Record

# An item that was on its way when the server died is read a little later than that.
ON_THE_WAY_S: Final = 1.0

# Whom a death is of: a worker by its name, or what serves them, be it one process or many.
SERVER: Final = "server"

Name = tuple[str, str]  # instance and key


@dataclass(frozen=True, slots=True)
class Death:
    """What may be a reason to hand work out again, from when to when."""

    from_s: float
    to_s: float
    whom: str


def judge_diaries(
    records: Sequence[Record], diaries: Sequence[Record], seen: Mapping[str, Seen]
) -> list[str]:
    """What is wrong with what the workers did, beside the ledger's deaths and the last state."""
    deaths = [
        Death(record["at"], record["at"] + record.get("lasts_s", 0.0), record["whom"])
        for record in records
        if record["what"] == "death"
    ]
    received: dict[Name, list[Record]] = defaultdict(list)
    by_token: dict[str, Record] = {}
    runs: dict[Name, set[str]] = defaultdict(set)
    landed: dict[Name, tuple[str | None, float]] = {}
    complaints = []
    for record in diaries:
        if record["what"] == "received":
            name = (record["instance"], record["key"])
            received[name].append(record)
            by_token[record["token"]] = record
        elif record["what"] == "run":
            runs[record["instance"], record["key"]].add(record["run"])
        else:
            came = by_token[record["token"]]
            ends = (SERVER, came["worker"])
            if not any(_died(deaths, whom, came["at"], record["at"]) for whom in ends):
                name = (came["instance"], came["key"])
                if name in landed:
                    complaints.append(f"{name}: two results were taken")
                landed[name] = (record["run"], record["at"])
    complaints += _of_arrivals(deaths, received, landed)
    complaints += _of_results(seen, runs, landed)
    return complaints


def extra_runs(diaries: Sequence[Record]) -> int:
    """How many runs of activities there were beyond one of each."""
    runs = [(r["instance"], r["key"]) for r in diaries if r["what"] == "run"]
    return len(runs) - len(set(runs))


def _died(deaths: Sequence[Death], whom: str, from_s: float, to_s: float) -> bool:
    return any(
        each.whom == whom and each.from_s <= to_s and each.to_s >= from_s - ON_THE_WAY_S
        for each in deaths
    )


def _of_arrivals(
    deaths: Sequence[Death],
    received: Mapping[Name, Sequence[Record]],
    landed: Mapping[Name, tuple[str | None, float]],
) -> Iterator[str]:
    for name, arrivals in received.items():
        for one, next_one in pairwise(arrivals):
            ends = (SERVER, one["worker"])
            if not any(_died(deaths, whom, one["at"], next_one["at"]) for whom in ends):
                yield f"{name}: handed out again, and nobody had died"
        if name in landed and arrivals[-1]["at"] > landed[name][1]:
            yield f"{name}: handed out again after its result was acknowledged"


def _of_results(
    seen: Mapping[str, Seen],
    runs: Mapping[Name, set[str]],
    landed: Mapping[Name, tuple[str | None, float]],
) -> Iterator[str]:
    for instance, told in seen.items():
        for result in (*_results_in(told.output), *_results_of(told.history)):
            name = (instance, result["key"])
            if told.workflow == "family":
                continue  # its results are its children's, and are judged there
            if result["run"] not in runs.get(name, ()):
                yield f"{name}: the result is of run {result['run']}, which there never was"
            run, _ = landed.get(name, (None, 0.0))
            if run is not None and run != result["run"]:
                yield f"{name}: {run} was acknowledged, and the result is of {result['run']}"


def _results_of(history: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for event in history:
        if event["type"] == "TaskCompleted":
            yield from _results_in(event["result"])


def _results_in(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every result of an activity within an output, however deep."""
    match value:
        case {"key": _, "run": _}:
            yield value
        case dict():
            for each in value.values():
                yield from _results_in(each)
        case list():
            for each in value:
                yield from _results_in(each)
        case _:
            return
