"""The cases written with Dapr's SDK, run with `perdure.workflow` in its place.

Run as `python -m tests.e2e.workers.perdure_python.main CASE…`. The cases are the files of the
neighbouring folder as they are: all they see is that `dapr.ext.workflow` is another module.
"""

from __future__ import annotations

from tests.e2e.workers.perdure_python.standing_in import stand_in

if __name__ == "__main__":
    stand_in()
    from tests.e2e.workers.dapr_python.main import main

    main()
