"""`type: workflow.temporal`: the clusters that component files name."""

import re
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from perdure.app.component_metadata import ComponentSettings
from perdure.base.errors import ConfigurationError
from perdure.base.limits import MIB
from perdure.components.catalog import EMBEDDED
from perdure.components.temporal.settings import (
    HOSTPORT,
    KIND,
    NAMESPACE,
    TemporalSettings,
    TlsSettings,
)

_HOSTPORT: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})")
_PEM: Final = "-----BEGIN "
_PEM_BYTES_MAX: Final = 1 * MIB
_TLS_NAMES: Final = ("tlsServerName", "tlsServerCA", "tlsClientCert", "tlsClientKey")


def read_temporal(components: Mapping[str, ComponentSettings]) -> tuple[TemporalSettings, ...]:
    """Return the Temporal components among those given.

    Raises ConfigurationError with the place of what cannot be used. An item that means nothing
    here is found by `ComponentSettings.unused` afterwards.
    """
    found = [each for each in components.values() if each.type == KIND]
    names = {EMBEDDED, *(each.component for each in found)}
    taken: dict[str, str] = {}
    settings = []
    for each in found:
        types = _workflow_types(each, names)
        for workflow_type in types:
            other = taken.setdefault(workflow_type, each.component)
            if other != each.component:
                raise each.fault(
                    "workflowTypes",
                    f"{workflow_type} is at component {other} already; a type is at one of them",
                )
        settings.append(_one(each, types))
    return tuple(settings)


def component_of_type(settings: Iterable[TemporalSettings]) -> dict[str, str]:
    """Return at which component each workflow type is that is not at the embedded engine."""
    return {workflow_type: each.name for each in settings for workflow_type in each.workflow_types}


def _one(settings: ComponentSettings, types: tuple[str, ...]) -> TemporalSettings:
    api_key = settings.optional("apiKey") or None
    return TemporalSettings(
        name=settings.component,
        hostport=_hostport(settings),
        namespace=settings.text("namespace", NAMESPACE),
        identity=settings.text("identity", f"perdure@{socket.gethostname()}"),
        task_queue=settings.optional("taskQueue") or None,
        workflow_types=types,
        tls=_tls(settings, has_key=api_key is not None),
        api_key=api_key,
    )


def _hostport(settings: ComponentSettings) -> str:
    hostport = settings.text("hostport", HOSTPORT)
    found = _HOSTPORT.fullmatch(hostport)
    if found is None or not 0 < int(found[2]) <= 65_535:  # noqa: PLR2004 - what a port can be
        raise settings.fault(
            "hostport", f"expected host:port, such as {HOSTPORT}, without a scheme before it"
        )
    return hostport


def _workflow_types(settings: ComponentSettings, names: set[str]) -> tuple[str, ...]:
    words = (settings.optional("workflowTypes") or "").split(",")
    types = tuple(dict.fromkeys(word.strip() for word in words if word.strip()))
    for workflow_type in types:
        if workflow_type in names:
            raise settings.fault(
                "workflowTypes",
                f"{workflow_type} is the name of a component, which a path means first; rename "
                "the component or the workflow type",
            )
    return types


def _tls(settings: ComponentSettings, *, has_key: bool) -> TlsSettings | None:
    given = [name for name in _TLS_NAMES if settings.optional(name)]
    wanted = settings.flag("tls", default=bool(given) or has_key)
    if not wanted:
        if given:
            raise settings.fault(given[0], 'goes with TLS, and tls is "false"; remove one of them')
        return None
    certificate, key = _pem(settings, "tlsClientCert"), _pem(settings, "tlsClientKey")
    if (certificate is None) != (key is None):
        alone = "tlsClientCert" if key is None else "tlsClientKey"
        raise settings.fault(alone, "tlsClientCert and tlsClientKey go together; give both")
    return TlsSettings(
        server_name=settings.optional("tlsServerName") or None,
        server_ca=_pem(settings, "tlsServerCA"),
        client_certificate=certificate,
        client_key=key,
    )


def _pem(settings: ComponentSettings, name: str) -> bytes | None:
    """Return an item that is PEM, or the path of a file with it."""
    value = settings.optional(name)
    if not value:
        return None
    if value.lstrip().startswith(_PEM):
        return value.encode()
    try:
        with Path(value).open("rb") as file:
            content = file.read(_PEM_BYTES_MAX)
    except OSError as error:
        raise _not_pem(settings, name, f"{value}: {error.strerror}") from error
    if _PEM.encode() not in content:
        raise _not_pem(settings, name, f"{value}: holds no PEM")
    return content


def _not_pem(settings: ComponentSettings, name: str, why: str) -> ConfigurationError:
    return settings.fault(name, f"expected PEM, or the path of a file with it; {why}")
