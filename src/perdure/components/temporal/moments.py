"""Times of Temporal's messages in microseconds."""

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from perdure.wire.fields import microseconds


def moment_us(message: Message, field: str) -> int | None:
    """Return the time in a field, or None if it holds none; 0001-01-01 and 1970 stand for none."""
    stamp = getattr(message, field)
    assert isinstance(stamp, Timestamp), field
    if not message.HasField(field) or stamp.seconds <= 0:
        return None
    return microseconds(stamp)
