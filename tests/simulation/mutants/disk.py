"""Breakages of the store, of the committer, and of what is kept in notes."""

from dataclasses import replace
from typing import Any

from perdure.engine.committer import Committer
from perdure.engine.mailbox import Mailbox
from perdure.store.memory import applying
from perdure.store.memory.shelf import Draft
from perdure.store.memory.store import MemoryStore
from perdure.store.port import Outcome, Verdict
from tests.simulation.mutants.patching import Patch, every, mutant


@mutant("the version is not checked", odds={"reply_lost": 0.03})
def skip_the_version_check(patch: Patch) -> None:
    def made(verdict_of: Any) -> Any:
        def broken(draft: Draft, entry: Any) -> Any:
            own = draft.get(entry.key)
            if own is not None and entry.expect_version is not None:
                entry = replace(entry, expect_version=own.version)
            return verdict_of(draft, entry)

        return broken

    patch.put(applying, "_verdict", made)


@mutant("an inbox row is dropped now and then")
def drop_an_inbox_row(patch: Patch) -> None:
    def made(deliver: Any) -> Any:
        def lost(draft: Draft, key: Any, add: Any) -> Any:
            if draft.get(key) is None:
                return deliver(draft, key, add)
            draft.counters.inbox_seq += 1
            return draft.counters.inbox_seq

        return every(10, deliver, lost)

    patch.put(applying, "_deliver", made)


@mutant("a suspension is not written down")
def suspension_is_not_stored(patch: Patch) -> None:
    def made(changed: Any) -> Any:
        return lambda draft, own, entry: changed(draft, own, replace(entry, suspended=None))

    patch.put(applying, "_changed", made)


@mutant("a version is not raised by a move")
def version_stays(patch: Patch) -> None:
    def made(changed: Any) -> Any:
        def broken(draft: Draft, own: Any, entry: Any) -> Any:
            after = changed(draft, own, entry)
            return replace(after, version=own.version) if entry.head is not None else after

        return broken

    patch.put(applying, "_changed", made)


@mutant("a history is written over")
def history_is_written_over(patch: Patch) -> None:
    def made(changed: Any) -> Any:
        def broken(draft: Draft, own: Any, entry: Any) -> Any:
            after = changed(draft, own, entry)
            if len(own.history) > 6 and entry.history:
                rows = list(after.history)
                rows[4] = replace(rows[4], event=rows[5].event)
                after = replace(after, history=tuple(rows))
            return after

        return broken

    patch.put(applying, "_changed", made)


@mutant("a key is given to two lives of an id")
def keys_are_given_again(patch: Patch) -> None:
    def made(remove: Any) -> Any:
        def broken(self: Draft, key: int) -> None:
            remove(self, key)
            self.counters.key = min(self.counters.key, key - 1) if key > 3 else self.counters.key

        return broken

    patch.put(Draft, "remove", made)


@mutant("only the first entry of a batch lands")
def batch_lands_in_part(patch: Patch) -> None:
    def made(commit: Any) -> Any:
        def broken(self: MemoryStore, entries: Any) -> list[Outcome]:
            outcomes: list[Outcome] = commit(self, entries[:2])
            return outcomes + [Outcome(Verdict.LANDED, (1,))] * (len(entries) - 2)

        return broken

    patch.put(MemoryStore, "commit", made)


@mutant("a batch lands in the order of nobody", odds={"slow_store": 60.0}, first_seed=13)
def batch_lands_in_reverse(patch: Patch) -> None:
    def made(commit: Any) -> Any:
        def broken(self: Committer, entries: Any) -> Any:
            return list(reversed(commit(self, list(reversed(entries)))))

        return broken

    patch.put(Committer, "_commit", made)


@mutant("another event is kept than the one that was delivered")
def keep_another_event(patch: Patch) -> None:
    def made(keep: Any) -> Any:
        def broken(self: Mailbox, request: Any, keep_us: int) -> Any:
            return keep(self, replace(request, input="message of nobody"), keep_us)

        return broken

    patch.put(Mailbox, "keep", made)


@mutant("what is kept for an instance that never comes is kept for ever", first_seed=6)
def kept_events_never_expire(patch: Patch) -> None:
    async def expire(_: Mailbox) -> int | None:
        return None

    patch.put(Mailbox, "expire", lambda _: expire)
