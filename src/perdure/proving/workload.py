"""What clients ask, and when. They know what is on disk, so that most of it makes sense."""

from collections.abc import Callable
from random import Random
from typing import Final

from perdure.base.time import SECOND_US
from perdure.core import requests as rq
from perdure.core.events import ChildCreated, TaskScheduled, TimerCreated
from perdure.core.status import Status
from perdure.proving.auditor import CALL_TAG
from perdure.proving.calls import Look, Request
from perdure.proving.images import Image, Images
from perdure.proving.programs import EVENT_NAMES, Author

IDS: Final = tuple(f"wf-{number:02}" for number in range(24))
CLIENTS: Final = ("ann", "ben", "eve")
_WEIGHTS: Final = {
    "start": 30,
    "event": 24,
    "terminate": 4,
    "suspend": 4,
    "resume": 6,
    "purge": 5,
    "rerun": 5,
    "look": 6,
}


class Workload:
    """Makes requests up. `now_us` is the wall clock."""

    def __init__(self, chance: Random, images: Images, now_us: Callable[[], int]) -> None:
        """Draw from `chance`, and know what is in `images`."""
        self._chance = chance
        self._images = images
        self._now_us = now_us
        self._author = Author(chance, IDS)
        self._raised = 0
        self._others: dict[str, Callable[[], Request]] = {
            "terminate": self._terminate,
            "suspend": lambda: rq.Suspend(instance_id=self._some(alive=True)),
            "resume": lambda: rq.Resume(instance_id=self._suspended()),
            "purge": self._purge,
            "rerun": self._rerun,
            "look": lambda: Look(self._chance.choice([*IDS, *self._ids(alive=True)])),
        }

    def pause_us(self) -> int:
        """Draw how long a client thinks before its next request; sometimes not at all."""
        if self._chance.random() < 0.25:  # noqa: PLR2004 - requests come in bursts
            return 0
        return self._chance.randrange(100_000, 9 * SECOND_US)

    def request(self, client: str, number: int) -> Request:
        """Return what a client asks next."""
        (kind,) = self._chance.choices([*_WEIGHTS], [*_WEIGHTS.values()])
        match kind:
            case "start":
                return self._start(number)
            case "event":
                return self.event(client, self._some(alive=True))
            case _:
                return self._others[kind]()

    def event(self, client: str, instance_id: str) -> rq.RaiseEvent:
        """Return an event that tells who sent it, and in which order."""
        self._raised += 1
        name = self._chance.choice(EVENT_NAMES)
        payload = f"event {client} {self._raised}"
        return rq.RaiseEvent(instance_id=instance_id, name=name, input=payload)

    # ---- whom it is about

    def _ids(self, *, alive: bool) -> list[str]:
        images = self._images.by_id.values()
        return [image.instance_id for image in images if image.finished != alive]

    def _some(self, *, alive: bool) -> str:
        """Return an instance that is likely to be alive, or to have finished."""
        fitting = self._ids(alive=alive)
        if fitting and self._chance.random() < 0.85:  # noqa: PLR2004 - the others are mistakes
            return self._chance.choice(fitting)
        return self._chance.choice(IDS)

    def _suspended(self) -> str:
        found = [i.instance_id for i in self._images.by_id.values() if i.snapshot.suspended]
        return self._chance.choice(found) if found else self._some(alive=True)

    # ---- the larger requests

    def _start(self, number: int) -> rq.Start:
        alive = {*self._ids(alive=True)}
        free = [each for each in IDS if each not in alive]
        likely = free and self._chance.random() < 0.85  # noqa: PLR2004 - how likely it is
        later_us = self._chance.randrange(1, 60) * SECOND_US
        is_scheduled = self._chance.random() < 0.08  # noqa: PLR2004 - how likely it is
        ends_others = self._chance.random() < 0.03  # noqa: PLR2004 - how likely it is
        return rq.Start(
            instance_id=self._chance.choice(free if likely else IDS),
            name="flow",
            app_id="app",
            input=self._author.program().text(),
            scheduled_start_us=self._now_us() + later_us if is_scheduled else None,
            tags=((CALL_TAG, str(number)),),
            replace_finished=self._chance.random() < 0.8,  # noqa: PLR2004 - how likely it is
            terminate_existing=frozenset(Status) if ends_others else frozenset(),
        )

    def _terminate(self) -> rq.Terminate:
        return rq.Terminate(
            instance_id=self._some(alive=True),
            output="ended",
            recursive=self._chance.random() < 0.8,  # noqa: PLR2004 - how likely it is
        )

    def _purge(self) -> rq.Purge:
        force = self._chance.random() < 0.15  # noqa: PLR2004 - how likely it is
        return rq.Purge(
            instance_id=self._some(alive=force),
            recursive=self._chance.random() < 0.8,  # noqa: PLR2004 - how likely it is
            force=force,
        )

    def _rerun(self) -> rq.Rerun:
        source = self._some(alive=False)
        fitting = [
            image.instance_id
            for image in self._images.by_id.values()
            if image.finished and image.snapshot.identity.parent_key is None
        ]
        if fitting and self._chance.random() < 0.85:  # noqa: PLR2004 - how likely it is
            source = self._chance.choice(fitting)
        image = self._images.by_id.get(source)
        numbers = [] if image is None else _rerunnable(image)
        free = [each for each in IDS if each not in self._images.by_id]
        return rq.Rerun(
            source_id=source,
            event_id=self._chance.choice(numbers) if numbers else 1,
            new_id=self._chance.choice(free or IDS),
        )


def _rerunnable(image: Image) -> list[int]:
    kinds = TaskScheduled | TimerCreated | ChildCreated
    return [event.event_id for event in image.past() if isinstance(event, kinds)]
