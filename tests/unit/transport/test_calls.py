"""What comes in for calls: how they begin and end, and what is never lost on the way."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perdure.transport import calls as calls_module
from perdure.transport.frames import Code
from tests.unit.transport import http2 as h
from tests.unit.transport.talk import Talk

WINDOW = h.MESSAGE_BYTES_MAX + 1_024


@pytest.fixture
async def talk() -> Talk:
    talk = Talk()
    talk.session.greet()
    talk.say(h.GREETING)
    return talk


def begin(stream_id: int, path: bytes = b"/t/Echo", **more: Any) -> bytes:
    return h.frame(h.HEADERS, h.END_HEADERS, stream_id, h.block(path, **more))


def data(stream_id: int, payload: bytes, *, end: bool = False) -> bytes:
    return h.frame(h.DATA, h.END_STREAM if end else 0, stream_id, payload)


async def test_a_call(talk: Talk) -> None:
    head, body, tail = await talk.ask(h.call(1, data=b"abc"))
    assert head.headers == {":status": "200", "content-type": "application/grpc"}
    assert (body.payload, body.flags) == (h.message(b"abc"), 0)
    assert tail.headers == {"grpc-status": "0"}
    assert tail.flags == h.END_HEADERS | h.END_STREAM
    assert not talk.session.calls


async def test_a_method_of_one_message_begins_when_that_is_there(talk: Talk) -> None:
    assert await talk.ask(begin(1), data(1, h.message(b"abc"))) == []
    assert len(talk.session.calls) == 1
    assert h.status(await talk.ask(data(1, b"", end=True)), 1) == (0, "")


async def test_trailers_end_a_request(talk: Talk) -> None:
    await talk.ask(begin(1), data(1, h.message(b"abc")))
    trailers = h.frame(h.HEADERS, h.END_HEADERS | h.END_STREAM, 1, h.literals([(b"a", b"b")]))
    assert h.status(await talk.ask(trailers), 1) == (0, "")


@pytest.mark.parametrize(
    ("pieces", "code", "text"),
    [
        ([h.call(1, data=None)], 12, "none came"),
        ([begin(1), data(1, h.message(b"") * 2)], 12, "more came"),
        ([begin(1), data(1, b"\0\0", end=True)], 13, "in the middle"),
        ([begin(1), data(1, h.message(b"", 7), end=True)], 13, "flag"),
        ([begin(1), data(1, b"\0\xff\0\0\0")], 8, "larger than max"),
        ([h.call(1, b"/t/Fail")], 13, "the server failed"),
        ([h.call(1, b"/t/Nowhere")], 13, "the server failed"),
        ([h.call(1, more=[(b"grpc-timeout", b"0n")], path=b"/t/Hold")], 4, "Deadline Exceeded"),
    ],
)
async def test_calls_that_fail(talk: Talk, pieces: list[bytes], code: int, text: str) -> None:
    told = await talk.ask(*pieces)
    status = h.status(told, 1)
    assert status is not None
    assert status[0] == code
    assert text in status[1]
    assert len([found for found in told if found.kind == h.HEADERS]) == 1, "trailers alone"
    ended = any(piece[4] & h.END_STREAM or b"\0\1\0\0\0\1" in piece for piece in pieces)
    resets = [found for found in told if found.kind == h.RST]
    assert ended or [found.code for found in resets] == [Code.NO_ERROR]
    assert not talk.session.calls
    assert h.status(await talk.ask(h.call(3)), 3) == (0, ""), "the connection goes on"


@pytest.mark.parametrize("changed", [{"method": b"GET"}, {"kind": b"text/html"}, {"kind": None}])
async def test_http_that_is_not_grpc(talk: Talk, changed: Any) -> None:
    answer, line, end = await talk.ask(h.call(1, data=None, **changed))
    assert answer.headers[":status"] == ("405" if "method" in changed else "415")
    assert b"this port speaks gRPC" in line.payload
    assert h.status([end], 1) == (2, line.payload.decode().strip())
    assert end.flags & h.END_STREAM
    assert not talk.session.calls


async def test_http_that_is_not_grpc_is_heard_to_its_end(talk: Talk) -> None:
    assert talk.say(begin(1, kind=b"text/html"), data(1, b"a=b")) == []
    assert len(talk.session.calls) == 1
    answer, _, _ = await talk.ask(data(1, b"c=d", end=True))
    assert answer.headers[":status"] == "415"


@pytest.mark.parametrize("changed", [{"method": None}, {"te": b"gzip"}, {"more": [(b"A", b"")]}])
async def test_malformed_requests_are_reset(talk: Talk, changed: Any) -> None:
    (told,) = await talk.ask(h.call(1, data=None, **changed))
    assert (told.kind, told.code) == (h.RST, Code.PROTOCOL_ERROR)
    assert not talk.session.calls


@pytest.mark.parametrize(
    ("piece", "code"),
    [
        (h.widen(1, 0), Code.PROTOCOL_ERROR),
        (h.widen(1, 2**31 - 1), Code.FLOW_CONTROL_ERROR),
        (data(1, b"x"), Code.STREAM_CLOSED),
        (h.frame(h.HEADERS, 5, 1, h.block()), Code.STREAM_CLOSED),
    ],
)
async def test_a_broken_call_ends_alone(talk: Talk, piece: bytes, code: Code) -> None:
    await talk.ask(h.call(1, b"/t/Hold"), h.call(3, b"/t/Hold"))
    (told,) = await talk.ask(piece)
    assert (told.kind, told.stream_id, told.code) == (h.RST, 1, code)
    assert talk.methods.cancelled == 1
    assert len(talk.session.calls) == 1


async def test_headers_that_do_not_end_an_open_request(talk: Talk) -> None:
    talk.say(begin(1))
    (told,) = talk.say(begin(1))
    assert (told.kind, told.code) == (h.RST, Code.PROTOCOL_ERROR)


@pytest.mark.parametrize("piece", [h.reset(1), h.widen(1, 5), h.frame(h.PRIORITY, 0, 1, bytes(5))])
async def test_what_comes_late_is_let_pass(talk: Talk, piece: bytes) -> None:
    await talk.ask(h.call(1))
    assert await talk.ask(piece) == []
    assert not talk.closed


@pytest.mark.parametrize("piece", [data(1, b"x", end=True), h.call(1, data=None)])
async def test_nothing_may_follow_the_end_of_a_request(talk: Talk, piece: bytes) -> None:
    await talk.ask(h.call(1))
    (told,) = await talk.ask(piece)
    assert (told.kind, told.code) == (h.GOAWAY, Code.STREAM_CLOSED)
    assert talk.closed


@pytest.mark.parametrize("piece", [data(1, b"x", end=True), h.frame(h.HEADERS, 5, 1, h.block())])
async def test_what_was_sent_before_a_call_was_cut_is_let_pass(talk: Talk, piece: bytes) -> None:
    told = await talk.ask(begin(1), data(1, h.message(bytes(h.MESSAGE_BYTES_MAX + 1))[:16_000]))
    assert told[-1].kind == h.RST, "too large, and told so before it has all come"
    assert await talk.ask(piece) == []
    assert not talk.closed


@pytest.mark.parametrize("length", [b"1", b"7"])
async def test_a_content_length_that_lies_is_reset(talk: Talk, length: bytes) -> None:
    *_, told = await talk.ask(h.call(1, data=b"", more=[(b"content-length", length)]))
    assert (told.kind, told.code) == (h.RST, Code.PROTOCOL_ERROR)
    assert not talk.session.calls


async def test_trailers_with_a_pseudo_header_are_reset(talk: Talk) -> None:
    talk.say(begin(1))
    (told,) = talk.say(h.frame(h.HEADERS, 5, 1, h.block()))
    assert (told.kind, told.code) == (h.RST, Code.PROTOCOL_ERROR)


async def test_a_reset_cancels_once(talk: Talk) -> None:
    await talk.ask(h.call(1, b"/t/Hold"))
    assert await talk.ask(h.reset(1), h.reset(1)) == []
    assert talk.methods.cancelled == 1
    assert not talk.session.calls


async def test_a_reset_before_the_method_has_begun(talk: Talk) -> None:
    assert await talk.ask(h.call(1, b"/t/Hold") + h.reset(1)) == []
    assert talk.methods.begun == 0


async def test_an_answer_to_a_client_that_has_gone_is_not_sent(talk: Talk) -> None:
    await talk.ask(h.call(1, b"/t/Stubborn"))
    assert await talk.ask(h.reset(1)) == []
    assert talk.methods.cancelled == 1


# ---- windows


async def test_messages_in_any_frames(talk: Talk) -> None:
    text = bytes(range(256)) * 300
    whole = h.message(text)
    pieces = [whole[at : at + 16_384] for at in range(0, len(whole), 16_384)]
    told = await talk.ask(begin(1), *(data(1, piece) for piece in pieces), data(1, b"", end=True))
    sent = b"".join(found.payload for found in told if found.kind == h.DATA)
    assert len(sent) == 65_535, "no more than the window that the client gave"
    told = await talk.ask(h.widen(0, 100_000), h.widen(1, 100_000))
    sent += b"".join(found.payload for found in told if found.kind == h.DATA)
    assert sent == whole


async def test_many_messages_in_one_frame(talk: Talk) -> None:
    frames = h.message(b"ab") * 3 + h.message(b"") + h.message(b"c")
    told = await talk.ask(begin(1, b"/t/Chat"), data(1, frames, end=True))
    sent = b"".join(found.payload for found in told if found.kind == h.DATA)
    assert sent == h.message(b"ba") * 3 + h.message(b"") + h.message(b"c")


async def test_the_connection_is_given_back_what_it_took(talk: Talk) -> None:
    """For whatever call, also for those that are over, and with all padding."""
    await talk.ask(begin(1), h.reset(1), begin(3))
    padded = h.frame(h.DATA, h.PADDED, 1, b"\xff" + bytes(16_383))
    given = sum(found.code for found in talk.say(*[padded] * 100) if found.kind == h.WINDOW)
    assert given >= 100 * 16_384 - 2 * WINDOW


async def test_more_than_a_stream_may_send(talk: Talk) -> None:
    talk.say(begin(1))
    told = talk.say(
        data(1, b"\0\0\1\x86\x9f"), *[data(1, bytes(16_384))] * 6, data(1, bytes(3_000))
    )
    resets = [found.code for found in told if found.kind == h.RST]
    assert resets == [Code.FLOW_CONTROL_ERROR]


async def test_what_a_method_does_not_take_is_not_given_back(talk: Talk) -> None:
    """It waits, so the client may fill the stream's window once and no more."""
    talk.say(begin(1, b"/t/Count"))
    half = h.message(bytes(10_000))
    told = await talk.ask(*[data(1, half)] * 10)
    assert [found for found in told if found.stream_id == 1] == []
    (told_reset,) = talk.say(data(1, half))[-1:]
    assert (told_reset.kind, told_reset.code) == (h.RST, Code.FLOW_CONTROL_ERROR)


