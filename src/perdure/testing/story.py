"""A failure for people: which faults it takes, what happened, and how to see it again."""

from typing import Final

from perdure.base.time import SECOND_US
from perdure.testing.occasions import Line, Story
from perdure.testing.schedule import written
from perdure.testing.trials import Trial

_LINES_MAX: Final = 60


def told(trial: Trial, name: str, seed: int, tried: int) -> str:
    """Return the text of a failing trial."""
    count = len(trial.schedule)
    what = "one fault breaks" if count == 1 else f"{count} faults together break"
    faults = [line for line in trial.story.lines if line.is_fault]
    width = max(len(str(fault)) for fault in trial.schedule)
    parts = [
        f"{what} {name} (seed {seed}, {tried} trials):",
        "",
        *(
            f"    {fault!s:{width}}  {line.text}"
            for fault, line in zip(trial.schedule, faults, strict=False)
        ),
        "",
        "what happened, by the clock of the test:",
        "",
        *_lines(trial.story),
        "",
        f"{type(trial.error).__name__}: {trial.error}",
        "",
        "to see it again:",
        "",
        f'    @faults({seed}, app=..., schedule="{written(trial.schedule)}")',
    ]
    return "\n".join(parts)


def _lines(story: Story) -> list[str]:
    shown = story.lines
    if len(shown) > _LINES_MAX:
        half = _LINES_MAX // 2
        left_out = len(shown) - _LINES_MAX + story.left_out
        return [*map(_line, shown[:half]), f"    ... {left_out} more", *map(_line, shown[-half:])]
    return list(map(_line, shown))


def _line(line: Line) -> str:
    mark = "!" if line.is_fault else " "
    return f"  {mark} {line.at_us / SECOND_US:10.3f} s  {line.text}"
