"""Notes in memory: what an entry expects of them, and what it changes."""

from perdure.store.memory.shelf import Draft
from perdure.store.port import Entry, NoteRow, NoteRule


def takes_a_name_in_use(draft: Draft, entry: Entry) -> bool:
    """Tell whether a note that was to be new is there already."""
    return any(
        note.rule is NoteRule.NEW and draft.has_note(note.shelf, note.key) for note in entry.notes
    )


def ends_what_is_gone(draft: Draft, entry: Entry) -> bool:
    """Tell whether a note that was to be there is not."""
    return any(
        end.must_exist and not draft.has_note(end.shelf, end.key) for end in entry.ended_notes
    )


def change_notes(draft: Draft, entry: Entry) -> None:
    for end in entry.ended_notes:
        draft.remove_note(end.shelf, end.key)
    for add in entry.notes:
        draft.counters.note_row += 1
        draft.put_note(
            NoteRow(
                row=draft.counters.note_row,
                shelf=add.shelf,
                key=add.key,
                at_us=add.at_us,
                body=add.body,
                about=add.about,
            )
        )
