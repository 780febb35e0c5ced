"""What a header block asks for. Equal blocks share one request, so all of it is worked out once."""

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Final

Headers = tuple[tuple[str, str], ...]
Metadata = tuple[tuple[str, str | bytes], ...]

CONTENT_TYPE: Final = "application/grpc"

_PSEUDO: Final = frozenset({":method", ":scheme", ":path", ":authority"})
_NEEDED: Final = (":method", ":scheme", ":path")
_OF_CONNECTIONS: Final = frozenset(
    {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}
)
_UNITS_S: Final = {"H": 3_600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_TIMEOUT_DIGITS_MAX: Final = 8


class Request:
    """The headers of a call."""

    __slots__ = (
        "_metadata",
        "content_length",
        "encoding",
        "headers",
        "http_status",
        "is_malformed",
        "path",
        "timeout_s",
    )

    def __init__(self, headers: Headers) -> None:
        """Read headers as they were sent."""
        found = dict(headers)
        self.headers = headers
        self._metadata: Metadata | None = None
        self.path = found.get(":path", "")
        self.encoding = found.get("grpc-encoding", "")
        self.timeout_s = timeout_s(found.get("grpc-timeout", ""))
        self.is_malformed = _is_malformed(headers, found)
        length = found.get("content-length", "")
        self.content_length = int(length) if length.isascii() and length.isdigit() else None
        # What HTTP would answer to a request that is none of gRPC, or 200.
        self.http_status = 200
        if found.get(":method") != "POST":
            self.http_status = 405
        elif not _is_grpc(found.get("content-type", "")):
            self.http_status = 415

    @property
    def metadata(self) -> Metadata:
        """The request's metadata: no pseudo-headers, `-bin` values decoded.

        A `-bin` value that is not base64 is left out: no method can have a use for it.
        """
        if self._metadata is None:
            self._metadata = metadata_of(self.headers)
        return self._metadata


def timeout_s(text: str) -> float | None:
    """Return a grpc-timeout in seconds, or None if it is none that gRPC knows."""
    digits, unit = text[:-1], text[-1:]
    if unit not in _UNITS_S or not digits.isascii() or not digits.isdigit():
        return None
    return int(digits) * _UNITS_S[unit] if len(digits) <= _TIMEOUT_DIGITS_MAX else None


def _is_grpc(content_type: str) -> bool:
    """Whether it is gRPC itself, and not gRPC-Web or anything else of that beginning."""
    kind = content_type.lower()
    return kind.startswith(CONTENT_TYPE) and kind[len(CONTENT_TYPE) :][:1] in {"", "+", ";"}


def _is_malformed(headers: Headers, found: dict[str, str]) -> bool:
    """Whether HTTP/2 forbids these headers (RFC 9113 section 8.2 and 8.3)."""
    pseudo = [name for name, _ in headers if name[:1] == ":"]
    in_order = all(name[:1] == ":" for name, _ in headers[: len(pseudo)])
    unique = len(set(pseudo)) == len(pseudo) and _PSEUDO.issuperset(pseudo)
    complete = all(found.get(name) for name in _NEEDED)
    return not (in_order and unique and complete and all(_is_allowed(*pair) for pair in headers))


def _is_allowed(name: str, value: str) -> bool:
    if not name or name != name.lower() or name in _OF_CONNECTIONS:
        return False
    if name == "te" and value != "trailers":
        return False
    return not any(char in value or char in name for char in "\0\r\n")


def metadata_of(headers: Headers) -> Metadata:
    """Return what of a header block is metadata (see `Request.metadata`)."""
    found: list[tuple[str, str | bytes]] = []
    for name, value in headers:
        if name[:1] == ":":
            continue
        if not name.endswith("-bin"):
            found.append((name, value))
            continue
        for part in value.split(","):
            try:
                found.append((name, b64decode(part + "=" * (-len(part) % 4), validate=True)))
            except (Base64Error, ValueError):
                continue
    return tuple(found)


def are_trailers(headers: Headers) -> bool:
    """Tell whether headers may stand at the end of a request (RFC 9113 section 8.1)."""
    return all(name[:1] != ":" and _is_allowed(name, value) for name, value in headers)
