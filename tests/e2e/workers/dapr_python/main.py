"""A worker and client in one process that runs the cases named on its command line.

Run as `python -m tests.e2e.workers.dapr_python.main CASE…`.
"""

from __future__ import annotations

import sys
import threading

from tests.e2e.workers.dapr_python import (
    children,
    clients,
    events,
    generations,
    lifecycle,
    payloads,
    schedules,
    tasks,
)
from tests.e2e.workers.dapr_python.sdk import GENERATION, V1_18, V1_19, App, case

MODULES = [children, clients, events, generations, lifecycle, payloads, schedules, tasks]
if GENERATION >= V1_18:
    from tests.e2e.workers.dapr_python import propagation

    MODULES.append(propagation)
if GENERATION >= V1_19:
    from tests.e2e.workers.dapr_python import apps, management

    MODULES += [apps, management]


def main() -> None:
    app = App()
    app.runtime.start()
    case.run(app, sys.argv[1:])
    # The test ends this process once it has heard of every case; until then the worker works on.
    threading.Event().wait()


if __name__ == "__main__":
    main()
