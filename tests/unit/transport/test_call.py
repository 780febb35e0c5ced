"""What a call sends, as far as it may."""

import asyncio

import pytest

from perdure.transport import wire as wire_module
from tests.unit.transport import http2 as h
from tests.unit.transport.talk import Talk


async def opened(*pairs: tuple[int, int], connection: int = 10_000_000) -> Talk:
    """A session whose client has told of its settings, and given the connection a wide window."""
    talk = Talk()
    talk.say(h.PREFACE + h.settings(*pairs))
    if connection > 65_535:
        talk.say(h.widen(0, connection - 65_535))
    return talk


def sent(told: list[h.Received], stream_id: int = 1) -> int:
    """How many bytes of messages a stream was sent."""
    return sum(len(found.payload) for found in h.of_stream(told, stream_id) if found.kind == h.DATA)


def large(stream_id: int, size: int) -> bytes:
    return h.call(stream_id, b"/t/Large", str(size).encode())


async def test_a_stream_sends_what_its_window_allows() -> None:
    talk = await opened((4, 10))
    told = await talk.ask(large(1, 100))
    assert sent(told) == 10
    assert h.status(told, 1) is None
    assert sent(talk.say(h.widen(1, 90))) == 90
    told = talk.say(h.widen(1, 1_000))
    assert sent(told) == 5
    assert h.status(told, 1) == (0, "")
    assert talk.wire.room.held == 0


async def test_a_window_that_becomes_negative() -> None:
    talk = await opened((4, 1_000))
    assert sent(await talk.ask(large(1, 2_000))) == 1_000
    assert sent(talk.say(h.settings((4, 100)))) == 0
    assert sent(talk.say(h.widen(1, 900))) == 0
    assert sent(talk.say(h.widen(1, 1))) == 1
    assert sent(talk.say(h.settings((4, 200)))) == 100
    assert sent(talk.say(h.settings((4, 100_000)))) == 2_005 - 1_101
    assert not talk.session.calls


async def test_a_window_is_used_once_it_is_agreed_to() -> None:
    talk = await opened((4, 10))
    await talk.ask(large(1, 1_000))
    told = talk.say(h.settings((4, 500), (5, 100_000), (4, 600)))
    assert [found.kind for found in told] == [h.SETTINGS, h.DATA]
    assert sent(told) == 590


async def test_the_connection_sends_what_its_window_allows() -> None:
    talk = await opened((4, 1_000_000), connection=65_535)
    told = await talk.ask(large(1, 65_000), large(3, 1_000), large(5, 10))
    assert [sent(told, number) for number in (1, 3, 5)] == [65_005, 530, 0]
    told = talk.say(h.widen(0, 100))
    assert [sent(told, number) for number in (1, 3, 5)] == [0, 100, 0]
    told = talk.say(h.widen(0, 10_000))
    assert [sent(told, number) for number in (1, 3, 5)] == [0, 375, 15]
    assert not talk.session.calls


@pytest.mark.parametrize("size", [16_384, 20_000, 2**24 - 1])
async def test_frames_are_as_large_as_the_client_takes(size: int) -> None:
    talk = await opened((5, size), (4, 10_000_000))
    told = await talk.ask(large(1, 1_200_000))
    lengths = [len(found.payload) for found in told if found.kind == h.DATA]
    assert max(lengths) == min(size, 1_048_576)
    assert sum(lengths) == 1_200_005


async def test_a_socket_that_takes_nothing_holds_messages_back() -> None:
    talk = await opened((4, 1_000_000))
    talk.wire.paused = True
    told = await talk.ask(h.call(1, b"/t/Stream", b"100 1000"), large(3, 50))
    assert (sent(told, 1), sent(told, 3)) == (0, 0)
    assert talk.methods.begun == 1, "no message is made before the one before has gone"
    talk.wire.paused = False
    talk.wire.go_on()
    told = await talk.later()
    assert sent(told, 3) == 55
    assert talk.methods.begun == 100
    assert h.status(told, 1) == (0, "")


