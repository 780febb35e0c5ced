"""Nodes and leases: what a node's report, its claims and its leaving change and return."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from perdure.store.leases import Lease, Member, NodeReport, Standing, Term
from perdure.store.partitions import Partition
from perdure.store.postgres.connections import Link
from perdure.store.postgres.statements import statements

_SQL: Final = statements("leasing")


async def stand(link: Link, report: NodeReport) -> Standing:
    """Take in a report, and return how things stand."""
    rows = await link.rows(
        _SQL["report"],
        *(report.node, report.name, list(report.apps), report.ttl_us),
        *term_columns(report.held),
    )
    renewed = {Term(Partition(app_id, number), term) for app_id, number, term in rows}
    now_us: int = await link.value(_SQL["now"])
    members = [
        Member(node, name, tuple(apps))
        for node, name, apps in await link.rows(_SQL["members"], now_us)
    ]
    leases = [
        Lease(Term(Partition(app_id, number), term), node, expires_at_us)
        for app_id, number, term, node, expires_at_us in await link.rows(_SQL["leases"])
    ]
    kept = tuple([term for term in report.held if term in renewed])
    return Standing(now_us, tuple(members), tuple(leases), kept)


async def claim(
    link: Link, node: str, partitions: Collection[Partition], ttl_us: int
) -> tuple[Term, ...]:
    """Take what is free, and return the new terms by partition."""
    asked = sorted(set(partitions))
    apps, numbers = [each.app_id for each in asked], [each.number for each in asked]
    rows = await link.rows(_SQL["claim"], node, ttl_us, apps, numbers)
    terms = [Term(Partition(app_id, number), term) for app_id, number, term in rows]
    return tuple(sorted(terms, key=lambda term: term.partition))


async def release(link: Link, node: str, terms: Iterable[Term], told: tuple[str, str]) -> None:
    """Give leases back; `told` is the channel and what is told."""
    await link.rows(_SQL["release"], node, *term_columns(terms), *told)


async def leave(link: Link, node: str, told: tuple[str, str]) -> None:
    await link.rows(_SQL["leave"], node, *told)


async def there(link: Link) -> tuple[str, ...]:
    """Return the names of the nodes that count as there."""
    return tuple([name for (name,) in await link.rows(_SQL["there"])])


async def notify(link: Link, told: tuple[str, str]) -> None:
    await link.rows(_SQL["notify"], *told)


def term_columns(terms: Iterable[Term]) -> Sequence[list[str] | list[int]]:
    """Return terms as columns of apps, numbers and numbers of terms, in one order for all."""
    ordered = sorted(terms, key=lambda term: term.partition)
    return (
        [term.partition.app_id for term in ordered],
        [term.partition.number for term in ordered],
        [term.number for term in ordered],
    )
