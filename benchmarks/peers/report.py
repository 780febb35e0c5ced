"""The report: medians of the rounds, a table, what is ahead of us, and the page it stands in."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

Figures = Mapping[str, float]
T = TypeVar("T")
# What a cell says that has no figure.
NONE: Final = "-"
# What is less is not told as a lead: it would be shown as "1.0 times".
LEAD_MIN: Final = 1.05
BEGIN: Final = "<!-- The figures begin here; `make bench-peers` writes them. -->"
END: Final = "<!-- The figures end here. -->"


@dataclass(frozen=True, slots=True)
class Column:
    """One figure: its name in the rounds, its heading, and which way is better."""

    figure: str
    heading: str
    more_is_better: bool
    decimals: int = 0

    def best(self, values: Sequence[float]) -> float:
        """Return the best of these values."""
        return max(values) if self.more_is_better else min(values)

    def lead(self, of: float, over: float) -> float:
        """How many times `of` is better than `over`; below 1 it is worse."""
        above, below = (of, over) if self.more_is_better else (over, of)
        return above / below if below else float("inf")

    def shown(self, value: float) -> str:
        """The value as the table shows it."""
        return f"{value:,.{self.decimals}f}"


COLUMNS: Final = (
    Column("hello_per_s", "`hello`, workflows/s", more_is_better=True),
    Column("alone_p50_ms", "one at a time, p50 ms", more_is_better=False, decimals=1),
    Column("chain10_per_s", "`chain10`, activities/s", more_is_better=True),
    Column("fanout100_per_s", "`fanout100`, activities/s", more_is_better=True),
    Column("history_short_ms", "short history, ms/activity", more_is_better=False, decimals=2),
    Column("history_long_ms", "long history, ms/activity", more_is_better=False, decimals=2),
    Column("idle_kib", "KiB per waiting instance", more_is_better=False, decimals=1),
    Column("recovered_first_s", "kill -9 to first result, s", more_is_better=False, decimals=2),
    Column("woken_per_s", "woken after it, instances/s", more_is_better=True),
)
# Facts beside the figures: nobody is better for having more or fewer of them.
FACTS: Final = (
    Column("syncs_per_hello", "syncs per `hello`", more_is_better=False, decimals=1),
    Column("hello_cpu_ms", "CPU ms per `hello`", more_is_better=False, decimals=1),
    Column("rest_mib", "MiB at rest", more_is_better=False),
    Column("waiting", "instances that waited", more_is_better=True),
)


# How busy the worker kept its core while a workload was full: whether it is what limits it.
BUSY: Final = (
    Column("busy_hello_percent", "`hello`", more_is_better=True),
    Column("busy_alone_percent", "one at a time", more_is_better=True),
    Column("busy_chain_percent", "`chain10`", more_is_better=True),
    Column("busy_fanout_percent", "`fanout100`", more_is_better=True),
    Column("busy_history-short_percent", "short history", more_is_better=True),
    Column("busy_history-long_percent", "long history", more_is_better=True),
    Column("busy_woken_percent", "woken after the kill", more_is_better=True),
)
BUSY_WORDS: Final = """\
How busy the worker kept its core while the workload was full, in percent: at about 100 nothing but
a faster worker would make it faster. One at a time, and with one history, it waits by nature. An
engine whose work is done by the program that gives the load has no row here."""


def medians(rounds: Sequence[Figures]) -> dict[str, float]:
    """Return the median of each figure over the rounds that have it."""
    names = dict.fromkeys(name for figures in rounds for name in figures)
    return {
        name: statistics.median(figures[name] for figures in rounds if name in figures)
        for name in names
    }


def table(engines: Mapping[str, Figures]) -> str:
    """Return the figures as a table in Markdown; the best of each column is in bold."""
    lines = [
        f"| engine | {' | '.join(column.heading for column in COLUMNS)} |",
        f"|---|{'---:|' * len(COLUMNS)}",
    ]
    best = {
        column.figure: column.best(values)
        for column in COLUMNS
        if (
            values := [
                figures[column.figure] for figures in engines.values() if column.figure in figures
            ]
        )
    }
    for name, figures in engines.items():
        cells = [_cell(column, figures, best) for column in COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(column: Column, figures: Figures, best: Figures) -> str:
    value = figures.get(column.figure)
    if value is None:
        return NONE
    shown = column.shown(value)
    return f"**{shown}**" if value == best[column.figure] else shown


def facts(engines: Mapping[str, Figures], syncs: Mapping[str, str]) -> str:
    """Return what is known of each engine's syncs and size, as a table in Markdown."""
    lines = [
        f"| engine | durable by | {' | '.join(column.heading for column in FACTS)} |",
        f"|---|---|{'---:|' * len(FACTS)}",
    ]
    for name, figures in engines.items():
        cells = [
            column.shown(figures[column.figure]) if column.figure in figures else NONE
            for column in FACTS
        ]
        lines.append(f"| {name} | {syncs.get(name) or NONE} | {' | '.join(cells)} |")
    return "\n".join(lines)


