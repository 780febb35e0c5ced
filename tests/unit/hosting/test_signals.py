"""SIGTERM while somebody in the process wishes that it end the program well, and after that."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from perdure.hosting.signals import EXIT_CODE, ExitSignal


@pytest.fixture(autouse=True)
def by_default() -> Iterator[None]:
    """Nobody has arranged for it."""
    found = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, found)


def handler() -> object:
    return signal.getsignal(signal.SIGTERM)


def test_it_ends_the_program_until_the_last_who_wishes_it_leaves() -> None:
    first, second = ExitSignal(), ExitSignal()
    first.listen()
    first.listen()
    second.listen()
    first.leave()
    first.leave()
    with pytest.raises(SystemExit) as ended:
        os.kill(os.getpid(), signal.SIGTERM)
    assert ended.value.code == EXIT_CODE
    second.leave()
    assert handler() is signal.SIG_DFL


def test_who_has_arranged_for_it_keeps_it() -> None:
    own = lambda *_: None  # noqa: E731 - a handler, compared by identity
    signal.signal(signal.SIGTERM, own)
    wish = ExitSignal()
    wish.listen()
    assert handler() is own
    wish.leave()
    assert handler() is own


def test_who_arranges_for_it_meanwhile_keeps_it() -> None:
    own = lambda *_: None  # noqa: E731 - a handler, compared by identity
    wish = ExitSignal()
    wish.listen()
    signal.signal(signal.SIGTERM, own)
    wish.leave()
    assert handler() is own


def test_other_threads_arrange_for_nothing() -> None:
    wish = ExitSignal()
    thread = threading.Thread(target=wish.listen)
    thread.start()
    thread.join()
    assert handler() is signal.SIG_DFL
    wish.listen()
    thread = threading.Thread(target=wish.leave)
    thread.start()
    thread.join()
    assert handler() is not signal.SIG_DFL
    wish.leave()
    assert handler() is signal.SIG_DFL


def test_who_had_it_taken_away_holds_up_nobody() -> None:
    forgotten, wish = ExitSignal(), ExitSignal()
    forgotten.listen()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    wish.listen()
    wish.leave()
    assert handler() is signal.SIG_DFL
    forgotten.leave()
    assert handler() is signal.SIG_DFL
