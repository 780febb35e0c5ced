"""`python -m perdure` is the program `perdure`, and so is the command of that name."""

import sys
from typing import Final

_INTERRUPTED: Final = 130  # as `cli.exits` has it, which is not loaded yet


def main() -> int:
    """Run the program and return its exit code; Ctrl-C while it is loaded ends it as later on."""
    try:
        from perdure.cli.main import main as program  # noqa: PLC0415 - most of a second passes here
    except KeyboardInterrupt:
        return _INTERRUPTED
    return program()


if __name__ == "__main__":
    sys.exit(main())
