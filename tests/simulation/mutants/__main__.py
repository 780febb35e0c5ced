"""`make mutants`: each deliberate breakage, and which checker catches it."""

import sys
import time

from rich.console import Console
from rich.table import Table

from tests.simulation.mutants.running import MUTANTS, hunted


def main(names: list[str]) -> int:
    """Hunt the mutants of these names, or all; 1 if one gets away."""
    console = Console(width=None if sys.stdout.isatty() else 200)
    table = Table("mutant", "caught by", "seed", "steps", "what was said", title="Breakages")
    free = []
    for name in names or sorted(MUTANTS):
        began = time.monotonic()
        found = hunted(MUTANTS[name])
        took_s = time.monotonic() - began
        if found is None:
            free.append(name)
            table.add_row(name, "[red]nobody[/red]", "", "", MUTANTS[name].says)
        else:
            table.add_row(name, found.by, str(found.seed), str(found.steps), found.text[:90])
        console.print(f"{name}: {found.by if found else 'nobody'} ({took_s:.1f} s)", style="dim")
    console.print(table)
    caught = len(names or MUTANTS) - len(free)
    console.print(f"{caught} of {len(names or MUTANTS)} breakages were caught")
    return 1 if free else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
