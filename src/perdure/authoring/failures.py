"""What workflow code raises and catches, and how a raised exception is told to others."""

import traceback
from typing import Protocol, Self

from perdure.core.events import Failure


class FailureDetails:
    """What is known of a failure: its message, the name of its type, where it came from."""

    def __init__(self, message: str, error_type: str, stack_trace: str | None) -> None:
        """Keep what is told."""
        self._message = message
        self._error_type = error_type
        self._stack_trace = stack_trace

    @property
    def message(self) -> str:
        """The text of the exception."""
        return self._message

    @property
    def error_type(self) -> str:
        """The name of the exception's class."""
        return self._error_type

    @property
    def stack_trace(self) -> str | None:
        """Where it was raised, if its worker told."""
        return self._stack_trace


class Told(Protocol):
    """What a failure tells of itself, however it came here."""

    @property
    def message(self) -> str: ...
    @property
    def error_type(self) -> str: ...
    @property
    def stack_trace(self) -> str | None: ...


class TaskFailedError(Exception):
    """An activity or a child workflow has failed for good."""

    def __init__(self, message: str, details: Told) -> None:
        """Keep what is known of the failure."""
        super().__init__(message)
        self._details = FailureDetails(details.message, details.error_type, details.stack_trace)

    def __reduce__(self) -> tuple[type[Self], tuple[str, FailureDetails]]:
        """Go to another process and come back whole."""
        return type(self), (str(self), self._details)

    @property
    def details(self) -> FailureDetails:
        """What the worker told of it."""
        return self._details


class NonRetryableError(Exception):
    """Raised by an activity or a child workflow that is not to be tried again."""


class OrchestratorNotRegisteredError(ValueError):
    """No workflow of that name is registered."""


class ActivityNotRegisteredError(ValueError):
    """No activity of that name is registered."""


class VersionNotRegisteredException(Exception):
    """The workflow is registered, but not the version that the instance runs."""


class ForeignAwaitable(TypeError):
    """A workflow awaited something that its history cannot repeat."""


def failure_of(
    error: BaseException, non_retryable: tuple[type[BaseException], ...] = ()
) -> Failure:
    """Return what is told of an exception that workflow or activity code raised.

    `non_retryable` are the classes after which no retry policy tries again.
    """
    trace = "".join(traceback.format_tb(error.__traceback__))
    return Failure(
        type(error).__name__,
        _message_of(error),
        non_retriable=isinstance(error, (NonRetryableError, *non_retryable)),
        stack_trace=trace or None,
    )


def _message_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as worse:  # noqa: BLE001 - the author's class tells itself, or does not
        return f"(it cannot be told: {type(worse).__name__})"
