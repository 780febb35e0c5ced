"""The roles written with Dapr's SDK, played with `perdure.workflow` in its place.

Run as `python -m tests.e2e.workers.perdure_python.roles ROLE`.
"""

from __future__ import annotations

import sys

from tests.e2e.workers.perdure_python.standing_in import stand_in

if __name__ == "__main__":
    stand_in()
    from tests.e2e.workers.dapr_python.roles import main

    main(sys.argv[1])
