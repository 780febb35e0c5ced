"""Dapr's local secret stores: a JSON file, and the environment."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from perdure.app.component_metadata import ComponentSettings, Secrets, is_withheld
from perdure.base.errors import ConfigurationError
from perdure.base.limits import MIB

PREFIX: Final = "secretstores."
FILE_BYTES_MAX: Final = 1 * MIB
DEPTH_MAX: Final = 50

Factory = Callable[[ComponentSettings, Mapping[str, str]], Secrets]
Tree = str | int | float | bool | list["Tree"] | dict[str, "Tree"] | None


def open_secret_store(settings: ComponentSettings, environ: Mapping[str, str]) -> Secrets:
    """Return how a store is asked; raises ConfigurationError for one that there is not."""
    factory = _FACTORIES.get(settings.type)
    if factory is None:
        known = " or ".join(_FACTORIES)
        raise settings.fault(None, f"{settings.type} cannot be loaded; use {known}")
    return factory(settings, environ)


def _environment(settings: ComponentSettings, environ: Mapping[str, str]) -> Secrets:
    prefix = settings.optional("prefix") or ""

    def secret(name: str) -> Mapping[str, str]:
        variable = prefix + name
        if is_withheld(variable):
            raise ConfigurationError(f"{variable} is not lent to components")
        if variable not in environ:
            raise ConfigurationError(f"the environment variable {variable} is not set")
        return {name: environ[variable]}

    return secret


def _file(settings: ComponentSettings, _environ: Mapping[str, str]) -> Secrets:
    file = Path(settings.text("secretsFile"))
    separator = settings.text("nestedSeparator", ":")
    tree = _read(settings, file)
    if settings.flag("multiValued", default=False):
        secrets = {
            name: _flat(value, "", separator)
            if isinstance(value, dict | list)
            else {name: _text(value)}
            for name, value in tree.items()
        }
    else:
        secrets = {key: {key: value} for key, value in _flat(tree, "", separator).items()}

    def secret(name: str) -> Mapping[str, str]:
        if name not in secrets:
            raise ConfigurationError(f"{file} does not hold it")
        return secrets[name]

    return secret


_FACTORIES: Final[dict[str, Factory]] = {
    "secretstores.local.file": _file,
    "secretstores.local.env": _environment,
}


def _read(settings: ComponentSettings, file: Path) -> dict[str, Tree]:
    try:
        with file.open("rb") as stream:
            content = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise settings.fault("secretsFile", f"{file} cannot be read: {error.strerror}") from error
    if len(content) > FILE_BYTES_MAX:
        raise settings.fault("secretsFile", f"{file} is larger than {FILE_BYTES_MAX // MIB} MiB")
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError) as error:
        # The text of the error is not repeated: it may hold a part of a secret.
        raise settings.fault("secretsFile", f"{file} is not JSON") from error
    if not isinstance(tree, dict):
        raise settings.fault("secretsFile", f"{file}: expected a JSON object")
    if not _is_shallow(tree):
        raise settings.fault("secretsFile", f"{file} is nested deeper than {DEPTH_MAX} levels")
    return tree


def _is_shallow(tree: Tree, depth: int = 0) -> bool:
    if depth > DEPTH_MAX:
        return False
    match tree:
        case dict():
            return all(_is_shallow(each, depth + 1) for each in tree.values())
        case list():
            return all(_is_shallow(each, depth + 1) for each in tree)
        case _:
            return True


def _flat(tree: Tree, prefix: str, separator: str) -> dict[str, str]:
    match tree:
        case dict():
            named = tree.items()
        case list():
            named = {str(number): each for number, each in enumerate(tree)}.items()
        case _:
            return {prefix: _text(tree)}
    flat: dict[str, str] = {}
    for name, each in named:
        flat |= _flat(each, f"{prefix}{separator}{name}" if prefix else name, separator)
    return flat


def _text(value: Tree) -> str:
    return value if isinstance(value, str) else json.dumps(value)