def busy(engines: Mapping[str, Figures]) -> str:
    """Return how busy workers kept their cores, in percent, as a table in Markdown."""
    lines = [
        f"| worker of | {' | '.join(column.heading for column in BUSY)} |",
        f"|---|{'---:|' * len(BUSY)}",
    ]
    for name, figures in engines.items():
        if any(column.figure in figures for column in BUSY):
            cells = [
                column.shown(figures[column.figure]) if column.figure in figures else NONE
                for column in BUSY
            ]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def ahead(ours: str, engines: Mapping[str, Figures], others: Sequence[str]) -> list[str]:
    """Say where another engine is ahead of us, and by how much."""
    found = []
    for column in COLUMNS:
        if column.figure not in engines[ours]:
            continue
        mine = engines[ours][column.figure]
        leads = {
            name: lead
            for name in others
            if column.figure in engines[name]
            and (lead := column.lead(engines[name][column.figure], mine)) >= LEAD_MIN
        }
        if leads:
            told = ", ".join(
                f"{name} {lead:.1f} times"
                for name, lead in sorted(leads.items(), key=lambda x: -x[1])
            )
            found.append(f"- {column.heading}: {told}.")
    return found


def figures_section(whole: Mapping[str, Any], ours: Sequence[str]) -> str:
    """Return everything that the page says of one run, in Markdown."""
    engines: Mapping[str, Figures] = whole["medians"]
    others = [name for name in engines if name not in ours]
    parts = [
        _where_and_how(whole),
        table(engines),
        "![The figures of the table as bars](benchmarks.svg)",
        facts(engines, whole["syncs"]),
        BUSY_WORDS,
        busy(engines),
    ]
    # The lean worker is ours alone, so the two of ours are not compared with each other.
    for name in (name for name in ours if name in engines and others):
        found = ahead(name, engines, others)
        parts.append(f"Where a peer is ahead of {name}:" if found else f"None is ahead of {name}.")
        parts += ["\n".join(found)] if found else []
    parts += ["Versions:", _listed(whole["versions"], _packages)]
    if whole["left_out"]:
        parts += ["Left out:", _listed(whole["left_out"], str)]
    if whole["trouble"]:
        told = [f"- {each['engine']}: {each['what']}" for each in whole["trouble"]]
        parts += ["What went wrong, once for each round in which it did:", "\n".join(told)]
    return "\n\n".join(parts)


def _where_and_how(whole: Mapping[str, Any]) -> str:
    machine, sizes = whole["machine"], whole["sizes"]
    where = f"{machine['cpus']} cores ({machine['cpu']}), {machine['memory_gib']} GiB"
    lengths = f"{sizes['history_short']} and {sizes['history_long']} activities"
    waiting = f"{sizes['waiting']:,} instances that wait, as many as began within"
    lines = [
        f"Taken on {whole['taken'][:10]} with {where}, {machine['system']}.",
        f"Before the run, the load average was {machine['load_before']},",
        f"and the disk took {machine['fdatasync_ms']} ms for an fdatasync of one page.",
        f"Medians of {whole['rounds']} interleaved rounds; {sizes['seconds']:g} s a workload;",
        f"histories of {lengths}; up to {waiting} {sizes['waiting_s']:g} s.",
    ]
    return "\n".join(lines)


def _listed(entries: Mapping[str, T], told: Callable[[T], str]) -> str:
    return "\n".join(f"- {name}: {told(entry)}" for name, entry in entries.items())


def _packages(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{package} {version}" for package, version in versions.items())


def in_page(page: str, figures: str) -> str:
    """Return the page with new figures between its two marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no place for figures: {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{figures.strip()}\n\n{END}{after}"
