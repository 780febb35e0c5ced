"""Events out of the store, which were whole when they went in."""

import pytest

from perdure.base.errors import StoreBroken
from perdure.core import events as ev
from perdure.core.status import Status
from perdure.wire.events import decode_stored, encode


def test_what_is_whole() -> None:
    event = ev.ExecutionCompleted(at_us=1, status=Status.COMPLETED, result="1")
    assert decode_stored(encode(event)) == event


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xff",
        # A completion with a status that there is not.
        bytes([4 << 3 | 2, 2, 1 << 3, 99]),
    ],
)
def test_what_is_damaged(data: bytes) -> None:
    with pytest.raises(StoreBroken, match=r"the store is damaged .*: stop the server"):
        decode_stored(data)
