"""What is said on a connection: agreements, and what ends it."""

import struct

import pytest

from perdure.transport.frames import Code
from tests.unit.transport import http2 as h
from tests.unit.transport.talk import Talk


@pytest.fixture
async def talk() -> Talk:
    talk = Talk()
    talk.session.greet()
    return talk


async def test_a_greeting(talk: Talk) -> None:
    told, wider, agreed = talk.say(h.GREETING)
    pairs = dict(struct.iter_unpack(">HI", told.payload))
    assert (told.kind, told.flags) == (h.SETTINGS, 0)
    assert pairs == {3: 20_000, 4: h.MESSAGE_BYTES_MAX + 1_024, 6: 50_000}
    assert (wider.kind, wider.code) == (h.WINDOW, 4 * pairs[4] - 65_535)
    assert (agreed.kind, agreed.flags) == (h.SETTINGS, h.ACK)


async def test_pings_are_answered_and_answers_are_not(talk: Talk) -> None:
    talk.say(h.GREETING)
    (pong,) = talk.say(h.frame(h.PING, h.ACK, 0, b"--------") + h.frame(h.PING, 0, 0, b"12345678"))
    assert (pong.kind, pong.flags, pong.payload) == (h.PING, h.ACK, b"12345678")


async def test_what_is_unknown_is_passed_over(talk: Talk) -> None:
    talk.say(h.GREETING)
    (agreed,) = talk.say(
        h.settings((8, 1), (9_999, 2**32 - 1), (1, 0), (3, 0), (2, 0), (2, 1)),
        h.frame(77, 255, 5, b"abc"),
        h.frame(h.PRIORITY, 0, 9, bytes(5)),
        h.frame(h.SETTINGS, h.ACK),
    )
    assert agreed.flags == h.ACK
    assert not talk.closed


PING = h.frame(h.PING, 0, 0, bytes(8))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (h.frame(h.PING, 0, 1, bytes(8)), Code.PROTOCOL_ERROR),
        (h.frame(h.PING, 0, 0, bytes(7)), Code.FRAME_SIZE_ERROR),
        (h.frame(h.SETTINGS, 0, 1), Code.PROTOCOL_ERROR),
        (h.frame(h.SETTINGS, 0, 0, bytes(5)), Code.FRAME_SIZE_ERROR),
        (h.frame(h.SETTINGS, h.ACK, 0, bytes(6)), Code.FRAME_SIZE_ERROR),
        (h.settings((4, 2**31)), Code.FLOW_CONTROL_ERROR),
        (h.settings((5, 16_383)), Code.PROTOCOL_ERROR),
        (h.settings((5, 2**24)), Code.PROTOCOL_ERROR),
        (h.settings((2, 2)), Code.PROTOCOL_ERROR),
        (h.frame(h.PUSH, 4, 1, bytes(4)), Code.PROTOCOL_ERROR),
        (h.frame(h.GOAWAY, 0, 0, bytes(7)), Code.FRAME_SIZE_ERROR),
        (h.frame(h.GOAWAY, 0, 1, bytes(8)), Code.PROTOCOL_ERROR),
        (h.frame(h.PRIORITY, 0, 1, bytes(4)), Code.FRAME_SIZE_ERROR),
        (h.widen(0, 0), Code.PROTOCOL_ERROR),
        (h.widen(0, 2**31 - 1), Code.FLOW_CONTROL_ERROR),
        (h.frame(h.WINDOW, 0, 0, bytes(3)), Code.FRAME_SIZE_ERROR),
        (h.widen(1, 1), Code.PROTOCOL_ERROR),
        (h.frame(h.DATA, 0, 1, b"a"), Code.PROTOCOL_ERROR),
        (h.frame(h.DATA, 0, 0, b"a"), Code.PROTOCOL_ERROR),
        (h.frame(h.DATA, 0, 2, b"a"), Code.PROTOCOL_ERROR),
        (h.reset(1), Code.PROTOCOL_ERROR),
        (h.reset(0), Code.PROTOCOL_ERROR),
        (h.frame(h.RST, 0, 1, bytes(3)), Code.FRAME_SIZE_ERROR),
        (h.frame(h.HEADERS, 5, 0, h.block()), Code.PROTOCOL_ERROR),
        (h.frame(h.HEADERS, 5, 2, h.block()), Code.PROTOCOL_ERROR),
        (h.frame(h.HEADERS, 5, 1, b"\x80"), Code.COMPRESSION_ERROR),
        (PING * 3 + h.frame(h.CONTINUATION, 4, 1), Code.PROTOCOL_ERROR),
    ],
)
async def test_what_ends_the_connection(talk: Talk, data: bytes, code: Code) -> None:
    talk.say(h.GREETING)
    told = talk.say(data)
    assert told[-1].kind == h.GOAWAY
    assert told[-1].code == code
    assert len(told[-1].payload) > 8, "it says why"
    assert talk.closed


