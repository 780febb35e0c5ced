"""A body of any bytes as a payload: a string, which is all that workers can be sent."""

from base64 import b64decode, b64encode


class Base64Text(str):
    """A payload whose bytes are no text: a JSON string that holds their base64.

    An engine that can carry bytes asks for them; to all others it is a string like any other.
    """

    __slots__ = ()

    def content(self) -> bytes:
        """Return the bytes."""
        return b64decode(self[1:-1])


def payload_of(body: bytes) -> str:
    """Return `body` as text, or as a JSON string of its base64 if it is not UTF-8.

    Workers read payloads as JSON, so that bytes reach the workflow as a string it can decode.
    """
    try:
        return body.decode()
    except UnicodeDecodeError:
        return Base64Text(f'"{b64encode(body).decode()}"')
