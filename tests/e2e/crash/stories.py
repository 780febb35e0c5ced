"""What the ledger says about each instance: what was asked of it, and what was acknowledged."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.crash.ledger import ACKED, REFUSED, UNKNOWN, Record

Event = tuple[str, int]  # sender and number


@dataclass(slots=True)
class Story:
    """One instance as those saw it who asked for it."""

    instance: str
    workflow: str
    input: Any
    starts: list[str] = field(default_factory=list)
    events: list[tuple[Event, str]] = field(default_factory=list)
    went: list[tuple[Any, str]] = field(default_factory=list)
    terminates: list[Record] = field(default_factory=list)
    halts: list[Record] = field(default_factory=list)  # suspend and resume, in order
    purges: list[Record] = field(default_factory=list)
    seen: list[Record] = field(default_factory=list)

    @property
    def is_certain(self) -> bool:
        """Whether it was acknowledged that it exists.

        Being told that the id is in use is that too: nobody else uses it, so it is by an earlier
        attempt of which no answer came.
        """
        return ACKED in self.starts or REFUSED in self.starts

    @property
    def is_purged(self) -> bool:
        """Whether it was acknowledged that it is gone."""
        tried = [purge["outcome"] for purge in self.purges]
        # "Not found" after an attempt without an answer means that the attempt did it.
        return ACKED in tried or (UNKNOWN in tried and REFUSED in tried)

    @property
    def is_suspended(self) -> bool:
        """Whether it was acknowledged that it is suspended, and nothing was asked since."""
        if not self.halts or self.terminates:
            return False
        last = self.halts[-1]
        return (last["what"], last["outcome"]) == ("suspend", ACKED)

    @property
    def terminated(self) -> list[Record]:
        """The terminates that were acknowledged."""
        return [each for each in self.terminates if each["outcome"] == ACKED]

    def sent(self, outcome: str) -> set[Event]:
        """The events whose attempts ended in this way."""
        return {event for event, ended in self.events if ended == outcome}


def stories_of(records: Iterable[Record]) -> dict[str, Story]:
    """Every instance that somebody has tried to start, by its id."""
    stories: dict[str, Story] = {}
    for record in records:
        if record["what"] == "start":
            story = stories.setdefault(
                record["instance"],
                Story(record["instance"], record["workflow"], record["input"]),
            )
            story.starts.append(record["outcome"])
        elif "instance" in record:
            _add(stories[record["instance"]], record)
    return stories


def _add(story: Story, record: Record) -> None:
    match record["what"]:
        case "event":
            event = (record["sender"], record["number"])
            story.events.append((event, record["outcome"]))
        case "go":
            story.went.append((record["data"], record["outcome"]))
        case "terminate":
            story.terminates.append(record)
        case "suspend" | "resume":
            story.halts.append(record)
        case "purge":
            story.purges.append(record)
        case "seen":
            story.seen.append(record)
        case what:
            raise AssertionError(f"nobody writes a {what} of an instance")
