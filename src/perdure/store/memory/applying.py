"""How one entry changes a draft: first every expectation, then every change.

Head and flags change first: an instance that the entry's own head finishes takes nothing into its
inbox any more. Then the instance's own rows change, and then births, messages and lifecycle rows
follow in this order, each seeing what came before it; then the notes, and a purge is last.
"""

from dataclasses import replace

from perdure.store.births import born_in_order
from perdure.store.lifecycle import lifecycle_rows
from perdure.store.memory.noting import change_notes, ends_what_is_gone, takes_a_name_in_use
from perdure.store.memory.shelf import Draft, Instance
from perdure.store.port import (
    FIRST_VERSION,
    Birth,
    BirthOutcome,
    Entry,
    HandOut,
    HistoryAdd,
    HistoryRow,
    InboxAdd,
    InboxRow,
    LifecycleRow,
    Message,
    Outcome,
    Require,
    TaskAdd,
    TaskEnd,
    TaskRow,
    TimerAdd,
    TimerRow,
    Verdict,
)


def apply_entry(draft: Draft, entry: Entry) -> Outcome:
    """Make the changes of an entry, or none of them if an expectation of it fails."""
    verdict = _verdict(draft, entry)
    if verdict is not Verdict.LANDED:
        return Outcome(verdict)
    own = draft.get(entry.key)
    if own is not None:
        draft.put(_changed(draft, own, entry))
    inbox_seqs = tuple(_deliver(draft, entry.key, add) for add in entry.inbox)
    births = born_in_order(entry, lambda birth: _bear(draft, entry.key, birth))
    messages = tuple(_tell(draft, message) for message in entry.messages)
    _record_lifecycle(draft, entry, births)
    change_notes(draft, entry)
    if entry.purge and entry.key is not None:
        draft.remove(entry.key)
    return Outcome(Verdict.LANDED, inbox_seqs, births, messages)


def _verdict(draft: Draft, entry: Entry) -> Verdict:
    if takes_a_name_in_use(draft, entry):
        return Verdict.NOTED
    verdict = Verdict.LANDED if entry.key is None else _verdict_of_own(draft, entry)
    if verdict is not Verdict.LANDED:
        return verdict
    if ends_what_is_gone(draft, entry):
        return Verdict.ENDED
    return _verdict_of_births(draft, entry) if entry.key is None else Verdict.LANDED


def _verdict_of_own(draft: Draft, entry: Entry) -> Verdict:
    own = draft.get(entry.key)
    if own is None:
        expected = entry.require is not Require.NOTHING or entry.expect_version is not None
        if expected:
            return Verdict.MISSING
    elif entry.require is Require.UNFINISHED and own.finished:
        return Verdict.FINISHED
    elif entry.expect_version not in {None, own.version}:
        return Verdict.STALE
    return Verdict.LANDED if _still_open(own, entry) else Verdict.ENDED


def _verdict_of_births(draft: Draft, entry: Entry) -> Verdict:
    ids = [birth.identity.instance_id for birth in entry.births]
    all_free = len(set(ids)) == len(ids) and all(_is_free(draft, b) for b in entry.births)
    return Verdict.LANDED if all_free else Verdict.ID_TAKEN


def _still_open(own: Instance | None, entry: Entry) -> bool:
    tasks = {(row.add.generation, row.add.task_id) for row in own.tasks} if own else set()
    timers = {(row.generation, row.timer_id) for row in own.timers} if own else set()
    ended = [(end.generation, end.task_id) for end in entry.ended_tasks]
    fired = [(end.generation, end.timer_id) for end in entry.ended_timers if end.must_exist]
    return (
        len(set(ended)) == len(ended)
        and len(set(fired)) == len(fired)
        and tasks.issuperset(ended)
        and timers.issuperset(fired)
    )


def _is_free(draft: Draft, birth: Birth) -> bool:
    bearer = draft.get(draft.bearer_of(birth.identity.instance_id))
    return bearer is None or (bearer.key == birth.replaces and bearer.finished)


def _changed(draft: Draft, own: Instance, entry: Entry) -> Instance:
    """Return the instance with every change of the entry to its own rows but the inbox's."""
    if entry.head is not None:
        own = replace(own, head=entry.head)
    if entry.head is not None or entry.moves:
        own = replace(own, version=own.version + 1)
    if entry.suspended is not None:
        own = replace(own, suspended=entry.suspended)
    if entry.held is not None:
        own = replace(own, held=entry.held)
    if entry.wipe_history:
        own = replace(own, history=(), ended_tasks=())
    own = replace(own, history=own.history + _history_rows(entry.history, len(own.history)))
    left = () if entry.wipe_inbox else own.inbox
    own = replace(own, inbox=tuple(row for row in left if row.seq not in entry.taken))
    return _with_timers(_with_tasks(draft, own, entry), entry)


def _history_rows(adds: tuple[HistoryAdd, ...], length: int) -> tuple[HistoryRow, ...]:
    return tuple(
        HistoryRow(seq, add.kind, add.event) for seq, add in enumerate(adds, start=length + 1)
    )


def _with_tasks(draft: Draft, own: Instance, entry: Entry) -> Instance:
    for end in entry.ended_tasks:
        own = _without_task(own, end)
    if entry.wipe_tasks:
        given_up = tuple(_without_event(row) for row in own.tasks)
        own = replace(own, tasks=(), ended_tasks=own.ended_tasks + given_up)
    own = replace(own, tasks=own.tasks + _task_rows(draft, own, entry.tasks))
    for note in entry.handed_out:
        own = _with_note(own, note)
    return own


