"""What a component file says of a Temporal cluster."""

from dataclasses import dataclass, field
from typing import Final

KIND: Final = "workflow.temporal"
HOSTPORT: Final = "localhost:7233"
NAMESPACE: Final = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """How the connection is encrypted, in PEM; with a certificate of our own it is mutual."""

    server_name: str | None  # whom the server's certificate has to name, if not its host
    server_ca: bytes | None  # who may have signed it, if not whom the machine trusts
    client_certificate: bytes | None
    client_key: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalSettings:
    """One cluster's namespace, under the name that the API's paths have for it."""

    name: str
    hostport: str
    namespace: str
    identity: str  # who we are, in the cluster's histories
    task_queue: str | None  # of a start that names none
    workflow_types: tuple[str, ...]  # which the document form finds here
    tls: TlsSettings | None
    api_key: str | None = field(repr=False)
