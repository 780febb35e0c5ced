"""Which part of a store an instance belongs to, so that several nodes can share the work.

A store that nodes share is cut into partitions: for each app a fixed number of them, told when the
store is made and kept in it. An instance lies in the partition of its app that its id falls into,
for as long as it lives; an activity lies in that of the app that is to run it, under the number of
its instance. Nothing is written anywhere for that: whoever knows an app and an id knows the rest.
"""

from dataclasses import dataclass
from typing import Final
from zlib import crc32

PARTITIONS: Final = 64  # of each app, in a store that is made without another number
PARTITIONS_MOST: Final = 4_096


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One partition of one app."""

    app_id: str
    number: int


# What belongs to no app, such as retention, is done by whoever holds this one. No app is named "".
HOUSEKEEPING: Final = Partition("", 0)
# What an app is called that is none, but a limit of which nodes hold places. No app is named so.
LIMIT: Final = "\x1flimit/"


def is_of_limit(partition: Partition) -> bool:
    """Tell whether it is a place of a limit, in which nothing lies."""
    return partition.app_id.startswith(LIMIT)


def number_of(instance_id: str, partitions: int = PARTITIONS) -> int:
    """Return the number that an instance id falls into, of so many; it never changes."""
    return crc32(instance_id.encode()) % partitions


def partition_of(app_id: str, instance_id: str, partitions: int = PARTITIONS) -> Partition:
    """Return the partition of an app that an instance id falls into, of so many."""
    return Partition(app_id, number_of(instance_id, partitions))


assert PARTITIONS <= PARTITIONS_MOST
