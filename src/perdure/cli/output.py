"""What is written to a terminal, to a pipe, and where trouble is told."""

import json
import sys
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.text import Text

from perdure.cli.exits import Trouble
from perdure.cli.printable import printable, printable_json

# A table that is written to a file or a pipe is as wide as its contents: nobody reads it on a
# screen, and what is cut off cannot be searched for.
_PIPE_COLUMNS = 10_000


def console(*, stderr: bool = False) -> Console:
    """Return a console for the stream as it is now; tables are not cut off in a pipe."""
    made = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not made.is_terminal and not stderr and made.width == _UNKNOWN_COLUMNS:
        made.width = _PIPE_COLUMNS
    return made


# What rich takes for the width where neither a terminal nor COLUMNS tells one.
_UNKNOWN_COLUMNS = 80


def show(what: RenderableType) -> None:
    """Write something for people to the standard output."""
    if isinstance(what, str):
        console().print(Text(printable(what)), soft_wrap=True)
    else:
        console().print(what, soft_wrap=isinstance(what, Text))


def show_json(value: object) -> None:
    """Write a value for programs to the standard output, indented."""
    print(printable_json(json.dumps(value, indent=2, ensure_ascii=False)))


def show_json_line(value: object) -> None:
    """Write a value for programs as one line, at once."""
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    print(printable_json(line), flush=True)


def note(text: str) -> None:
    """Tell a person something that is no result: it goes to the standard error."""
    console(stderr=True).print(Text(printable(text), style="dim"), soft_wrap=True)


def warn(text: str) -> None:
    """Tell a person of something that may be wrong and did not stop us."""
    line = Text.assemble(("warning: ", "bold yellow"), printable(text))
    console(stderr=True).print(line, soft_wrap=True)


def report(trouble: Trouble) -> None:
    """Tell a person what went wrong and what to do next."""
    lines = Text.assemble(("error: ", "bold red"), printable(trouble.message))
    if trouble.advice:
        lines.append("\n")
        lines.append(indented(printable(trouble.advice).splitlines()))
    console(stderr=True).print(lines, soft_wrap=True)


def indented(lines: Iterable[str]) -> str:
    """Return the lines set in, as advice stands below what it is about."""
    return "\n".join(f"  {line}" for line in lines)


def is_terminal() -> bool:
    """Tell whether a person watches the standard output."""
    return sys.stdout.isatty()
