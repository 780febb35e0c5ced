"""A program that commits one step after the other to a file and says so, until it is killed.

It goes on from where the file ends. Each line it prints is the number of a commit that landed.
"""

import sys

from perdure.core.status import Status
from perdure.store.port import (
    FIRST_VERSION,
    Birth,
    Entry,
    Head,
    HistoryAdd,
    Identity,
    InboxAdd,
    LifecycleAdd,
    NoteAdd,
    NoteEnd,
    NoteRule,
    Store,
    TaskAdd,
    TaskEnd,
)
from perdure.store.sqlite import SqliteStore


def step(number: int) -> list[Entry]:
    """The entries of one commit; the instance born in it has the same number as key."""
    instance_id = f"i{number}"
    birth = Birth(
        identity=Identity(
            instance_id=instance_id,
            name="hello",
            app_id="app",
            execution_id=instance_id,
            tags=(("number", str(number)),),
        ),
        head=Head(phase=int(Status.PENDING)),
        inbox=(InboxAdd(3, b"start" * (number % 700), rank=0),),
        tasks=(TaskAdd(1, 0, "greet", "app", b"task", number),),
    )
    born = LifecycleAdd("created", number, instance_id, "hello")
    receipt = NoteAdd(shelf="receipts", key=str(number), at_us=number)
    place = str(number).encode()
    position = NoteAdd(
        shelf="positions", key="source", at_us=number, body=place, rule=NoteRule.REPLACE
    )
    old = (NoteEnd("receipts", str(number - 20)),) if number > 20 else ()
    entries = [
        Entry(
            key=None,
            births=(birth,),
            lifecycle=(born,),
            notes=(receipt, position),
            ended_notes=old,
        )
    ]
    if number > 1:
        turn = Entry(
            key=number - 1,
            expect_version=FIRST_VERSION,
            head=Head(phase=int(Status.COMPLETED), completed_at_us=number),
            history=(HistoryAdd(12, b"h" * (number % 300)), HistoryAdd(3, b"s")),
            wipe_inbox=True,
            ended_tasks=(TaskEnd(1, 0, number),),
        )
        entries.append(turn)
    if number > 20:
        entries.append(Entry(key=number - 20, purge=True))
    return entries


def steps_taken(store: Store) -> int:
    """How many steps a store holds."""
    rows = store.list_ids(0, 1_000_000)
    return rows[-1][0] if rows else 0


def main() -> None:
    store = SqliteStore(sys.argv[1])
    number = steps_taken(store)
    while True:
        number += 1
        store.commit(step(number))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
