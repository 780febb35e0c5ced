"""Random workflow programs: lists of steps that any worker can follow from a history alone.

A program travels as the input of its instance, so that a child's is inside its parent's, and a
program goes on in the next generation by being the input of that, with a step less to go.
"""

import json
from dataclasses import dataclass
from random import Random
from typing import Final, TypeAlias

Step: TypeAlias = list[object]

EVENT_NAMES: Final = ("Go", "stop", "ping")
ACTIVITIES: Final = ("fetch", "store", "mail")
PATCHES: Final = ("first", "second")
_DEPTH_MAX: Final = 2
_STEPS_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Program:
    """What a workflow does, one step after the other."""

    steps: tuple[Step, ...]
    rounds: int = 0  # how often it continues as new before its end
    needs: str = ""  # the version of the workflow code that it needs, if it needs one

    def text(self) -> str:
        """Return it as an instance's input."""
        told = {"steps": list(self.steps), "rounds": self.rounds, "needs": self.needs}
        return json.dumps(told, separators=(",", ":"))


def parse(text: str | None) -> Program:
    """Return the program of an instance's input."""
    told = json.loads(text or "{}")
    steps = told.get("steps", [])
    return Program(tuple(steps), told.get("rounds", 0), told.get("needs", ""))


class Author:
    """Makes programs up."""

    def __init__(self, chance: Random, ids: tuple[str, ...]) -> None:
        """`ids` are those of instances that programs of others start, tell and end."""
        self._chance = chance
        self._ids = ids

    def program(self, depth: int = 0) -> Program:
        """Return a program; `depth` tells below how many others it runs."""
        chance = self._chance
        count = chance.randrange(0 if depth else 1, _STEPS_MAX - depth)
        steps = tuple(self._step(depth) for _ in range(count))
        rounds = chance.choice([0, 0, 0, 0, 1, 2]) if depth == 0 else chance.choice([0, 0, 0, 1])
        needs = "2" if chance.random() < 0.05 else ""  # noqa: PLR2004 - how likely it is
        return Program(steps, rounds, needs)

    def _step(self, depth: int) -> Step:
        makers = self._above if depth < _DEPTH_MAX else self._plain
        return self._chance.choice(makers)(self, depth)

    def _call(self, _depth: int) -> Step:
        return ["call", self._chance.choice(ACTIVITIES)]

    def _again(self, _depth: int) -> Step:
        return ["retry", self._chance.choice(ACTIVITIES), self._chance.randrange(2, 4), 2]

    def _all(self, _depth: int) -> Step:
        return ["all", self._chance.randrange(2, 6)]

    def _sleep(self, _depth: int) -> Step:
        return ["sleep", self._chance.choice([0, 1, 5, 30, 200])]

    def _wait(self, _depth: int) -> Step:
        timeout_s = self._chance.choice([None, 5, 20, 60])
        return ["wait", self._chance.choice(EVENT_NAMES), timeout_s]

    def _race(self, _depth: int) -> Step:
        return ["race", self._chance.choice([1, 5, 20])]

    def _send(self, _depth: int) -> Step:
        return ["send", self._chance.choice(self._ids), self._chance.choice(EVENT_NAMES)]

    def _patch(self, _depth: int) -> Step:
        return ["patch", self._chance.choice(PATCHES)]

    def _status(self, _depth: int) -> Step:
        return ["status", f"at {self._chance.randrange(100)}"]

    def _fail(self, _depth: int) -> Step:
        return ["fail"] if self._chance.random() < 0.3 else self._call(_depth)  # noqa: PLR2004 - how likely it is

    def _child(self, depth: int) -> Step:
        named = self._chance.choice(["", "", self._chance.choice(self._ids)])
        return ["child", named, self.program(depth + 1).text()]

    def _children(self, depth: int) -> Step:
        return ["children", [self.program(depth + 1).text() for _ in range(2)]]

    def _spawn(self, depth: int) -> Step:
        return ["spawn", self.program(depth + 1).text()]

    def _detach(self, depth: int) -> Step:
        return ["detach", self._chance.choice(self._ids), self.program(depth + 1).text()]

    def _end(self, _depth: int) -> Step:
        return ["end", self._chance.choice(self._ids)]

    _plain = (_call, _call, _again, _all, _sleep, _wait, _race, _send, _patch, _status, _fail)
    _above = (*_plain, _call, _wait, _child, _child, _children, _spawn, _detach, _end)
