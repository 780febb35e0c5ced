"""Texts and payloads: what is sent comes back byte for byte, readable where it can be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from perdure.bridge.texts import (
    PAYLOAD_BYTES_MAX,
    is_too_large,
    raw_bytes,
    raw_text,
    text_of,
    word_of,
)


@given(st.none() | st.text())
def test_a_text_comes_back_as_it_was(text: str | None) -> None:
    assert text_of(raw_text(text).payload) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (None, b"binary/null"),
        ('{"a":  1}', b"json/plain"),
        ("null", b"json/plain"),
        ("not json", b"binary/plain"),
        ("", b"binary/plain"),
    ],
)
def test_what_is_json_is_json_for_others_too(text: str | None, encoding: bytes) -> None:
    payload = raw_text(text).payload
    assert payload.metadata["encoding"] == encoding
    assert payload.data == (text or "").encode()


def test_bytes_of_others_that_are_no_text_come_as_base64() -> None:
    assert text_of(Payload(metadata={"encoding": b"binary/plain"}, data=b"\xff\xfe")) == '"//4="'


def test_words_stand_beside_bytes() -> None:
    payload = raw_bytes(b"\x00", instance="běh").payload
    assert (payload.data, word_of(payload, "instance")) == (b"\x00", "běh")
    assert word_of(payload, "missing") == ""


def test_size_is_counted_in_bytes() -> None:
    assert not is_too_large(None)
    assert not is_too_large("x" * PAYLOAD_BYTES_MAX)
    assert is_too_large("x" * (PAYLOAD_BYTES_MAX + 1))
    assert is_too_large("ž" * (PAYLOAD_BYTES_MAX // 2 + 1))
