"""`bindings.cron`: a message at each moment of a schedule, neither lost nor sent twice.

Theory of operation.
- A tick is named after the moment that it was planned for. That is its message id and, together
  with the schedule, its position: both are on disk with what it leads to.
- After a restart the source goes on behind the last planned moment. What came due while nobody was
  there is made up for by `misfire`: `once` sends the newest, `all` the newest thousand in order,
  `skip` none.
- A server that is slow or paused is late in the same way: with `once` and `skip`, ticks that wait
  are overtaken by the newest. A clock that is set back sends nothing again.
- A schedule that was changed begins anew: what it would have planned in the past is not due.
"""

import asyncio
import json
from collections.abc import Sequence
from enum import Enum
from typing import Final

import structlog

from perdure.base import rfc3339
from perdure.base.time import SECOND_US, Clock
from perdure.triggers.bindings.in_order import InOrder
from perdure.triggers.bindings.items import check_items, given
from perdure.triggers.bindings.schedule import BadSchedule, Plan, due_moments, read_plan
from perdure.triggers.bindings.wall_clock import WallClock
from perdure.triggers.port import Message, Receiver, Settings, Standing

# How many ticks that were missed are made up for with `misfire: all`.
MISFIRES_MAX: Final = 1_000
# The wall clock may be set while the source sleeps: it is looked at again so often.
SLEEP_LONGEST_US: Final = 60 * SECOND_US

_log = structlog.get_logger(__name__)


class Misfire(Enum):
    """What becomes of ticks that came due while nobody was there."""

    ONCE = "once"
    ALL = "all"
    SKIP = "skip"


def build(settings: Settings, clock: Clock | None = None) -> "CronSource":
    """Return the source of a component; raises ConfigurationError."""
    check_items(settings, ("schedule", "timezone", "misfire"))
    misfire = settings.one_of("misfire", [choice.value for choice in Misfire], Misfire.ONCE.value)
    clock = clock or WallClock()
    zone_name = given(settings, "timezone")
    try:
        plan = read_plan(settings.text("schedule"), zone_name)
    except BadSchedule as error:
        in_zone = zone_name is not None and "there is no time zone" in str(error)
        raise settings.fault("timezone" if in_zone else "schedule", str(error)) from error
    if plan.schedule.after(clock.now_us()) is None:
        raise settings.fault("schedule", "this moment never comes")
    return CronSource(settings.component, plan, Misfire(misfire), clock)


class CronSource:
    """The ticks of one schedule."""

    def __init__(self, name: str, plan: Plan, misfire: Misfire, clock: Clock) -> None:
        self.name = name
        self.standing = Standing()
        self._plan = plan
        self._misfire = misfire
        self._clock = clock

    async def run(self, receive: Receiver, position: str | None) -> None:
        """Tick until cancelled, behind the moment that `position` names."""
        self.standing.connected = True
        try:
            async with InOrder(receive, self.standing, self.name) as messages:
                last_us = self._beginning(position)
                while True:
                    last_us = await self._next(messages, last_us)
        finally:
            self.standing.connected = False

    def _beginning(self, position: str | None) -> int:
        now_us = self._clock.now_us()
        moment, _, plan = (position or "").partition(" ")
        last_us = rfc3339.parse(moment)
        if last_us is None or plan != self._plan_text():
            return now_us
        if self._misfire is Misfire.SKIP:
            return max(last_us, now_us)
        return last_us

    async def _next(self, messages: InOrder, last_us: int) -> int:
        """Sleep until something is due, or send what is; return the newest planned moment."""
        now_us = self._clock.now_us()
        most = MISFIRES_MAX if self._misfire is Misfire.ALL else 1
        moments, complete = due_moments(self._plan.schedule, last_us, now_us, most)
        if not moments:
            await self._sleep(last_us, now_us)
            return last_us
        if not complete:
            self._tell_left_out(last_us, moments)
        for moment_us in moments:
            await messages.deliver(self._message(moment_us))
        return moments[-1]

    async def _sleep(self, last_us: int, now_us: int) -> None:
        next_us = self._plan.schedule.after(max(last_us, now_us))
        pause_us = SLEEP_LONGEST_US if next_us is None else min(next_us - now_us, SLEEP_LONGEST_US)
        self.standing.notes["next"] = "never" if next_us is None else rfc3339.render(next_us)
        await asyncio.sleep(pause_us / SECOND_US)

    def _tell_left_out(self, last_us: int, moments: Sequence[int]) -> None:
        since, first = rfc3339.render(last_us), rfc3339.render(moments[0])
        self.standing.notes["left_out"] = f"ticks between {since} and {first}"
        _log.warning(
            "ticks came due and are left out",
            source=self.name,
            since=since,
            until=first,
            misfire=self._misfire.value,
        )

    def _message(self, moment_us: int) -> Message:
        moment = rfc3339.render(moment_us)
        now_us = self._clock.now_us()
        zone_name = self._plan.zone_name
        data = {
            "scheduledTime": moment,
            "schedule": self._plan.text,
            "timeZone": zone_name,
        }
        return Message(
            message_id=moment,
            data=json.dumps(data).encode(),
            content_type="application/json",
            # The first two are Dapr's.
            attributes=(
                ("readTimeUTC", rfc3339.render(now_us)),
                ("timeZone", zone_name),
                ("scheduledTime", moment),
            ),
            received_at_us=now_us,
            position=f"{moment} {self._plan_text()}",
        )

    def _plan_text(self) -> str:
        return f"{self._plan.zone_name} {self._plan.text}"
