"""What a header block asks for."""

from typing import Any

import pytest

from perdure.transport.request import Headers, Request, timeout_s

USUAL: dict[str, str] = {
    ":method": "POST",
    ":scheme": "http",
    ":path": "/s/M",
    ":authority": "here",
    "te": "trailers",
    "content-type": "application/grpc",
}


def request(*more: tuple[str, str], **changed: Any) -> Request:
    names = {"method": ":method", "scheme": ":scheme", "path": ":path", "kind": "content-type"}
    fields = USUAL | {names[name]: value for name, value in changed.items()}
    return Request(tuple((k, v) for k, v in fields.items() if v is not None) + more)


def test_a_usual_one() -> None:
    usual = request(("grpc-timeout", "20S"), ("grpc-encoding", "gzip"))
    assert usual.path == "/s/M"
    assert usual.encoding == "gzip"
    assert usual.timeout_s == 20
    assert usual.http_status == 200
    assert not usual.is_malformed


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1H", 3_600.0),
        ("2M", 120.0),
        ("3S", 3.0),
        ("250m", 0.25),
        ("99999999H", 99_999_999 * 3_600.0),
        ("0n", 0.0),
        ("1000u", 0.001),
        ("", None),
        ("S", None),
        ("5", None),
        ("5s", None),
        ("-5S", None),
        ("+5S", None),
        ("1_0S", None),
        ("1.5S", None),
        (" 5S", None),
        ("999999999S", None),
        ("never", None),
        ("٣S", None),
        ("²S", None),
    ],
)
def test_timeouts(text: str, seconds: float | None) -> None:
    found = timeout_s(text)
    assert found == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/grpc", 200),
        ("application/grpc+proto", 200),
        ("application/grpc;charset=utf-8", 200),
        ("Application/GRPC", 200),
        ("application/grpc-web", 415),
        ("application/grpc-web+proto", 415),
        ("application/grpcx", 415),
        ("application/json", 415),
        ("", 415),
        (None, 415),
    ],
)
def test_content_types(kind: str | None, status: int) -> None:
    assert request(kind=kind).http_status == status


def test_a_method_that_is_not_post() -> None:
    assert request(method="GET").http_status == 405


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("a", "b"), *USUAL.items()),
        (*USUAL.items(), (":path", "/other")),
        (*USUAL.items(), (":status", "200")),
        (*USUAL.items(), ("Upper", "case")),
        (*USUAL.items(), ("", "no name")),
        (*USUAL.items(), ("connection", "close")),
        (*USUAL.items(), ("transfer-encoding", "chunked")),
        (*USUAL.items(), ("te", "gzip")),
        (*USUAL.items(), ("a", "b\r\nc: d")),
        (*USUAL.items(), ("a\0", "b")),
    ],
)
def test_what_http_forbids(headers: Headers) -> None:
    assert Request(headers).is_malformed


@pytest.mark.parametrize("name", ["method", "scheme", "path"])
@pytest.mark.parametrize("value", [None, ""])
def test_what_http_asks_for(name: str, value: str | None) -> None:
    assert request(**{name: value}).is_malformed


def test_an_authority_is_not_asked_for() -> None:
    headers = tuple(pair for pair in USUAL.items() if pair[0] != ":authority")
    assert not Request(headers).is_malformed


def test_metadata() -> None:
    found = request(
        ("a", "1"),
        ("a", "2"),
        ("x-bin", "AAEC"),
        ("x-bin", "/w,AQ=="),
        ("y-bin", "!!"),
        ("z-bin", ""),
    )
    assert found.metadata[-6:] == (
        ("a", "1"),
        ("a", "2"),
        ("x-bin", b"\0\1\2"),
        ("x-bin", b"\xff"),
        ("x-bin", b"\1"),
        ("z-bin", b""),
    )
    assert not any(name.startswith(":") for name, _ in found.metadata)
    assert found.metadata is found.metadata
