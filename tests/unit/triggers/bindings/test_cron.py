"""Ticks: at their moment, each once, whatever happens to the server, the receiver and the clock."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from perdure.base.errors import ConfigurationError
from perdure.base.time import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from perdure.triggers.bindings import cron
from perdure.triggers.port import Message, Settled, Standing
from tests.kit.clock import VirtualClock
from tests.kit.inbox import Inbox
from tests.kit.metadata import Metadata


def metadata(**items: str) -> Metadata:
    return Metadata("bindings.cron", component="tick", **items)


def clock() -> VirtualClock:
    return VirtualClock(asyncio.get_running_loop())


@asynccontextmanager
async def running(
    time: VirtualClock, inbox: Inbox, position: str | None = None, **items: str
) -> AsyncIterator[Standing]:
    source = cron.build(metadata(**items), time)
    run = asyncio.create_task(source.run(inbox.receive, position))
    await settle()
    assert source.standing.connected
    yield source.standing
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert not source.standing.connected


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def pass_time(time: VirtualClock, duration_us: int) -> None:
    time.advance(duration_us)
    await settle()


async def test_a_tick_comes_at_its_moment_and_not_before() -> None:
    time, inbox = clock(), Inbox()
    async with running(time, inbox, schedule="@every 1m") as standing:
        await pass_time(time, MINUTE_US - 1)
        assert not inbox.messages
        assert standing.notes["next"] == "2026-01-01T00:01:00Z"
        await pass_time(time, 1)
        message = await inbox.next()
    assert message == Message(
        message_id="2026-01-01T00:01:00Z",
        data=message.data,
        content_type="application/json",
        attributes=(
            ("readTimeUTC", "2026-01-01T00:01:00Z"),
            ("timeZone", "UTC"),
            ("scheduledTime", "2026-01-01T00:01:00Z"),
        ),
        received_at_us=time.now_us(),
        position="2026-01-01T00:01:00Z UTC @every 1m",
    )
    assert json.loads(message.data) == {
        "scheduledTime": "2026-01-01T00:01:00Z",
        "schedule": "@every 1m",
        "timeZone": "UTC",
    }
    assert standing.received == 1


async def test_it_goes_on_ticking() -> None:
    time, inbox = clock(), Inbox()
    async with running(time, inbox, schedule="0 30 4 * * *", timezone="America/New_York"):
        for _ in range(2 * 24 * 60):
            await pass_time(time, MINUTE_US)
    assert inbox.ids() == ["2026-01-01T09:30:00Z", "2026-01-02T09:30:00Z"]


@pytest.mark.parametrize(
    ("misfire", "expected"),
    [
        ("once", ["00:04", "00:05"]),
        ("all", ["00:01", "00:02", "00:03", "00:04", "00:05"]),
        ("skip", ["00:05"]),
    ],
)
async def test_what_came_due_while_nobody_was_there(misfire: str, expected: list[str]) -> None:
    time, inbox = clock(), Inbox()
    items = {"schedule": "@every 1m", "misfire": misfire}
    position = "2026-01-01T00:00:00Z UTC @every 1m"
    await pass_time(time, 4 * MINUTE_US + SECOND_US)
    async with running(time, inbox, position, **items):
        await pass_time(time, MINUTE_US)
    assert [str(each)[11:16] for each in inbox.ids()] == expected


async def test_the_newest_thousand_are_made_up_for_in_order() -> None:
    time, inbox = clock(), Inbox()
    position = "2026-01-01T00:00:00Z UTC @every 1s"
    await pass_time(time, 30 * DAY_US)
    async with running(time, inbox, position, schedule="@every 1s", misfire="all") as standing:
        while len(inbox.accepted) < cron.MISFIRES_MAX:
            await inbox.next()
        await settle()
    assert len(inbox.accepted) == cron.MISFIRES_MAX
    assert inbox.ids() == sorted(map(str, inbox.ids()))
    assert inbox.ids()[-1] == "2026-01-31T00:00:00Z"
    assert standing.notes["left_out"] == (
        "ticks between 2026-01-01T00:00:00Z and 2026-01-30T23:43:21Z"
    )


async def test_a_source_that_never_ticked_begins_now() -> None:
    time, inbox = clock(), Inbox()
    async with running(time, inbox, schedule="@hourly", misfire="all"):
        await pass_time(time, SECOND_US)
    assert not inbox.messages


@pytest.mark.parametrize(
    "position",
    ["2025-01-01T00:00:00Z UTC @daily", "2025-01-01T00:00:00Z Asia/Tokyo @hourly", "nonsense", ""],
)
async def test_a_schedule_that_was_changed_begins_anew(position: str) -> None:
    time, inbox = clock(), Inbox()
    async with running(time, inbox, position, schedule="@hourly"):
        await pass_time(time, HOUR_US)
    assert inbox.ids() == ["2026-01-01T01:00:00Z"]


async def test_a_tick_that_is_not_on_disk_is_handed_in_again() -> None:
    time, inbox = clock(), Inbox(Settled.LATER, Settled.LATER)
    async with running(time, inbox, schedule="@every 1h"):
        await pass_time(time, HOUR_US)
        for _ in range(20):
            await pass_time(time, SECOND_US // 10)
    assert [each.message_id for each in inbox.messages] == ["2026-01-01T01:00:00Z"] * 3
    assert inbox.ids() == ["2026-01-01T01:00:00Z"]


@pytest.mark.parametrize(
    ("misfire", "expected"),
    [("once", ["01", "05"]), ("skip", ["01", "05"]), ("all", ["01", "02", "03", "04", "05"])],
)
async def test_ticks_that_waited_for_a_slow_receiver(misfire: str, expected: list[str]) -> None:
    time, inbox = clock(), Inbox()
    inbox.gate.clear()
    async with running(time, inbox, schedule="@every 1m", misfire=misfire):
        for _ in range(5):
            await pass_time(time, MINUTE_US)
        assert len(inbox.messages) == 1
        inbox.gate.set()
        await settle()
    assert [str(each)[14:16] for each in inbox.ids()] == expected


async def test_a_clock_that_is_set_back_sends_nothing_again() -> None:
    time, inbox = clock(), Inbox()
    async with running(time, inbox, schedule="@every 1m"):
        await pass_time(time, MINUTE_US)
        time.set_back(30 * SECOND_US)
        for _ in range(90):
            await pass_time(time, SECOND_US)
    assert inbox.ids() == ["2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"]


async def test_a_clock_that_is_set_on_is_noticed() -> None:
    time, inbox = clock(), Inbox()
    async with running(time, inbox, schedule="@daily"):
        time.set_back(-DAY_US)
        await pass_time(time, cron.SLEEP_LONGEST_US)
    assert inbox.ids() == ["2026-01-02T00:00:00Z"]


async def test_a_tick_in_hand_may_come_to_its_end_when_the_source_stops() -> None:
    time, inbox = clock(), Inbox()
    inbox.gate.clear()
    source = cron.build(metadata(schedule="@every 1m"), time)
    run = asyncio.create_task(source.run(inbox.receive, None))
    await settle()
    await pass_time(time, MINUTE_US)
    run.cancel()
    await settle()
    assert not run.done()
    inbox.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert inbox.ids() == ["2026-01-01T00:01:00Z"]


async def test_wherever_it_is_stopped_no_tick_is_lost_and_none_comes_twice() -> None:
    """The receiver's dedup key and position are one commit; what is not on disk comes again."""
    time, kept = clock(), Inbox()
    position: str | None = "2026-01-01T00:00:00Z UTC @every 1s"
    for seconds in range(1, 40):
        inbox = Inbox()
        if seconds % 3 == 0:
            # Killed between receive and commit: nothing of this run is on disk.
            inbox.gate.clear()
        source = cron.build(metadata(schedule="@every 1s", misfire="all"), time)
        run = asyncio.create_task(source.run(inbox.receive, position))
        await settle()
        await pass_time(time, (seconds % 5) * SECOND_US)
        await settle()
        run.cancel()
        await settle()
        await pass_time(time, 3 * SECOND_US)
        with pytest.raises(asyncio.CancelledError):
            await run
        kept.accepted += inbox.accepted
        position = kept.accepted[-1].position if kept.accepted else position
    seconds_of = [str(each) for each in kept.ids()]
    assert len(seconds_of) == len(set(seconds_of)) > 100
    expected = [f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z" for n in range(1, 3_600)]
    assert seconds_of == expected[: len(seconds_of)]


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ({}, "schedule: is missing"),
        ({"schedule": "61 * * * *"}, "schedule: Bad minute"),
        ({"schedule": "0 0 0 31 2 *"}, "schedule: Bad day-of-month"),
        ({"schedule": "@daily", "timezone": "Mars/Base"}, "timezone: there is no time zone"),
        ({"schedule": "@daily", "misfire": "never"}, "misfire: expected one of once, all, skip"),
        ({"schedule": "@daily", "shedule": "x"}, "shedule: bindings.cron has no item shedule; did"),
        ({"schedule": "@daily", "direction": "output"}, "direction: perdure has no output"),
        ({"schedule": "@daily", "direction": "sideways"}, "direction: expected"),
    ],
)
async def test_bad_metadata_is_refused(items: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        cron.build(metadata(**items), clock())


async def test_dapr_s_items_are_taken() -> None:
    items = {"schedule": "@every 15m", "direction": "input", "route": "/tick"}
    assert cron.build(metadata(**items)).name == "tick"
