"""How a program ends: its exit codes, and trouble that says what to do next."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a program that calls us may rely on; `docs/command-line.md` lists them."""

    OK = 0
    FAILED = 1  # it was tried and did not work, or the workflow that was waited for failed
    USAGE = 2  # flags, arguments, input or configuration cannot be used
    NOT_FOUND = 3  # there is no such instance, event or file
    CONFLICT = (
        4  # it is not possible in the present state: id in use, already finished, file locked
    )
    AWAY = 5  # no server answers at the address
    DENIED = 6  # the server wants another API token
    UNFINISHED = 7  # the time to wait is over and the workflow has not finished
    INTERRUPTED = 130  # Ctrl-C


class Trouble(Exception):
    """Something went wrong that a person can mend: what it is, and what to do next."""

    def __init__(self, message: str, *, advice: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.code = code
