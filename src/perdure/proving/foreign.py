"""Errors that come into a run from outside of it."""

from asyncio import CancelledError


def is_foreign(error: BaseException) -> bool:
    """Tell whether an error is of nobody in the run, as that of a test that took too long."""
    return not isinstance(error, Exception | CancelledError)
