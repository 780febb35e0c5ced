"""How often what goes wrong. Each seed scales these odds by itself, so that seeds differ in kind.

A run in which everything goes wrong at once hides what only shows when one thing does. So for each
seed and each kind of fault a factor is drawn, which may well be 0.
"""

from dataclasses import dataclass, fields, replace
from random import Random
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Odds:
    """Chances of faults; each field names a kind of fault and how its odds are counted."""

    # of each commit
    crash_before_commit: float = 0.002  # the process dies and nothing has landed
    crash_after_commit: float = 0.002  # it dies with what has landed, before anybody is told
    commit_failed: float = 0.01  # the store says so, and has kept nothing
    reply_lost: float = 0.001  # it has landed, the engine hears of an error and is restarted later
    # of each read
    read_failed: float = 0.003
    # of each minute
    crash: float = 0.05  # the process dies in the middle of anything
    stop: float = 0.05  # it is stopped in good order and started again
    disk_full: float = 0.03  # for a while nothing can be written
    slow_store: float = 0.05  # for a while everything takes a hundred times as long
    clock_jumped: float = 0.05  # the wall clock is set forward or back
    worker_gone: float = 0.3  # a worker dies with what it has in hand
    stream_cut: float = 0.3  # a stream breaks, with what is on the way; the worker lives
    # of each answer of a worker
    answer_lost: float = 0.01  # it never arrives, and the worker has forgotten the work
    answer_twice: float = 0.04  # it arrives a second time, somewhat later
    answer_late: float = 0.03  # it arrives after minutes
    answer_nonsense: float = 0.01  # it breaks the protocol
    # of each request
    request_lost: float = 0.01  # it never arrives
    client_untold: float = 0.01  # it is done, and the reply is lost on the way back


QUIET: Final = Odds(**dict.fromkeys((field.name for field in fields(Odds)), 0.0))
_FACTORS: Final = (0.0, 0.3, 1.0, 3.0)


def drawn(chance: Random, odds: Odds) -> Odds:
    """Return the odds of one run: each scaled by a factor of its own."""
    scaled = {
        field.name: getattr(odds, field.name) * chance.choice(_FACTORS) for field in fields(Odds)
    }
    return replace(odds, **scaled)
