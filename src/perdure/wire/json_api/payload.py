"""A body of any bytes as a payload: a string, which is all that workers can be sent."""

from base64 import b64encode


def payload_of(body: bytes) -> str:
    """Return `body` as text, or as a JSON string of its base64 if it is not UTF-8.

    Workers read payloads as JSON, so that bytes reach the workflow as a string it can decode.
    """
    try:
        return body.decode()
    except UnicodeDecodeError:
        return f'"{b64encode(body).decode()}"'
