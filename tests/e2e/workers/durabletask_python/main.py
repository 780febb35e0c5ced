"""A worker and client in one process that runs the cases named on its command line.

Run as `python -m tests.e2e.workers.durabletask_python.main CASE…`.
"""

from __future__ import annotations

import sys
import threading

from tests.e2e.workers.durabletask_python import control, work
from tests.e2e.workers.durabletask_python.sdk import App, case

MODULES = (work, control)


def main() -> None:
    app = App()
    app.worker.start()
    case.run(app, sys.argv[1:])
    # The test ends this process once it has heard of every case; until then the worker works on.
    threading.Event().wait()


if __name__ == "__main__":
    main()
