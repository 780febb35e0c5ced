"""The public names change on purpose, never by accident, and the version is told once."""

import ast
import re
import subprocess
import sys
from importlib.metadata import version

import perdure
from tests.law import tree

PUBLIC_NAMES = [
    "ActivityCancelled",
    "ActivityContext",
    "ConfigurationError",
    "Engine",
    "Handle",
    "Instance",
    "InstanceExists",
    "InstanceFinished",
    "InstanceNotFinished",
    "InstanceNotFound",
    "InstanceStalled",
    "NonRetryableError",
    "PerdureError",
    "Refused",
    "Registry",
    "RetryPolicy",
    "Status",
    "StoreError",
    "StoreLocked",
    "SyncEngine",
    "SyncHandle",
    "TaskFailedError",
    "WorkflowContext",
    "WorkflowEnded",
    "WorkflowFailed",
    "WorkflowTerminated",
    "__version__",
]


def test_public_names_are_these() -> None:
    assert perdure.__all__ == PUBLIC_NAMES


def test_public_names_are_there() -> None:
    assert all(hasattr(perdure, name) for name in perdure.__all__)
    assert dir(perdure) == sorted(PUBLIC_NAMES)


def test_importing_the_package_loads_nothing_else() -> None:
    program = "import sys, perdure; print([n for n in sys.modules if n.startswith('perdure.')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_an_engine_without_doors_loads_none() -> None:
    program = "import sys, perdure; perdure.Engine; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    loaded = ast.literal_eval(done.stdout.decode())
    assert not {"grpc", "starlette", "uvicorn", "prometheus_client", "rich"} & set(loaded)


def test_the_changelog_opens_with_this_version() -> None:
    headings = re.findall(r"^## \[(.+?)\]", tree.text_of(tree.ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == perdure.__version__


def test_the_installed_version_is_this_version() -> None:
    assert version("perdure") == perdure.__version__


def test_type_checkers_are_told_the_same_names() -> None:
    stub = ast.parse(tree.text_of(tree.SOURCE / "__init__.pyi"))
    [names] = [node.value for node in stub.body if isinstance(node, ast.Assign)]
    assert ast.literal_eval(names) == PUBLIC_NAMES
