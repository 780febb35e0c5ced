"""A worker and client in one process that runs the cases named on its command line.

Run as `python -m tests.e2e.workers.durabletask_python.main CASE…`.
"""

from __future__ import annotations

import sys

from tests.e2e.workers.durabletask_python import control, work
from tests.e2e.workers.durabletask_python.sdk import App, case

MODULES = (work, control)


def main() -> None:
    app = App()
    app.worker.start()
    # Nothing is closed: the test ends this process once it has heard of every case.
    case.run(app, sys.argv[1:])


if __name__ == "__main__":
    main()