async def test_what_a_method_takes_is_given_back(talk: Talk) -> None:
    talk.say(begin(1, b"/t/Count"))
    talk.methods.release.set()
    given = 0
    for _ in range(100):
        told = await talk.ask(data(1, h.message(bytes(10_000))))
        given += sum(found.code for found in h.of_stream(told, 1))
    assert given >= 100 * 10_005 - WINDOW
    sent = await talk.ask(data(1, b"", end=True))
    assert sent[1].payload == h.message(b"1000000")


async def test_padding_is_given_back_at_once(talk: Talk) -> None:
    talk.say(begin(1, b"/t/Count"))
    piece = h.frame(h.DATA, h.PADDED, 1, b"\xff" + h.message(b"") + bytes(255))
    told = [found for _ in range(1_000) for found in talk.say(piece)]
    assert sum(found.code for found in h.of_stream(told, 1)) > 1_000 * 256 - WINDOW


async def test_what_calls_hold_has_a_bound(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls_module, "HELD_BYTES_MAX", 50_000)
    talk = Talk()
    talk.say(h.GREETING)
    piece = b"\0\0\1\0\0" + bytes(16_000)
    told = await talk.ask(*(begin(number) + data(number, piece) for number in (1, 3, 5, 7)))
    assert [h.status(told, number) for number in (1, 3, 5)] == [None] * 3
    status = h.status(told, 7)
    assert status is not None
    assert status[0] == 8
    # Whoever is done makes room for others.
    told = await talk.ask(h.reset(1), begin(9), data(9, piece))
    assert h.status(told, 9) is None


