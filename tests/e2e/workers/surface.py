"""What a module offers: its public names, and how each may be called, as one JSON object.

Run as `python -m tests.e2e.workers.surface MODULE` in the environment that has the module.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from enum import Enum
from typing import Any

Told = dict[str, Any]


def surface_of(module_name: str) -> dict[str, Told]:
    """Tell of each public name what it is."""
    module = importlib.import_module(module_name)
    return {name: _told(getattr(module, name)) for name in sorted(module.__all__)}


def _told(thing: Any) -> Told:
    if inspect.isclass(thing) and issubclass(thing, Enum):
        members = {name: member.value for name, member in thing.__members__.items()}
        return {"kind": "enum", "members": members}
    if inspect.isclass(thing):
        return {
            "kind": "class",
            "call": _parameters(thing),
            "error": issubclass(thing, BaseException),
            "members": _members(thing),
        }
    if callable(thing):
        return {"kind": "function", "call": _parameters(thing)}
    return {"kind": "value"}


def _members(cls: type) -> dict[str, Told]:
    told: dict[str, Told] = {}
    for name in dir(cls):
        inherited = any(name in vars(base) for base in (object, BaseException, Exception))
        if name.startswith("_") or inherited:
            continue
        member = inspect.getattr_static(cls, name)
        if isinstance(member, property) or not callable(getattr(cls, name)):
            told[name] = {"kind": "value"}
        else:
            told[name] = {"kind": "function", "call": _parameters(getattr(cls, name))}
    return told


def _parameters(function: Any) -> list[Told] | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [
        {
            "name": parameter.name,
            "kind": parameter.kind.name,
            "default": None
            if parameter.default is inspect.Parameter.empty
            else repr(parameter.default),
        }
        for parameter in parameters
        if parameter.name not in {"self", "cls"}
    ]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(surface_of(sys.argv[1])))