async def test_a_slow_reader_gets_one_message_at_a_time() -> None:
    talk = await opened((4, 0))
    await talk.ask(h.call(1, b"/t/Stream", b"5 100"))
    for number in range(1, 6):
        assert talk.methods.begun == number
        assert sent(await talk.ask(h.widen(1, 105))) == 105
    assert not talk.session.calls


async def test_what_is_offered_is_sent_whole_and_now_or_not_at_all() -> None:
    talk = await opened((4, 20))
    await talk.ask(h.call(1, b"/t/Stream", b"1 5"))
    await talk.ask(h.call(3, b"/t/Hold"))
    call = talk.methods.calls[1]
    assert call.offer(b"12345")
    assert call.offer(b"12345")
    assert sent(talk.heard(), 3) == 20
    assert not call.offer(b"1"), "its window is used up"
    assert sent(talk.say(h.widen(3, 100)), 3) == 0
    assert call.offer(b"1")
    assert sent(talk.heard(), 3) == 6
    call.end(5, "gone")
    assert not call.offer(b"1"), "it is over"


async def test_a_failure_drops_what_waits() -> None:
    talk = await opened((4, 10))
    await talk.ask(h.call(1, b"/t/Stream", b"5 100"))
    talk.methods.calls[0].end(5, "gone")
    told = await talk.later()
    assert h.status(told, 1) == (5, "gone")
    assert talk.wire.room.held == 0
    assert talk.methods.closed == 1


async def test_a_deadline_counts_until_the_last_byte() -> None:
    talk = await opened((4, 10))
    timeout = [(b"grpc-timeout", b"20m")]
    told = await talk.ask(h.call(1, b"/t/Large", b"1000", more=timeout))
    assert sent(told) == 10
    async with asyncio.timeout(20):
        while not told or h.status(told, 1) is None:
            told = await talk.later()
    assert h.status(told, 1) == (4, "Deadline Exceeded")
    assert talk.wire.room.held == 0


async def test_a_cancelled_write_cancels_once() -> None:
    talk = await opened((4, 0))
    await talk.ask(h.call(1, b"/t/Stream", b"5 100"))
    await talk.ask(h.reset(1))
    assert (talk.methods.closed, talk.methods.begun) == (1, 1)
    assert talk.wire.room.held == 0
    talk.say(h.widen(0, 5))
    assert not talk.session.calls


async def test_what_waits_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_module, "HELD_BYTES_MAX", 50_000)
    talk = await opened((4, 0))
    told = await talk.ask(large(1, 20_000), large(3, 20_000), large(5, 20_000))
    status = h.status(told, 5)
    assert status is not None
    assert status[0] == 8
    assert "ask for less" in status[1]
    assert h.status(told, 1) is None
    told = talk.say(h.widen(1, 20_005), h.widen(3, 20_005))
    assert (sent(told, 1), sent(told, 3)) == (20_005, 20_005)
    assert talk.wire.room.held == 0


async def test_nothing_is_said_after_the_end() -> None:
    talk = await opened()
    await talk.ask(h.call(1))
    call = talk.methods.calls[0]
    call.send(b"more")
    call.answer(b"more")
    call.end(5, "more")
    await call.send_initial_metadata((("a", "b"),))
    with pytest.raises(asyncio.CancelledError):
        await call.write(b"more")
    assert talk.heard() == []


async def test_what_methods_may_ask() -> None:
    talk = await opened()
    talk.wire.peer = "ipv4:1.2.3.4:5"
    more = [(b"a", b"1"), (b"x-bin", b"AAE")]
    await talk.ask(h.call(1, more=more))
    call = talk.methods.calls[0]
    assert call.peer() == "ipv4:1.2.3.4:5"
    assert call.invocation_metadata()[-2:] == (("a", "1"), ("x-bin", b"\0\1"))
