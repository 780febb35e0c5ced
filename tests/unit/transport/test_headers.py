"""Header blocks: what the cache knows is what a decoder would say; what is written can be read."""

import logging
from contextlib import suppress
from urllib.parse import unquote

import pytest
from hpack import Decoder, Encoder
from hypothesis import given
from hypothesis import strategies as st

from perdure.transport import headers as hd
from perdure.transport.frames import Code, ConnectionFault
from perdure.transport.request import Headers, Request
from tests.unit.transport import http2 as h


def read(block: bytes) -> dict[str, str]:
    return h.Received(h.HEADERS, 0, 1, block).headers


def test_blocks_of_answers() -> None:
    assert read(hd.INITIAL) == {":status": "200", "content-type": "application/grpc"}
    assert read(hd.TRAILERS_OK) == {"grpc-status": "0"}
    assert read(hd.trailers(5, "not here", [("x-bin", b"\xff\0"), ("y", "z")])) == {
        "grpc-status": "5",
        "grpc-message": "not here",
        "x-bin": "/wA",
        "y": "z",
    }
    assert read(hd.initial([("a", "b")])) == read(hd.INITIAL) | {"a": "b"}
    assert read(hd.refusal(415)) == {":status": "415", "content-type": "text/plain"}


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("a b~", "a b~"),
        ("100%", "100%25"),
        ("a\r\nb", "a%0D%0Ab"),
        ("ü", "%C3%BC"),
        ("\ud800", "?"),
        ("\x7f", "%7F"),
    ],
)
def test_messages_are_percent_encoded(text: str, sent: str) -> None:
    assert read(hd.trailers(2, text))["grpc-message"] == sent


@pytest.mark.parametrize("char", ["a", "%", "ü", "長", "\U0001f600"])
@pytest.mark.parametrize("extra", ["", "a", "ab", "abc"])
def test_long_messages_are_cut_between_characters(char: str, extra: str) -> None:
    encoded = read(hd.trailers(2, extra + char * 5_000))["grpc-message"]
    assert hd.MESSAGE_BYTES_MAX - 12 <= len(encoded) <= hd.MESSAGE_BYTES_MAX
    said = unquote(encoded, errors="strict")
    assert said == (extra + char * 5_000)[: len(said)]


@given(st.text(max_size=30), st.binary(max_size=300))
def test_what_is_written_can_be_read(text: str, value: bytes) -> None:
    got = read(hd.trailers(2, text, [("x-bin", value)]) + hd.literal("plain", "x" * len(value)))
    assert unquote(got.get("grpc-message", "")) == text.encode("utf-8", "replace").decode()
    assert got["plain"] == "x" * len(value)


# ---- the cache

FIELDS = st.tuples(
    st.sampled_from([b":path", b"grpc-timeout", b"user-agent", b"a"]),
    st.sampled_from([b"/s/M", b"20S", b"x" * 60, b"", b"\xff"]),
    st.booleans(),
)
STEPS = st.lists(
    st.one_of(st.lists(FIELDS, max_size=5), st.sampled_from([0, 64, 150, 4_096])), max_size=30
)


@given(STEPS)
def test_a_known_block_says_what_a_decoder_would(
    steps: list[list[tuple[bytes, ...]] | int],
) -> None:
    encoder, plain, known = Encoder(), Decoder(), hd.BlockDecoder(10_000, Request)
    for before, step in zip([[], *steps], steps, strict=False):
        if isinstance(step, int):
            if isinstance(before, int):
                continue  # the encoder would tell of every change, and two are allowed
            encoder.header_table_size = step
            continue
        block = encoder.encode(step)  # type: ignore[arg-type]  # steps are drawn by hypothesis
        said = [(bytes(pair[0]), bytes(pair[1])) for pair in plain.decode(block, raw=True)]
        assert as_bytes(known.decode(block).headers) == said
        for _ in range(2):  # the same request again: most of it is in the table now
            again = encoder.encode(step)  # type: ignore[arg-type]  # steps are drawn by hypothesis
            plain.decode(again, raw=True)
            assert as_bytes(known.decode(again).headers) == said


def as_bytes(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def test_equal_blocks_share_one_request() -> None:
    decoder = hd.BlockDecoder(10_000, Request)
    block = h.block()
    assert decoder.decode(block) is decoder.decode(block)


def test_what_is_known_has_a_bound() -> None:
    decoder = hd.BlockDecoder(10_000, Request)
    first = decoder.decode(h.block())
    for number in range(300):
        decoder.decode(h.block(f"/s/{number}".encode()))
    assert decoder.decode(h.block()) is not first
    large = h.block(b"/" + b"x" * 600)
    assert decoder.decode(large) is not decoder.decode(large)


@pytest.mark.parametrize(
    "block",
    [
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  # an index without end
        b"\xc0",  # an index of an empty table
        b"\x80",  # index 0
        b"\x00\x05ab",  # a name that stops
        b"\x00\x01a",  # no value
        b"\x40",
        b"\x00\x81\xff\x00",  # Huffman of nothing
        b"\x3f\xff\xff\x7f",  # a table larger than was agreed
        b"\x20\x20\x20",  # sizes to and fro
        b"\x3f\x00\x3f\x80\x80\x00\x20\x82",
        b"\x82\x20",  # a size behind a header
        h.literals([(b"a", b"x" * 300)] * 40),  # too large a list
    ],
)
def test_blocks_that_are_none(block: bytes) -> None:
    with pytest.raises(ConnectionFault) as caught:
        hd.BlockDecoder(10_000, Request).decode(block)
    assert caught.value.code is Code.COMPRESSION_ERROR


@given(st.binary(max_size=60))
def test_anything_is_a_request_or_a_fault(block: bytes) -> None:
    with suppress(ConnectionFault):
        hd.BlockDecoder(10_000, Request).decode(block)


def test_headers_are_not_logged_even_for_debugging(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        block = Encoder().encode([("dapr-api-token", "s3cret")])
        hd.BlockDecoder(65_536, lambda headers: headers).decode(block)
    assert caplog.text == ""
