"""Methods of every shape, and whatever they do."""

import pytest
import structlog

from tests.unit.transport import http2 as h
from tests.unit.transport.talk import Talk


@pytest.fixture
async def talk() -> Talk:
    talk = Talk()
    talk.say(h.GREETING)
    return talk


def messages(told: list[h.Received]) -> bytes:
    return b"".join(found.payload for found in told if found.kind == h.DATA)


@pytest.mark.parametrize(
    ("path", "data", "answer"),
    [
        (b"/t/Echo", b"abc", h.message(b"abc")),
        (b"/t/Stream", b"3 2", h.message(b"\0\0") + h.message(b"\1\1") + h.message(b"\2\2")),
        (b"/t/Stream", b"0 0", b""),
        (b"/t/Chat", b"abc", h.message(b"cba")),
        (b"/t/Count", b"abc", h.message(b"3")),
        (b"/t/Typed", b"41", h.message(b"42")),
        (b"/t/TypedStream", b"2", h.message(b"0") + h.message(b"1")),
    ],
)
async def test_every_shape(talk: Talk, path: bytes, data: bytes, answer: bytes) -> None:
    talk.methods.release.set()
    told = await talk.ask(h.call(1, path, data))
    assert messages(told) == answer
    assert h.status(told, 1) == (0, "")
    assert [found.kind for found in told].count(h.HEADERS) == 2


@pytest.mark.parametrize(("path", "answer"), [(b"/t/Chat", b""), (b"/t/Count", h.message(b"0"))])
async def test_a_stream_of_no_requests(talk: Talk, path: bytes, answer: bytes) -> None:
    talk.methods.release.set()
    told = await talk.ask(h.call(1, path, None))
    assert messages(told) == answer


async def test_a_conversation(talk: Talk) -> None:
    await talk.ask(h.frame(h.HEADERS, 4, 1, h.block(b"/t/Chat")))
    for text in (b"ab", b"", b"cde"):
        told = await talk.ask(h.frame(h.DATA, 0, 1, h.message(text)))
        assert messages(told) == h.message(text[::-1])
    assert h.status(await talk.ask(h.frame(h.DATA, 1, 1)), 1) == (0, "")


async def test_a_status_of_the_method_itself(talk: Talk) -> None:
    head, tail = await talk.ask(h.call(1, b"/t/Abort"))
    assert head.headers["begin"] == "1"
    assert tail.headers == {
        "grpc-status": "5",
        "grpc-message": "not 100%25 here",
        "end-bin": "/w",
    }


@pytest.mark.parametrize("path", [b"/t/Fail", b"/t/Nowhere", b"/t/Stream", b"/t/Typed"])
async def test_a_fault_is_logged_and_not_told(talk: Talk, path: bytes) -> None:
    with structlog.testing.capture_logs() as logged:
        told = await talk.ask(h.call(1, path, b"secret"))
    (entry,) = logged
    code, text = h.status(told, 1) or (0, "")
    assert code == 13
    assert "secret" not in text
    assert entry["log_level"] == "error"
    assert entry["reference"] in text


async def test_a_generator_is_closed_when_its_client_goes(talk: Talk) -> None:
    await talk.ask(h.call(1, b"/t/Stream", b"1000 1000"))
    assert talk.methods.closed == 0
    await talk.ask(h.reset(1))
    assert talk.methods.closed == 1


async def test_a_method_that_is_cancelled_by_the_server_ends_its_call(talk: Talk) -> None:
    await talk.ask(h.call(1, b"/t/Hold"))
    task = talk.methods.calls[0].task
    assert task is not None
    task.cancel()
    assert h.status(await talk.later(), 1) == (1, "the call was given up")
