"""The metadata of a component: typed, with secrets and environment references resolved.

Names are found without regard to case, as Dapr finds them. A value may hold Dapr's templates
`{appID}`, `{namespace}`, `{podName}` and `{uuid}`. Every refusal names file, line and column.
"""

import json
import socket
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from perdure.app.documents import FileModel
from perdure.app.units import parse_duration
from perdure.app.yaml_files import Document, Location
from perdure.base.errors import ConfigurationError

# Dapr lends neither its own secrets nor the app's to a component.
_ENV_PREFIX_REFUSED: Final = "DAPR_"
_ENV_REFUSED: Final = frozenset({"APP_API_TOKEN", "PERDURE_API_TOKEN"})
_TRUE: Final = frozenset({"1", "t", "true", "y", "yes", "on"})
_FALSE: Final = frozenset({"0", "f", "false", "n", "no", "off", ""})
_AT: Final = ("spec", "metadata")

# Returns what a secret of a store holds, or raises ConfigurationError that does not know the place.
Secrets = Callable[[str], Mapping[str, str]]


class SecretKeyRef(FileModel):
    """A secret, and the key of the one value of it that is meant; absent: the secret's name."""

    name: str
    key: str = ""


class MetadataItem(FileModel):
    """One item, whose value stands here, in a secret or in the environment."""

    name: str
    value: object = None
    secret_key_ref: SecretKeyRef | None = None
    env_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a component is defined, and for whom."""

    document: Document
    component: str
    type: str
    app_id: str
    namespace: str = "default"


@dataclass(frozen=True, slots=True)
class _Item:
    name: str
    value: str
    at: Location


class ComponentSettings:
    """The settings of one component. Each call raises ConfigurationError with the item's place."""

    def __init__(
        self,
        origin: Origin,
        items: Sequence[MetadataItem],
        environ: Mapping[str, str],
        secrets: Secrets | None,
    ) -> None:
        """Resolve the items; `secrets` asks the store that `auth.secretStore` names."""
        self.component = origin.component
        self.type = origin.type
        self.app_id = origin.app_id
        self._origin = origin
        self._pod_name = environ.get("POD_NAME") or socket.gethostname()
        self._asked: set[str] = set()
        self._items: dict[str, _Item] = {}
        for number, item in enumerate(items):
            at = (*_AT, number)
            key = item.name.lower()
            if key in self._items:
                raise origin.document.error(at, f"{item.name} stands here a second time")
            value = self._resolved(item, at, environ, secrets)
            self._items[key] = _Item(item.name, value, (*at, "value"))

    @property
    def place(self) -> str:
        """Where the component is defined."""
        return self._origin.document.place(("metadata", "name"))

    def text(self, name: str, default: str | None = None) -> str:
        """Return an item's value; without a default it must be there and not empty."""
        value = self.optional(name)
        if value:
            return value
        if default is None:
            raise self.fault(name, "is missing; add it to spec.metadata with a value")
        return default

    def optional(self, name: str) -> str | None:
        """Return an item's value, or None."""
        self._asked.add(name.lower())
        item = self._items.get(name.lower())
        return None if item is None else item.value

    def integer(self, name: str, default: int, *, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        value = self.optional(name)
        if not value:
            return default
        digits = value.strip()
        legal = digits.removeprefix("-").isdecimal() and len(digits) <= len(str(most)) + 1
        if not legal or not least <= int(digits) <= most:
            raise self.fault(name, f"expected a whole number from {least} to {most}")
        return int(digits)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false, as Dapr's metadata spell them."""
        value = self.optional(name)
        if not value:
            return default
        word = value.strip().lower()
        if word not in _TRUE | _FALSE:
            raise self.fault(name, 'expected "true" or "false"')
        return word in _TRUE

    def duration_us(self, name: str, default_us: int) -> int:
        """Return a Go duration such as `1m30s`, in microseconds."""
        value = self.optional(name)
        if not value:
            return default_us
        duration_us = parse_duration(value)
        if duration_us is None or duration_us < 0:
            raise self.fault(name, "expected a length of time such as 500ms, 90s or 1h30m")
        return duration_us

    def one_of(self, name: str, choices: Sequence[str], default: str) -> str:
        """Return one of a few words."""
        value = self.optional(name)
        if not value:
            return default
        if value not in choices:
            raise self.fault(name, f"expected one of {', '.join(choices)}")
        return value

    def names(self) -> Sequence[str]:
        """Return the names of all items that are there."""
        return [item.name for item in self._items.values()]

    def fault(self, name: str | None, message: str) -> ConfigurationError:
        """Return a ConfigurationError at the item's place, or at the component's."""
        document = self._origin.document
        if name is None:
            return document.error(("spec", "type"), f"component {self.component}: {message}")
        item = self._items.get(name.lower())
        at = _AT if item is None else item.at
        return document.error(at, f"component {self.component}: {name}: {message}")

    def unused(self) -> list[str]:
        """Return a warning for each item that nobody asked for, with its place."""
        return [
            f"{self._origin.document.place(item.at)}: {item.name} is not used by perdure's "
            f"{self.type} and has no effect"
            for key, item in self._items.items()
            if key not in self._asked
        ]

    def _resolved(
        self,
        item: MetadataItem,
        at: Location,
        environ: Mapping[str, str],
        secrets: Secrets | None,
    ) -> str:
        if item.secret_key_ref is not None:
            return self._secret(item.secret_key_ref, (*at, "secretKeyRef"), secrets)
        if item.env_ref:
            return self._from_environment(item.env_ref, (*at, "envRef"), environ)
        return self._filled_in(_as_text(item.value))

    def _secret(self, wanted: SecretKeyRef, at: Location, secrets: Secrets | None) -> str:
        document = self._origin.document
        if secrets is None:
            raise document.error(
                at, "a secret is meant, and auth.secretStore does not say of which secret store"
            )
        try:
            secret = secrets(wanted.name)
        except ConfigurationError as error:
            raise document.error(at, f"secret {wanted.name}: {error}") from error
        key = wanted.key or wanted.name
        if key not in secret:
            raise document.error(at, f"secret {wanted.name} has no key {key}")
        return secret[key]

    def _from_environment(self, name: str, at: Location, environ: Mapping[str, str]) -> str:
        document = self._origin.document
        if is_withheld(name):
            raise document.error(at, f"{name} is not lent to components; use another variable")
        if name not in environ:
            raise document.error(at, f"the environment variable {name} is not set")
        return environ[name]

    def _filled_in(self, text: str) -> str:
        if "{" not in text:
            return text
        values = {
            "{appID}": self.app_id,
            "{namespace}": self._origin.namespace,
            "{podName}": self._pod_name,
        }
        for template, value in values.items():
            text = text.replace(template, value)
        return text.replace("{uuid}", str(uuid.uuid4())) if "{uuid}" in text else text


def is_withheld(variable: str) -> bool:
    """Tell whether an environment variable is one that no component may read."""
    return variable in _ENV_REFUSED or variable.upper().startswith(_ENV_PREFIX_REFUSED)


def _as_text(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case _:
            # Numbers, true and false as YAML wrote them; lists and mappings as JSON, as Dapr does.
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
