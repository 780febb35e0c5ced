"""`perdure.workflow` in the place of `dapr.ext.workflow`, for programs that import that."""

from __future__ import annotations

import importlib.metadata
import sys
from types import ModuleType
from typing import Any

import perdure.workflow
import perdure.workflow.aio
from perdure.authoring import failures

# The generation of the SDK whose cases are run.
GENERATION = "1.19.0"

_version = importlib.metadata.version


def version_of(name: str) -> str:
    """What is asked of the SDK's version is answered for the module in its place."""
    return GENERATION if name == "dapr" else _version(name)


class DaprClient:
    """The client of the beta's building block, which only cases of older generations use."""


def stand_in() -> None:
    """Have `import dapr.ext.workflow` give `perdure.workflow`."""
    importlib.metadata.version = version_of
    _package("dapr")
    _package("dapr.ext")
    _package("dapr.clients", DaprClient=DaprClient)
    sys.modules["dapr.ext.workflow"] = perdure.workflow
    sys.modules["dapr.ext.workflow.aio"] = perdure.workflow.aio
    _package("dapr.ext.workflow._durabletask")
    _package("dapr.ext.workflow._durabletask.task", NonRetryableError=failures.NonRetryableError)


def _package(name: str, **contents: Any) -> None:
    module = ModuleType(name)
    module.__path__ = []
    vars(module).update(contents)
    sys.modules[name] = module
