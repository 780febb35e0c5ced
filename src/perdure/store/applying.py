"""How one entry is checked and then gathered into a batch, in the order that the port promises.

It is the same for every store that writes to tables.
"""

from perdure.store.births import born_in_order
from perdure.store.gathering import Batch, Known
from perdure.store.lifecycle import lifecycle_rows
from perdure.store.port import (
    Birth,
    BirthOutcome,
    Entry,
    InboxAdd,
    Message,
    NoteRule,
    Outcome,
    Require,
    Verdict,
)


def apply_entry(batch: Batch, entry: Entry) -> Outcome:
    """Gather the changes of an entry, or none of them if an expectation of it fails."""
    own = batch.instance(entry.key)
    verdict = _verdict(batch, entry, own)
    if verdict is not Verdict.LANDED:
        return Outcome(verdict)
    if own is not None:
        _change_instance(batch, own, entry)
        _change_events(batch, own, entry)
        _change_tasks(batch, own, entry)
        _change_timers(batch, own, entry)
    inbox_seqs = tuple([_deliver(batch, own, add) for add in entry.inbox])
    births: tuple[BirthOutcome, ...] = ()
    if entry.births:
        births = born_in_order(entry, lambda birth: _bear(batch, entry.key, birth))
    messages = tuple([_tell(batch, message) for message in entry.messages])
    for key, add in lifecycle_rows(entry, births):
        batch.add_lifecycle(key, add)
    if entry.notes or entry.ended_notes:
        batch.change_notes(entry)
    if entry.purge:
        own = batch.instance(entry.key)  # a birth may have replaced it
        if own is not None:
            batch.purge(own)
    return Outcome(Verdict.LANDED, inbox_seqs, births, messages)


def _verdict(batch: Batch, entry: Entry, own: Known | None) -> Verdict:
    if entry.notes and _takes_a_name_in_use(batch, entry):
        return Verdict.NOTED
    verdict = Verdict.LANDED if entry.key is None else _verdict_of_own(batch, entry, own)
    if verdict is not Verdict.LANDED:
        return verdict
    if entry.ended_notes and _ends_what_is_gone(batch, entry):
        return Verdict.ENDED
    return _verdict_of_births(batch, entry) if entry.key is None else Verdict.LANDED


def _verdict_of_own(batch: Batch, entry: Entry, own: Known | None) -> Verdict:
    if own is None:
        if entry.require is not Require.NOTHING or entry.expect_version is not None:
            return Verdict.MISSING
    elif entry.require is Require.UNFINISHED and own.finished:
        return Verdict.FINISHED
    elif entry.expect_version is not None and entry.expect_version != own.version:
        return Verdict.STALE
    if entry.ended_tasks or entry.ended_timers:
        return _verdict_of_ends(batch, entry, own)
    return Verdict.LANDED


def _takes_a_name_in_use(batch: Batch, entry: Entry) -> bool:
    """Tell whether a note that was to be new is there already."""
    return any(
        note.rule is NoteRule.NEW and batch.has_note(note.shelf, note.key) for note in entry.notes
    )


def _ends_what_is_gone(batch: Batch, entry: Entry) -> bool:
    """Tell whether a note that was to be there is not."""
    return any(
        end.must_exist and not batch.has_note(end.shelf, end.key) for end in entry.ended_notes
    )


def _verdict_of_births(batch: Batch, entry: Entry) -> Verdict:
    ids = {birth.identity.instance_id for birth in entry.births}
    all_free = len(ids) == len(entry.births) and all(_is_free(batch, b) for b in entry.births)
    return Verdict.LANDED if all_free else Verdict.ID_TAKEN


def _verdict_of_ends(batch: Batch, entry: Entry, own: Known | None) -> Verdict:
    key = entry.key or 0
    tasks = [(key, end.generation, end.task_id) for end in entry.ended_tasks]
    timers = [(key, end.generation, end.timer_id) for end in entry.ended_timers if end.must_exist]
    all_open = own is not None or not (tasks or timers)
    all_open = all_open and len(set(tasks)) == len(tasks) and len(set(timers)) == len(timers)
    all_open = all_open and all(map(batch.task_is_open, tasks))
    all_open = all_open and all(map(batch.timer_is_open, timers))
    return Verdict.LANDED if all_open else Verdict.ENDED


def _is_free(batch: Batch, birth: Birth) -> bool:
    return _gives_way(_bearer(batch, birth), birth)


def _bearer(batch: Batch, birth: Birth) -> Known | None:
    return batch.instance(batch.bearer_of(birth.identity.instance_id))


def _gives_way(bearer: Known | None, birth: Birth) -> bool:
    return bearer is None or (bearer.key == birth.replaces and bearer.finished)


def _change_instance(batch: Batch, own: Known, entry: Entry) -> None:
    if entry.head is not None:
        own.head = entry.head
        own.phase = entry.head.phase
    if entry.head is not None or entry.moves:
        own.version += 1
    if entry.suspended is not None:
        own.suspended = entry.suspended
    if entry.held is not None:
        own.held = entry.held
    if entry.moves or (entry.head, entry.suspended, entry.held) != (None, None, None):
        batch.touch(own)


def _change_events(batch: Batch, own: Known, entry: Entry) -> None:
    if entry.wipe_history:
        batch.wipe_history(own)
    if entry.history:
        batch.add_history(own, entry.history)
    if entry.taken:
        batch.take_inbox(own, entry.taken)
    if entry.wipe_inbox:
        batch.wipe_inbox(own)


def _change_tasks(batch: Batch, own: Known, entry: Entry) -> None:
    for end in entry.ended_tasks:
        batch.end_task(own, end)
    if entry.wipe_tasks:
        batch.give_up_tasks(own)
    if entry.tasks:
        batch.add_tasks(own, entry.tasks)
    for note in entry.handed_out:
        batch.note_task(own, note)


def _change_timers(batch: Batch, own: Known, entry: Entry) -> None:
    for timer in entry.ended_timers:
        batch.end_timer(own, timer)
    if entry.wipe_timers:
        batch.wipe_timers(own)
    if entry.timers:
        batch.add_timers(own, entry.timers)


def _deliver(batch: Batch, known: Known | None, add: InboxAdd) -> int | None:
    """Put an event into an inbox and return its number, None if it was dropped."""
    return None if known is None or known.finished else batch.add_inbox(known, add)


def _bear(batch: Batch, asker: int | None, birth: Birth) -> BirthOutcome:
    bearer = _bearer(batch, birth)
    if not _gives_way(bearer, birth):
        if birth.if_taken is None:
            return BirthOutcome(None)
        seq = _deliver(batch, batch.instance(asker), birth.if_taken)
        return BirthOutcome(None, () if seq is None else (seq,))
    if bearer is not None:
        batch.purge(bearer)
    newborn = batch.add_instance(birth)
    if birth.history:
        batch.add_history(newborn, birth.history)
    seqs = tuple([batch.add_inbox(newborn, add) for add in birth.inbox])
    if birth.tasks:
        batch.add_tasks(newborn, birth.tasks)
    if birth.timers:
        batch.add_timers(newborn, birth.timers)
    return BirthOutcome(newborn.key, seqs)


def _tell(batch: Batch, message: Message) -> tuple[int, int] | None:
    key = message.to if isinstance(message.to, int) else batch.bearer_of(message.to)
    known = batch.instance(key)
    seq = _deliver(batch, known, message.add)
    return None if known is None or seq is None else (known.key, seq)
