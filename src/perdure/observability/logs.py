"""Structured logs: one line a fact, for people or as JSON with daprd's keys.

Payloads and tokens are never logged: reports carry none, and a key that is named like one is cut
out of every line, whoever wrote it.
"""

import logging
import sys
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import structlog
from structlog.typing import Processor

LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}
_LEVEL_NAMES: Final = {number: name for name, number in LEVELS.items()}
HIDDEN: Final = "(hidden)"
_SECRETS: Final = frozenset(
    {
        *("api_token", "authorization", "dapr-api-token", "dapr_api_token", "password", "secret"),
        *("token", "input", "output", "payload", "event_data", "custom_status", "result"),
    }
)
# Everything of ours is beneath this name. All else is of libraries, and they tell of what they are
# handed, byte by byte, if they are asked for more than warnings: tokens and payloads, too.
_OURS: Final = "perdure"

# What happens before a line reaches logging, which the rest is left to.
_PROCESSORS: Final[Sequence[Processor]] = (
    structlog.stdlib.filter_by_level,
    structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
)

_Line = MutableMapping[str, Any]


def _without_secrets(_logger: object, _method: str, line: _Line) -> _Line:
    for key in line.keys() & _SECRETS:
        line[key] = HIDDEN
    return line


def _with_daprd_keys(app_id: str, version: str) -> Processor:
    def add(_logger: object, _method: str, line: _Line) -> _Line:
        line["msg"] = line.pop("event", "")
        line["type"] = "log"
        line["app_id"] = line.pop("app_id", app_id)
        line["ver"] = version
        return line

    return add


def _with_time_and_level(_logger: object, _method: str, line: _Line) -> _Line:
    record = line.get("_record")
    number = record.levelno if isinstance(record, logging.LogRecord) else logging.INFO
    created = record.created if isinstance(record, logging.LogRecord) else 0.0
    moment = datetime.fromtimestamp(created, UTC).isoformat(timespec="microseconds")
    line["time"] = moment.replace("+00:00", "Z")
    line["level"] = _LEVEL_NAMES.get(number, logging.getLevelName(number).lower())
    if isinstance(record, logging.LogRecord):
        line["scope"] = record.name
    return line


def _for_people(_logger: object, _method: str, line: _Line) -> str:
    head = f"{line.pop('time')} {line.pop('level').upper():5} {line.pop('event', '')}"
    line.pop("scope", None)
    trace = line.pop("exception", None)
    pairs = [f"{key}={_shown(value)}" for key, value in line.items() if not key.startswith("_")]
    text = "  ".join([head, *pairs])
    return f"{text}\n{trace}" if trace else text


def _shown(value: object) -> str:
    text = str(value)
    # A value must not be able to look like another line or another pair.
    return text if text.isprintable() and not set(text) & set(' ="') and text else repr(text)


def _formatter(*, as_json: bool, app_id: str, version: str) -> logging.Formatter:
    before: Sequence[Processor] = (
        _with_time_and_level,
        _without_secrets,
        structlog.processors.format_exc_info,
    )
    last: Sequence[Processor] = (
        (
            _with_daprd_keys(app_id, version),
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
        )
        if as_json
        else (_for_people,)
    )
    return structlog.stdlib.ProcessorFormatter(
        processors=[*before, *last],
        foreign_pre_chain=[structlog.stdlib.ExtraAdder()],
    )


@contextmanager
def logging_to(
    stream: TextIO, *, level: str, as_json: bool, app_id: str, version: str
) -> Iterator[None]:
    """Write the logs of this process to `stream` for as long as the block lasts.

    `level` is one of `LEVELS`, for what is ours. Libraries are kept to warnings.
    """
    structlog_before = structlog.get_config()
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _Lines(stream)
    handler.setFormatter(_formatter(as_json=as_json, app_id=app_id, version=version))
    root, ours = logging.getLogger(), logging.getLogger(_OURS)
    before = (root.level, ours.level, root.handlers[:])
    root.handlers[:] = [handler]
    root.setLevel(max(LEVELS[level], logging.WARNING))
    ours.setLevel(LEVELS[level])
    try:
        yield
    finally:
        handler.close()
        structlog.configure(**structlog_before)
        root.setLevel(before[0])
        ours.setLevel(before[1])
        root.handlers[:] = before[2]


class _Lines(logging.StreamHandler[TextIO]):
    """Writes lines, and goes on where they cannot be written: it says so once, on standard error.

    Whoever reads the log may be gone, or its disk full; the workflows are not to hear of that.
    """

    _is_broken = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or tell that it could not be."""
        try:
            line = self.format(record) + self.terminator
        except Exception:  # noqa: BLE001 - logging has its own way of telling that
            self.handleError(record)
            return
        try:
            self.stream.write(line)
            self.stream.flush()
        except (OSError, ValueError) as error:
            self._tell(error)
        else:
            self._is_broken = False

    def close(self) -> None:
        """Write what has not been written yet."""
        try:
            self.stream.flush()
        except (OSError, ValueError) as error:
            self._tell(error)
        super().close()

    def flush(self) -> None:
        """Do nothing: every line is flushed when it is written."""

    def _tell(self, error: Exception) -> None:
        if self._is_broken:
            return
        self._is_broken = True
        with suppress(OSError, ValueError):  # it may be gone as well; then there is nobody to tell
            sys.stderr.write(f"perdure: the log cannot be written, and goes on without: {error}\n")
            sys.stderr.flush()


def logger(scope: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a scope such as `perdure.runtime`."""
    made: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(scope),
        processors=_PROCESSORS,
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return made
