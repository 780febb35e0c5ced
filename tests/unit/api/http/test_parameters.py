"""Query parameters."""

import pytest
from starlette.requests import Request

from perdure.api.http.parameters import Parameters
from perdure.base.errors import CallerFault


def parameters(query: bytes) -> Parameters:
    return Parameters(Request({"type": "http", "query_string": query, "headers": []}))


def test_names_are_exact_and_the_first_counts() -> None:
    found = parameters(b"a=1&A=2&a=3&b=&c")
    assert found.text("a") == "1"
    assert found.text("A") == "2"
    assert found.text("b") == ""
    assert found.has("c")
    assert found.text("d") is None
    assert not found.has("d")


def test_words() -> None:
    assert parameters(b"a=x,y&a=z&a=,&b=1").words("a") == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("query", "value"),
    [(b"", True), (b"f=true", True), (b"f=TRUE", True), (b"f=0", False), (b"f=false", False)],
)
def test_flags(query: bytes, value: bool) -> None:
    assert parameters(query).flag("f", default=True) is value


@pytest.mark.parametrize("query", [b"f=", b"f=yes", b"f=2"])
def test_what_is_no_flag(query: bytes) -> None:
    with pytest.raises(CallerFault):
        parameters(query).flag("f", default=True)


@pytest.mark.parametrize(
    "query", [b"n=0", b"n=11", b"n=-1", b"n=1.0", b"n=+1", b"n=", b"n=" + b"9" * 5_000, b"n=%C2%B2"]
)
def test_what_is_no_number(query: bytes) -> None:
    with pytest.raises(CallerFault):
        parameters(query).number("n", default=5, least=1, most=10)


def test_numbers() -> None:
    assert parameters(b"n=10").number("n", default=5, least=1, most=10) == 10
    assert parameters(b"").number("n", default=5, least=1, most=10) == 5


@pytest.mark.parametrize(
    "query",
    [b"t=1970-01-01T00:00:01Z", b"t=1970-01-01T01:00:01+01:00", b"t=1970-01-01T01:00:01%2B01:00"],
)
def test_moments(query: bytes) -> None:
    assert parameters(query).moment_us("t") == 1_000_000


@pytest.mark.parametrize("query", [b"t=now", b"t=", b"t=1970-01-01"])
def test_what_is_no_moment(query: bytes) -> None:
    with pytest.raises(CallerFault):
        parameters(query).moment_us("t")


@pytest.mark.parametrize("query", [b"a=\xff", b"a=%ff", b"a=%ed%a0%80", b"&".join([b"a=1"] * 201)])
def test_what_cannot_be_read(query: bytes) -> None:
    with pytest.raises(CallerFault):
        parameters(query)