async def test_a_fault_gives_up_the_calls(talk: Talk) -> None:
    await talk.ask(h.GREETING + h.call(1, b"/t/Hold"))
    talk.say(h.frame(h.SETTINGS, 0, 1))
    await talk.later()
    assert talk.methods.cancelled == 1
    assert not talk.session.calls


# ---- floods: what costs more than it says


@pytest.mark.parametrize(
    "piece",
    [
        h.settings(),
        h.frame(h.PRIORITY, 0, 1, bytes(5)),
        h.frame(99),
        h.frame(h.DATA, 0, 1),
        h.frame(h.DATA, h.PADDED, 1, b"\x05" + bytes(5)),
    ],
    ids=["settings", "priority", "unknown", "empty", "padding"],
)
async def test_a_client_that_says_nothing_is_left(talk: Talk, piece: bytes) -> None:
    talk.say(h.GREETING + h.frame(h.HEADERS, 4, 1, h.block()))
    told: list[h.Received] = []
    for _ in range(20):
        told += talk.say(piece * 1_000)
    assert told[-1].kind == h.GOAWAY
    assert told[-1].code == Code.ENHANCE_YOUR_CALM


async def test_a_client_that_only_resets_is_left(talk: Talk) -> None:
    told = talk.say(h.GREETING)
    for number in range(1, 30_000, 2):
        block = h.frame(h.HEADERS, 4, number, h.block())
        told += talk.say(block + h.reset(number))
    assert told[-1].code == Code.ENHANCE_YOUR_CALM
    assert not talk.session.calls


async def test_a_client_that_has_itself_reset_is_left(talk: Talk) -> None:
    """It breaks a rule of each call, so that the server makes the resets."""
    told = talk.say(h.GREETING)
    for number in range(1, 30_000, 2):
        block = h.frame(h.HEADERS, 4, number, h.block())
        told += talk.say(block + h.widen(number, 0))
    assert told[-1].code == Code.ENHANCE_YOUR_CALM


async def test_a_client_may_give_up_many_calls_at_once(talk: Talk) -> None:
    calls = b"".join(h.call(number, b"/t/Hold") for number in range(1, 10_000, 2))
    await talk.ask(h.GREETING + calls)
    assert talk.methods.begun == 5_000
    told = talk.say(b"".join(h.reset(number) for number in range(1, 10_000, 2)))
    await talk.later()
    assert told == []
    assert talk.methods.cancelled == 5_000


async def test_windows_that_change_for_many_calls_are_dear(talk: Talk) -> None:
    calls = b"".join(h.call(number, b"/t/Hold") for number in range(1, 10_000, 2))
    await talk.ask(h.GREETING + calls)
    told = talk.say(b"".join(h.settings((4, number % 2)) for number in range(1_000)))
    assert told[-1].code == Code.ENHANCE_YOUR_CALM


# ---- the end


async def test_a_server_that_goes_takes_no_more_calls(talk: Talk) -> None:
    await talk.ask(h.GREETING + h.call(1, b"/t/Hold"))
    talk.session.go_away()
    (told,) = talk.heard()
    assert (told.kind, told.code, told.payload[:4]) == (h.GOAWAY, 0, b"\0\0\0\1")
    assert not talk.closed
    (refused,) = await talk.ask(h.call(3))
    assert (refused.kind, refused.stream_id, refused.code) == (h.RST, 3, Code.REFUSED_STREAM)
    talk.methods.release.set()
    answer = await talk.later()
    assert h.status(answer, 1) == (0, "")
    assert talk.closed


async def test_a_client_that_goes_gets_its_answers(talk: Talk) -> None:
    await talk.ask(h.GREETING + h.call(1, b"/t/Hold"))
    talk.say(h.frame(h.GOAWAY, 0, 0, bytes(8)))
    assert not talk.closed
    talk.methods.release.set()
    assert h.status(await talk.later(), 1) == (0, "")
    (pong,) = talk.say(h.frame(h.PING, 0, 0, b"12345678"))
    assert (pong.kind, pong.flags) == (h.PING, h.ACK)
    assert not talk.closed, "it goes when it likes"


async def test_without_calls_the_end_is_at_once(talk: Talk) -> None:
    talk.say(h.GREETING)
    talk.session.go_away()
    assert talk.closed


async def test_calls_that_are_given_up_are_told(talk: Talk) -> None:
    await talk.ask(h.GREETING + h.call(1, b"/t/Hold") + h.frame(h.HEADERS, 4, 3, h.block()))
    talk.session.give_up()
    told = await talk.later()
    assert h.status(told, 1) == (14, "the server is stopping")
    assert h.status(told, 3) == (14, "the server is stopping")
    assert talk.methods.cancelled == 1
    assert talk.closed
