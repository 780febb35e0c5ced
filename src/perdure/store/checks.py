"""What must hold of what goes into a store and of what comes out of it, whatever the store.

A failure here is a broken invariant of ours, never a caller's mistake.
"""

from perdure.core.status import TERMINAL
from perdure.store.moving import Shipment, Whole
from perdure.store.port import FIRST_VERSION, Entry, Loaded, Snapshot


def check_entry(entry: Entry, *, shared: bool = False) -> None:
    """Assert what an entry promises before it is committed, to a store that nodes share or not."""
    assert shared or entry.term is None, "who owns a store alone needs no leases"
    assert shared or not entry.moves, "who owns a store alone knows of every change"
    assert not (entry.moves and entry.head), "a head is another version by itself"
    if entry.head is not None:
        assert entry.expect_version is not None, "a head is written over a version that is known"
        _check_phase(entry.head.phase, entry.head.completed_at_us)
    if entry.key is None:
        own = (entry.head, entry.expect_version, entry.suspended, entry.held)
        rows = (entry.history, entry.taken, entry.inbox, entry.tasks, entry.ended_tasks)
        more_rows = (entry.handed_out, entry.timers, entry.ended_timers, entry.epitaph)
        wipes = (entry.wipe_history, entry.wipe_inbox, entry.wipe_tasks, entry.wipe_timers)
        assert not entry.moves, "an entry without a key moves no instance"
        assert own == (None,) * 4, "an entry without a key changes no instance"
        assert not any((*rows, *more_rows, *wipes, entry.purge)), "an entry without a key is births"
    if entry.notes or entry.ended_notes:
        for notes in (entry.notes, entry.ended_notes):
            names = {(note.shelf, note.key) for note in notes}
            assert len(names) == len(notes), "a note is named twice"
    for birth in entry.births:
        tags = birth.identity.tags
        assert len(dict(tags)) == len(tags), "a tag is given twice"
        _check_phase(birth.head.phase, birth.head.completed_at_us)


def check_loaded(loaded: Loaded) -> None:
    """Assert what a store promises of an instance that it has read."""
    check_snapshot(loaded.snapshot)
    assert loaded.snapshot.inbox_length == len(loaded.inbox), loaded.snapshot
    if loaded.history:
        first, last = loaded.history[0].seq, loaded.history[-1].seq
        assert (first, last) == (1, len(loaded.history)), "a history has no gap"


def check_shipment(shipment: Shipment) -> None:
    """Assert what a shipment promises before it is put in."""
    for whole in shipment.instances:
        check_whole(whole)


def check_whole(whole: Whole) -> None:
    """Assert what holds of an instance on the move."""
    assert whole.version >= FIRST_VERSION, whole.version
    _check_phase(whole.head.phase, whole.head.completed_at_us)
    seqs = [row.seq for row in whole.history]
    assert seqs == list(range(1, len(seqs) + 1)), "a history has no gap"
    places = [(row.add.rank, row.seq) for row in whole.inbox]
    assert places == sorted(places), "an inbox is in its order"
    for rows in (whole.tasks, whole.ended_tasks):
        numbers = [row.row for row in rows]
        assert numbers == sorted(numbers), "tasks are in their order"
    timers = [(timer.generation, timer.timer_id) for timer in whole.timers]
    assert timers == sorted(set(timers)), "timers are in their order"
    named = {(row.add.generation, row.add.task_id) for row in whole.tasks}
    assert len(named) == len(whole.tasks), "of one name one task is open"


def check_snapshot(snapshot: Snapshot) -> None:
    """Assert what a store promises of an instance's own row."""
    assert snapshot.version >= FIRST_VERSION, snapshot
    _check_phase(snapshot.head.phase, snapshot.head.completed_at_us)


def _check_phase(phase: int, completed_at_us: int | None) -> None:
    # Retention finds the finished by that moment, so one without it would stay for ever.
    assert (phase in TERMINAL) == (completed_at_us is not None), (phase, completed_at_us)
