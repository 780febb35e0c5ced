"""The chart: one panel of bars for each figure, as SVG and with no library."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from benchmarks.peers.report import COLUMNS, Column, Figures

ACROSS: Final = 3
PANEL_WIDTH: Final = 400
BAR_HEIGHT: Final = 16
BAR_GAP: Final = 5
HEAD: Final = 40
NAME_WIDTH: Final = 150
VALUE_WIDTH: Final = 70
OURS, THEIRS = "#1f6feb", "#8c959f"
_STYLE = "font-family='system-ui, sans-serif' font-size='12' fill='#24292f'"


def chart(engines: Mapping[str, Figures], ours: Sequence[str]) -> str:
    """Return the chart of these engines; the bars of `ours` stand out."""
    panel_height = HEAD + len(engines) * (BAR_HEIGHT + BAR_GAP) + BAR_GAP * 2
    rows = -(-len(COLUMNS) // ACROSS)
    width, height = PANEL_WIDTH * ACROSS, panel_height * rows
    panels = [
        f"<g transform='translate({index % ACROSS * PANEL_WIDTH} "
        f"{index // ACROSS * panel_height})'>{_panel(column, engines, ours)}</g>"
        for index, column in enumerate(COLUMNS)
    ]
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' "
        f"width='{width}' height='{height}' {_STYLE}>"
        f"<rect width='{width}' height='{height}' fill='#ffffff'/>\n"
        + "\n".join(panels)
        + "\n</svg>\n"
    )


def _panel(column: Column, engines: Mapping[str, Figures], ours: Sequence[str]) -> str:
    values = {name: figures.get(column.figure) for name, figures in engines.items()}
    largest = max((value for value in values.values() if value), default=1.0)
    better = "more is better" if column.more_is_better else "less is better"
    title = escape(column.heading.replace("`", ""))
    parts = [
        f"<text x='10' y='18' font-weight='600'>{title}</text>",
        f"<text x='10' y='32' font-size='10' fill='#57606a'>{better}</text>",
    ]
    room = PANEL_WIDTH - NAME_WIDTH - VALUE_WIDTH
    for index, (name, value) in enumerate(values.items()):
        y = HEAD + index * (BAR_HEIGHT + BAR_GAP)
        text_y = y + BAR_HEIGHT - 4
        length = 0.0 if value is None else value / largest * room
        colour = OURS if name in ours else THEIRS
        shown = "not measured" if value is None else column.shown(value)
        parts.append(
            f"<text x='{NAME_WIDTH - 6}' y='{text_y}' text-anchor='end'>{escape(name)}</text>"
            f"<rect x='{NAME_WIDTH}' y='{y}' width='{length:.1f}' height='{BAR_HEIGHT}' "
            f"fill='{colour}'/>"
            f"<text x='{NAME_WIDTH + length + 4:.1f}' y='{text_y}'>{shown}</text>"
        )
    return "".join(parts)