def _without_task(own: Instance, end: TaskEnd) -> Instance:
    ended = next(row for row in own.tasks if _is_task(row, end))
    return replace(
        own,
        tasks=tuple(row for row in own.tasks if row is not ended),
        ended_tasks=(
            *own.ended_tasks,
            replace(_without_event(ended), finished_at_us=end.at_us, failed=end.failed),
        ),
    )


def _without_event(row: TaskRow) -> TaskRow:
    return replace(row, add=replace(row.add, event=b"", propagated=None))


def _is_task(row: TaskRow, named: TaskAdd | TaskEnd | HandOut) -> bool:
    return (row.add.generation, row.add.task_id) == (named.generation, named.task_id)


def _with_note(own: Instance, note: HandOut) -> Instance:
    """Note a hand-out at the open task of that name, else at the one that ended last."""
    rows = sorted((*own.ended_tasks, *own.tasks), key=lambda row: row.row)
    is_open = [row for row in own.tasks if _is_task(row, note)]
    named = is_open or [row for row in rows if _is_task(row, note)]
    if not named:
        return own
    meant = named[-1]
    return replace(
        own,
        tasks=tuple(_noted(row, note) if row is meant else row for row in own.tasks),
        ended_tasks=tuple(_noted(row, note) if row is meant else row for row in own.ended_tasks),
    )


def _noted(row: TaskRow, note: HandOut) -> TaskRow:
    return replace(row, worker=note.worker, handed_out_at_us=note.at_us, attempts=row.attempts + 1)


def _task_rows(draft: Draft, own: Instance, adds: tuple[TaskAdd, ...]) -> tuple[TaskRow, ...]:
    rows: list[TaskRow] = []
    for add in adds:
        known = any(_is_task(row, add) for row in (*own.tasks, *rows))
        assert not known, f"task {add.task_id} of instance {own.key} is scheduled twice"
        draft.counters.task_row += 1
        rows.append(
            TaskRow(
                row=draft.counters.task_row,
                key=own.key,
                instance_id=own.identity.instance_id,
                suspended=False,  # filled in when it is read
                add=add,
            )
        )
    return tuple(rows)


def _with_timers(own: Instance, entry: Entry) -> Instance:
    ended = {(end.generation, end.timer_id) for end in entry.ended_timers}
    kept = tuple(row for row in own.timers if (row.generation, row.timer_id) not in ended)
    kept = () if entry.wipe_timers else kept
    return replace(own, timers=kept + _timer_rows(own.key, kept, entry.timers))


def _timer_rows(
    key: int, kept: tuple[TimerRow, ...], adds: tuple[TimerAdd, ...]
) -> tuple[TimerRow, ...]:
    names = [(row.generation, row.timer_id) for row in kept]
    names += [(add.generation, add.timer_id) for add in adds]
    assert len(set(names)) == len(names), f"a timer of instance {key} is set twice"
    return tuple(TimerRow(key, add.generation, add.timer_id, add.fire_at_us) for add in adds)


def _deliver(draft: Draft, key: int | None, add: InboxAdd) -> int | None:
    """Put an event into an inbox and return its number, None if it was dropped."""
    instance = draft.get(key)
    if instance is None or instance.finished:
        return None
    draft.put(replace(instance, inbox=_with_inbox(draft, instance, (add,))))
    return draft.counters.inbox_seq


def _with_inbox(
    draft: Draft, instance: Instance, adds: tuple[InboxAdd, ...]
) -> tuple[InboxRow, ...]:
    rows = list(instance.inbox)
    for add in adds:
        draft.counters.inbox_seq += 1
        rows.append(InboxRow(draft.counters.inbox_seq, add))
    return tuple(sorted(rows, key=lambda row: (row.add.rank, row.seq)))


def _bear(draft: Draft, asker: int | None, birth: Birth) -> BirthOutcome:
    if not _is_free(draft, birth):
        seq = _deliver(draft, asker, birth.if_taken) if birth.if_taken else None
        return BirthOutcome(None, () if seq is None else (seq,))
    replaced = draft.bearer_of(birth.identity.instance_id)
    if replaced is not None:
        draft.remove(replaced)
    draft.counters.key += 1
    newborn = Instance(
        key=draft.counters.key,
        version=FIRST_VERSION,
        identity=birth.identity,
        head=birth.head,
        held=birth.held,
        history=_history_rows(birth.history, 0),
    )
    newborn = replace(
        newborn,
        inbox=_with_inbox(draft, newborn, birth.inbox),
        tasks=_task_rows(draft, newborn, birth.tasks),
        timers=_timer_rows(newborn.key, (), birth.timers),
    )
    draft.put(newborn)
    return BirthOutcome(newborn.key, tuple(sorted(row.seq for row in newborn.inbox)))


def _tell(draft: Draft, message: Message) -> tuple[int, int] | None:
    key = message.to if isinstance(message.to, int) else draft.bearer_of(message.to)
    seq = _deliver(draft, key, message.add)
    return None if key is None or seq is None else (key, seq)


def _record_lifecycle(draft: Draft, entry: Entry, births: tuple[BirthOutcome, ...]) -> None:
    for key, add in lifecycle_rows(entry, births):
        draft.counters.lifecycle_seq += 1
        draft.add_lifecycle(LifecycleRow(draft.counters.lifecycle_seq, key, add))
