"""Leases on partitions, as data: who has which for how long, and what nodes tell each other.

A lease is held by one node until a moment of the store's own clock. Every taking of it has a number
of its own, which grows: the *term*. What a holder commits carries its term, and the store refuses
what carries one that is over. A lease that has run out stays its holder's until somebody takes it.
"""

from dataclasses import dataclass
from typing import Final

from perdure.store.partitions import Partition


@dataclass(frozen=True, slots=True)
class Term:
    """One holding of a partition. Of two terms of a partition the later has the higher number."""

    partition: Partition
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeReport:
    """What a node says of itself when it stands up to be counted."""

    node: str  # names one life of one process; another life has another
    name: str  # for people
    apps: tuple[str, ...]  # which have workers here, in order
    held: tuple[Term, ...]  # to be renewed
    ttl_us: int  # how long it counts as there, and its leases as renewed


@dataclass(frozen=True, slots=True)
class Member:
    """A node that counts as there."""

    node: str
    name: str
    apps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease as it stands. `node` is None once its holder has given it back."""

    term: Term
    node: str | None
    expires_at_us: int  # by the store's clock


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand at a moment of the store's clock, the asker's report taken in.

    `members` are those whose reports have not run out, in the order of their names for machines;
    `leases` all there ever were, by partition. `renewed` are those of the asker's that were
    renewed; what it held besides these it holds no longer.
    """

    now_us: int
    members: tuple[Member, ...]
    leases: tuple[Lease, ...]
    renewed: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Touched:
    """A partition of which something has changed; without `keys`, anything of it may have."""

    partition: Partition
    keys: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class News:
    """What another node has done, told to all; what it is needed for is read from the store.

    `touched` names partitions in which an owner has to look, with the instances (one that is gone
    among them), save those that the teller held itself. `ids` names instances that were born, have
    started, ended or gone, and `noted` those about which notes of the engine's were written. None
    in place of names means that anything may be meant. `leases` tells that some may be free now.
    """

    touched: tuple[Touched, ...] | None = ()
    ids: tuple[str, ...] | None = ()
    noted: tuple[str, ...] | None = ()
    leases: bool = False


# To be told when news may have been missed.
ANYTHING: Final = News(None, None, None, leases=True)
