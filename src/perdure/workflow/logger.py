"""Loggers of the runtime and the clients, with the options that people know."""

import logging
from typing import Final

_FORMAT: Final = "%(asctime)s.%(msecs)03d %(name)s %(levelname)s: %(message)s"
_DATE_FORMAT: Final = "%Y-%m-%d %H:%M:%S"


class LoggerOptions:
    """How a logger writes: its level, its handler and its format."""

    def __init__(
        self,
        log_level: str | int | None = None,
        log_handler: logging.Handler | None = None,
        log_formatter: logging.Formatter | None = None,
    ) -> None:
        """Keep the options; without any, INFO and above go to standard error."""
        self.log_level = logging.INFO if log_level is None else log_level
        self.log_handler = logging.StreamHandler() if log_handler is None else log_handler
        self.log_formatter = (
            logging.Formatter(fmt=_FORMAT, datefmt=_DATE_FORMAT)
            if log_formatter is None
            else log_formatter
        )


class Logger:
    """A logger by name; its handler is added once."""

    def __init__(self, name: str, options: LoggerOptions | None = None) -> None:
        """Write as the options say."""
        self._logger_options = LoggerOptions() if options is None else options
        handler = self._logger_options.log_handler
        handler.setLevel(self._logger_options.log_level)
        handler.setFormatter(self._logger_options.log_formatter)
        self._logger = logging.getLogger(name)
        if not self._logger.handlers:
            self._logger.addHandler(handler)

    def get_options(self) -> LoggerOptions:
        """Return the options."""
        return self._logger_options

    def debug(self, msg: str, *args: object) -> None:
        """Write what only those who look for trouble want to know."""
        self._logger.debug(msg, *args)

    def info(self, msg: str, *args: object) -> None:
        """Write what happens."""
        self._logger.info(msg, *args)

    def warning(self, msg: str, *args: object) -> None:
        """Write what ought to be looked at."""
        self._logger.warning(msg, *args)

    def error(self, msg: str, *args: object) -> None:
        """Write what has failed."""
        self._logger.error(msg, *args)

    def exception(self, msg: str, *args: object) -> None:
        """Write what has failed, with the exception that is being handled."""
        self._logger.error(msg, *args, exc_info=True)  # noqa: LOG014 - for those who handle one

    def critical(self, msg: str, *args: object) -> None:
        """Write what ends all of it."""
        self._logger.critical(msg, *args)
