"""Protobuf by hand: tags and varints, and nothing of the code that is tested."""


def varint(number: int) -> bytes:
    """Return a number as a varint; a negative one takes ten bytes."""
    number &= (1 << 64) - 1
    out = bytearray()
    while True:
        byte, number = number & 0x7F, number >> 7
        out.append(byte | (0x80 if number else 0))
        if not number:
            return bytes(out)


def number(field: int, value: int) -> bytes:
    """Return a field that holds an integer, an enum or a bool."""
    return varint(field << 3) + varint(value)


def data(field: int, *parts: bytes | str) -> bytes:
    """Return a field that holds text, bytes, or a message made of `parts`."""
    body = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return varint(field << 3 | 2) + varint(len(body)) + body


def wrapped(field: int, text: str) -> bytes:
    """Return a StringValue: present also when it is empty."""
    return data(field, data(1, text) if text else b"")


def moment(field: int, seconds: int, nanos: int = 0) -> bytes:
    """Return a Timestamp."""
    return data(
        field,
        number(1, seconds) if seconds else b"",
        number(2, nanos) if nanos else b"",
    )
