"""Waiting for an instance to end, by long polls: the server answers when there is news."""

import time
from typing import Final

from perdure.cli.exits import ExitCode
from perdure.cli.output import note
from perdure.cli.workflow.calls import Calls
from perdure.cli.workflow.records import Instance

# One long poll; a proxy in between may cut off longer ones.
LONG_POLL_S: Final = 30


def wait_until_finished(calls: Calls, instance: Instance, timeout_s: float | None) -> Instance:
    """Return the instance once it has ended, or as it is when the time is over."""
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        left_s = LONG_POLL_S if deadline is None else deadline - time.monotonic()
        instance = calls.get(instance, wait_s=max(0, min(LONG_POLL_S, round(left_s))))
        if instance.is_finished or (deadline is not None and time.monotonic() >= deadline):
            return instance


def wait_told(calls: Calls, instance: Instance, timeout_s: float | None) -> Instance:
    """Wait as `wait_until_finished` does. Whoever is interrupted is told that it goes on."""
    try:
        ended = wait_until_finished(calls, instance, timeout_s)
    except KeyboardInterrupt:
        note(f"It goes on without you: perdure workflow watch {instance.instance_id}")
        raise
    if not ended.is_finished:
        note(f"It has not ended yet: perdure workflow watch {instance.instance_id}")
    return ended


def exit_code_of(instance: Instance) -> ExitCode:
    """Return the exit code for whoever waited for an instance."""
    if not instance.is_finished:
        return ExitCode.UNFINISHED
    return ExitCode.OK if instance.status == "COMPLETED" else ExitCode.FAILED
