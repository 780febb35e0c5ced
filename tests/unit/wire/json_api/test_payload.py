"""Bodies as payloads."""

import json
from base64 import b64decode

from hypothesis import given
from hypothesis import strategies as st

from perdure.wire.json_api.payload import payload_of


@given(st.text())
def test_text_stays_as_it_is(text: str) -> None:
    assert payload_of(text.encode()) == text


def test_other_bytes_are_a_json_string_of_their_base64() -> None:
    body = b"\xff\xfe\x00"
    assert b64decode(json.loads(payload_of(body))) == body
