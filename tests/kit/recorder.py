"""An observer that keeps every report and wakes whoever waits for one."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from perdure.base.observer import NullObserver


@dataclass(frozen=True, slots=True)
class Report:
    """One call of the observer."""

    name: str
    positional: tuple[Any, ...]
    details: dict[str, Any]


class Recorder(NullObserver):
    """Keeps all reports, in their order."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self._changed = asyncio.Event()
        for name in vars(NullObserver):
            if not name.startswith("_"):
                setattr(self, name, partial(self._note, name))

    def of(self, name: str) -> list[Report]:
        """Return the reports of one kind."""
        return [report for report in self.reports if report.name == name]

    def faults(self) -> list[Report]:
        """Return what was survived but should not happen."""
        return self.of("fault")

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return once the condition holds; it is looked at after each report."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def reported(self, name: str, times: int = 1) -> Report:
        """Return the report of a kind that makes the number full."""
        await self.until(lambda: len(self.of(name)) >= times)
        return self.of(name)[times - 1]

    def _note(self, name: str, *positional: Any, **details: Any) -> None:
        self.reports.append(Report(name, positional, details))
        self._changed.set()
