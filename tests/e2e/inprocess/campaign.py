"""A campaign: a user's process is killed again and again, and all of it is accounted for."""

import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.e2e.crash.diaries import judge_diaries
from tests.e2e.crash.judging import judge_end, judge_listing
from tests.e2e.crash.ledger import ACKED, UNKNOWN, Record
from tests.e2e.crash.observing import Window
from tests.e2e.crash.stories import stories_of
from tests.e2e.programs import Line, Program
from tests.e2e.venvs import REPOSITORY

START_DEADLINE_S: Final = 60.0
END_DEADLINE_S: Final = 120.0
# Most lives end when so much has been acknowledged, at the very moment when somebody was told.
ACKS_MOST: Final = 400
LIFE_MOST_S: Final = 2.0


class Campaign:
    """One store from its first start to its last judgement."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._seed = seed
        self._random = Random(seed)
        self._lives: list[list[Line]] = []
        self._deaths: list[Record] = []
        self.complaints: list[str] = []

    def play(self) -> None:
        """Let one process live, and kill it."""
        program = self._start("load")
        acks = self._random.randrange(1, ACKS_MOST)
        within_s = self._random.uniform(0.05, LIFE_MOST_S)
        # Some are killed while they open the file and find what was under way.
        if self._random.random() < 0.85:
            program.wait_for(START_DEADLINE_S, what="listing")
        program.wait_until(lambda lines: (_acks(lines) >= acks and lines) or [], within_s)
        program.kill()
        self._note(program.lines)
        self._judge_listing()

    def finish(self) -> str:
        """Bring everything to its end, judge it all, and say in one line what there was."""
        program = self._start("end")
        try:
            ended = program.wait_for(END_DEADLINE_S, what="ended")
            window = Window(lambda: ended["port"])
            seen = window.everything()
            stuck = window.stuck()
            window.close()
        finally:
            program.kill()
        self._note(program.lines)
        self._judge_listing()
        records = [*self._records(), *self._deaths]
        runs = [line for life in self._lives for line in life if line["what"] == "run"]
        self.complaints += judge_end(records, seen)
        self.complaints += judge_diaries(records, runs, seen)
        self.complaints += _judge_runs(self._lives)
        if stuck:
            self.complaints.append(f"{stuck} instances are stuck")
        acked = sum(record.get("outcome") == ACKED for record in records)
        unknown = sum(record.get("outcome") == UNKNOWN for record in records)
        names = {(run["instance"], run["key"]) for run in runs}
        return (
            f"{len(stories_of(records))} workflows, {acked} calls acknowledged, {unknown} without "
            f"an answer, {len(runs)} activities run, {len(runs) - len(names)} of them again, "
            f"{len(self._deaths)} deaths"
        )

    def _start(self, mode: str) -> Program:
        name = f"life{len(self._lives) + 1}"
        return Program(
            [
                *(sys.executable, "-m", "tests.e2e.inprocess.crashing"),
                *(str(self._folder / "orders.db"), name, str(self._seed), mode),
            ],
            log=self._folder / "program.log",
            folder=REPOSITORY,
            environment={"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )

    def _note(self, lines: Sequence[Line]) -> None:
        told = [line for line in lines if "what" in line]
        self._lives.append(told)
        if told:
            self._deaths.append({"what": "death", "whom": "server", "at": told[-1]["at"]})

    def _judge_listing(self) -> None:
        """What a process finds when it opens the file is what those before it were told."""
        listing = next((each for each in self._lives[-1] if each["what"] == "listing"), None)
        if listing is not None:
            before = list(_records_of(self._lives[:-1]))
            self.complaints += judge_listing(before, listing["statuses"])

    def _records(self) -> list[Record]:
        return list(_records_of(self._lives))


def _acks(lines: Sequence[Line]) -> int:
    return sum(line.get("outcome") == ACKED for line in lines)


def _records_of(lives: Sequence[Sequence[Line]]) -> Iterator[Record]:
    """The calls of all lives as the judges know them, in the order in which they were asked."""
    for life in lives:
        told: dict[int, Line] = {line["number"]: line for line in life if line["what"] == "told"}
        for line in life:
            if line["what"] == "ask":
                answer: dict[str, Any] = told.get(line["number"], {"outcome": UNKNOWN})
                record = {"what": line["asked"], "at": line["at"], **line["fields"]}
                record["outcome"] = answer["outcome"]
                if line["asked"] == "terminate":
                    record["in_force"] = answer.get("in_force", False)
                yield record
            elif line["what"] == "seen":
                yield dict(line)


def _judge_runs(lives: Sequence[Sequence[Line]]) -> Iterator[str]:
    """An activity runs again only if the process that had it has died."""
    lives_of: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, life in enumerate(lives):
        for line in life:
            if line["what"] == "run":
                lives_of[line["instance"], line["key"]].append(number)
    for name, numbers in lives_of.items():
        if any(one == another for one, another in pairwise(numbers)):
            yield f"{name} ran in the lives {numbers}: twice in one"
