"""What an application is given as, and the registry of its workflows and activities."""

import importlib
import os
import sys
from types import ModuleType
from typing import Protocol, TypeAlias

from perdure.authoring.registry import Registry
from perdure.base.errors import ConfigurationError


class HasRegistry(Protocol):
    """Anything that workflows and activities are registered with, such as a WorkflowRuntime."""

    @property
    def registry(self) -> Registry: ...


Application: TypeAlias = Registry | HasRegistry | ModuleType | str


def registry_of(application: Application) -> Registry:
    """Return the registry of an application.

    That is a Registry, what has one, a module in which there is one, or `module:name` in words.
    Raises ConfigurationError, which says what was expected, if there is none or more than one.
    """
    found: object = load(application) if isinstance(application, str) else application
    registry = _registry_in(found)
    if registry is not None:
        return registry
    if not isinstance(found, ModuleType):
        raise ConfigurationError(
            f"{found!r} is no application: expected what workflows are registered with"
        )
    inside = [each for value in vars(found).values() if (each := _registry_in(value)) is not None]
    different = list({id(each): each for each in inside}.values())
    if len(different) != 1:
        raise ConfigurationError(
            f"module {found.__name__} holds {len(different)} registries of workflows: name one, "
            f"as in {found.__name__}:app"
        )
    return different[0]


def load(words: str) -> object:
    """Return what `module:name` names, or the module of `module`; names may go on with dots.

    Modules are looked for in the present folder, too. Raises ConfigurationError if there is none.
    """
    module_name, _, path = words.partition(":")
    if os.getcwd() not in sys.path:  # noqa: PTH109 - as sys.path has it
        sys.path.insert(0, os.getcwd())  # noqa: PTH109 - the same
    try:
        found: object = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # an exit would end a check as if nothing broke
        if isinstance(error, ModuleNotFoundError) and module_name.startswith(error.name or "?"):
            raise ConfigurationError(
                f"there is no module {module_name} here: expected MODULE:NAME, such as shop.app:app"
            ) from error
        raise ConfigurationError(
            f"the module {module_name} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    for name in filter(None, path.split(".")):
        if not hasattr(found, name):
            raise ConfigurationError(f"{words}: there is no '{name}' in {found!r}")
        found = getattr(found, name)
    return found


def _registry_in(value: object) -> Registry | None:
    if isinstance(value, Registry):
        return value
    if isinstance(value, ModuleType | type):
        return None
    inner = getattr(value, "registry", None)
    return inner if isinstance(inner, Registry) else None