# ---- anything


PIECES = st.one_of(
    st.builds(
        h.frame,
        st.integers(0, 10),
        st.integers(0, 255),
        st.sampled_from([0, 1, 2, 3, 5]),
        st.binary(max_size=12),
    ),
    st.builds(
        h.call,
        st.sampled_from([1, 3, 5, 7, 9]),
        st.sampled_from([b"/t/Echo", b"/t/Hold", b"/t/Chat", b"/t/Fail", b"/t/Stream"]),
        st.sampled_from([None, b"", b"3 4", b"2 70000"]),
    ),
    st.builds(begin, st.sampled_from([1, 3, 5, 7]), st.sampled_from([b"/t/Chat", b"/t/Count"])),
    st.builds(
        data, st.sampled_from([1, 3, 5, 7]), st.binary(max_size=9).map(h.message), end=st.booleans()
    ),
    st.builds(h.reset, st.sampled_from([1, 3, 5, 7])),
    st.builds(h.widen, st.sampled_from([0, 1, 3, 5]), st.sampled_from([0, 1, 9_999, 2**31 - 1])),
    st.builds(h.settings, st.tuples(st.integers(1, 7), st.sampled_from([0, 1, 20_000, 2**31]))),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=25), st.booleans())
async def test_any_frames_leave_nothing_behind(pieces: list[bytes], at_once: bool) -> None:
    """Nothing but faults of the connection ends it, and what was held is let go of."""
    talk = Talk()
    talk.say(h.GREETING)
    for piece in pieces:
        talk.session.take(piece)
        if not at_once:
            await talk.later()
        if talk.closed:
            break
    told = await talk.later()
    assert all(found.flags & h.END_HEADERS for found in told if found.kind == h.HEADERS)
    assert talk.wire.room.held >= 0
    talk.session.calls.drop_all()
    await talk.later()
    assert len(talk.session.calls) == 0
    assert talk.wire.room.held == 0
    assert talk.session.calls.held == 0
    assert talk.methods.cancelled <= talk.methods.begun
