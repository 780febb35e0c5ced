"""Temporal's library is loaded when a cluster is configured, and its absence is one sentence."""

import subprocess
import sys

LOADED = """
import sys
from perdure.app import compose, remotes, serve
from perdure.app.clock import SystemClock

assert remotes.remotes_of((), SystemClock(), app_id="shop") == {}
print(sorted(name for name in sys.modules if name.split(".")[0] == "temporalio"))
"""

MISSING = """
import sys
from perdure.app.clock import SystemClock
from perdure.app.remotes import remotes_of
from perdure.base.errors import ConfigurationError
from perdure.components.temporal.settings import TemporalSettings

sys.modules["temporalio"] = None
cluster = TemporalSettings(
    name="cluster",
    hostport="localhost:7233",
    namespace="default",
    identity="a test",
    task_queue=None,
    workflow_types=(),
    tls=None,
    api_key=None,
)
try:
    remotes_of([cluster], SystemClock(), app_id="shop")
except ConfigurationError as error:
    print(error)
"""


def output_of(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


def test_nothing_of_temporal_is_loaded_without_a_cluster() -> None:
    assert output_of(LOADED) == "[]"


def test_a_library_that_is_missing_is_named() -> None:
    assert output_of(MISSING) == (
        "component cluster is a Temporal cluster, and temporalio is not installed; "
        "install perdure[temporal]"
    )
