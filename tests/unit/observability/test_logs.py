"""Lines for people and for machines, and what must never be in either."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog

from perdure.observability.logs import HIDDEN, LEVELS, logger, logging_to


@contextmanager
def logs(level: str = "info", *, as_json: bool = True) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    with logging_to(stream, level=level, as_json=as_json, app_id="shop", version="0.1.0"):
        yield stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_has_the_keys_of_daprd() -> None:
    with logs() as stream:
        logger("perdure.runtime").info("ready", http_port=3500)
    [line] = lines(stream)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "type": "log",
        "msg": "ready",
        "scope": "perdure.runtime",
        "app_id": "shop",
        "ver": "0.1.0",
        "http_port": 3500,
    }


def test_a_line_for_people() -> None:
    with logs(as_json=False) as stream:
        logger("perdure.runtime").warning("look here", file="a b", count=3, empty="")
    text = stream.getvalue()
    assert text.endswith(" WARN  look here  file='a b'  count=3  empty=''\n")
    assert text[:4].isdigit()


def test_a_value_cannot_forge_a_line() -> None:
    with logs(as_json=False) as stream:
        logger("perdure.engine").info("worker", name="x\n2030-01-01 ERROR all is lost")
    assert len(stream.getvalue().splitlines()) == 1


@pytest.mark.parametrize("as_json", [True, False])
def test_tokens_and_payloads_are_cut_out(*, as_json: bool) -> None:
    with logs(as_json=as_json) as stream:
        logger("perdure.engine").info("start", token="s3cret", input="pay", api_token="s3cret")
        logging.getLogger("somebody").info("call", extra={"authorization": "s3cret"})
    text = stream.getvalue()
    assert "s3cret" not in text
    assert "pay" not in text
    assert HIDDEN in text


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_is_the_least_that_is_written(level: str) -> None:
    with logs(level) as stream:
        for name, number in LEVELS.items():
            logger("perdure.x").log(number, name)
    written = [line["level"] for line in lines(stream)]
    assert written == list(LEVELS)[list(LEVELS).index(level) :]


def test_libraries_log_into_the_same_lines_and_not_too_much() -> None:
    with logs("debug") as stream:
        logging.getLogger("uvicorn.access").info("GET / 200")
        logging.getLogger("grpc").warning("odd: %s", "this")
        # It tells of every header that comes, the API token among them.
        logging.getLogger("hpack.hpack").debug("Decoded %s", (b"dapr-api-token", b"s3cret"))
        logging.getLogger("perdure.engine").debug("fine")
    assert [(line["scope"], line["msg"]) for line in lines(stream)] == [
        ("grpc", "odd: this"),
        ("perdure.engine", "fine"),
    ]


def test_a_logger_that_a_module_made_when_it_was_loaded_writes_here_too() -> None:
    made = structlog.get_logger("perdure.api.grpc")
    with logs() as stream:
        made.warning("odd", worker="w", token="s3cret")
        made.debug("unseen")
    [line] = lines(stream)
    assert (line["scope"], line["msg"], line["worker"]) == ("perdure.api.grpc", "odd", "w")
    assert line["token"] == HIDDEN


def test_an_error_brings_its_trace() -> None:
    with logs() as stream:
        logger("perdure.x").error("fault", exc_info=RuntimeError("broken"))
    [line] = lines(stream)
    assert "RuntimeError: broken" in line["exception"]


def test_what_was_set_up_before_is_set_up_again() -> None:
    root = logging.getLogger()
    before = (root.level, root.handlers[:], logging.getLogger("uvicorn").level)
    structlog_before = structlog.get_config()
    with logs():
        assert root.handlers != before[1]
    assert structlog.get_config() == structlog_before
    assert (root.level, root.handlers, logging.getLogger("uvicorn").level) == before


class _Full(io.StringIO):
    """A stream whose reader is gone, and comes back."""

    is_gone = True

    def write(self, text: str, /) -> int:
        if self.is_gone:
            raise BrokenPipeError(32, "Broken pipe")
        return super().write(text)


def test_a_log_that_cannot_be_written_is_told_once_and_holds_up_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stream = _Full()
    with logging_to(stream, level="info", as_json=True, app_id="shop", version="0.1.0"):
        for number in range(3):
            logger("perdure.runtime").info("lost", number=number)
        stream.is_gone = False
        logger("perdure.runtime").info("there again")
    assert capsys.readouterr().err == (
        "perdure: the log cannot be written, and goes on without: [Errno 32] Broken pipe\n"
    )
    assert [line["msg"] for line in lines(stream)] == ["there again"]
