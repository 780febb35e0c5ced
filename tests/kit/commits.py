"""Entries handed in to a committer, as futures that a test can await."""

import asyncio

from perdure.engine.committer import Committer
from perdure.store.port import Entry, Outcome


def handed_in(committer: Committer, entry: Entry) -> asyncio.Future[Outcome]:
    """Hand in an entry; the future has its outcome, or why there is none."""
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def came(outcome: Outcome | BaseException) -> None:
        if future.cancelled():
            return
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    committer.submit(entry, came)
    return future
