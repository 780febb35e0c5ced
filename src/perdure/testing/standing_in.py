"""`perdure.workflow` in the place of Dapr's Workflow SDK, for applications that import that.

An application of Dapr's SDK keeps its workflows in the SDK's runtime, which leads nobody through a
history but on its own terms. Its code is the same under the same names here, so that it can be
tested and checked as it is, whether or not the SDK is installed.
"""

import importlib
import importlib.util
import pkgutil
import sys
from types import ModuleType
from typing import Final

from perdure.base.errors import ConfigurationError

DAPRS: Final = "dapr.ext.workflow"
_OURS: Final = "perdure.workflow"


def stand_in_for_dapr() -> None:
    """Have whatever imports `dapr.ext.workflow` from now on get `perdure.workflow`.

    Raises ConfigurationError if the SDK has been imported already: it is too late then.
    """
    if DAPRS in sys.modules:
        if sys.modules[DAPRS].__name__ == _OURS:
            return
        raise ConfigurationError(f"{DAPRS} has been imported already: stand in for it before that")
    _ensure_package("dapr")
    _ensure_package("dapr.ext")
    ours = importlib.import_module(_OURS)
    sys.modules[DAPRS] = ours
    vars(sys.modules["dapr.ext"])["workflow"] = ours
    for found in pkgutil.walk_packages(ours.__path__, f"{_OURS}."):
        module = importlib.import_module(found.name)
        sys.modules[found.name.replace(_OURS, DAPRS, 1)] = module


def _ensure_package(name: str) -> None:
    """Have a package of this name to import from; the one that is installed, if one is."""
    if name in sys.modules:
        return
    if importlib.util.find_spec(name) is not None:
        importlib.import_module(name)
        return
    package = ModuleType(name)
    package.__path__ = []
    sys.modules[name] = package
    parent, _, child = name.rpartition(".")
    if parent:
        vars(sys.modules[parent])[child] = package
