"""Where a store is: an address as libpq reads it, whose secrets are never shown."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from perdure.base.errors import StoreBroken

SCHEMES: Final = frozenset({"postgres", "postgresql"})
SCHEMA: Final = "perdure"
SCHEMA_OPTION: Final = "schema"
_SCHEMA_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,47}")
_PORT: Final = 5432


@dataclass(frozen=True, slots=True)
class Address:
    """A database, and the schema in it that the store has to itself."""

    dsn: str = field(repr=False)  # holds a password
    schema: str
    shown: str  # for people: without user, password and options
    names_session: bool  # it says itself what kind of server it wants

    def __str__(self) -> str:
        return self.shown


def address_of(url: str) -> Address:
    """Return the address that a URL such as postgres://user:password@host:5432/name means.

    Besides what libpq knows, `?schema=name` chooses the schema. Raises StoreBroken, which repeats
    no secret, if it cannot be used.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise StoreBroken("the store's address has to begin with postgres://")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    schema = options.pop(SCHEMA_OPTION, SCHEMA)
    hosts = parts.netloc.rpartition("@")[2] or options.get("host") or "localhost"
    shown = f"postgres://{hosts}{parts.path}"
    if not _SCHEMA_NAME.fullmatch(schema):
        raise StoreBroken(
            f"{shown}: the schema has to be named with small letters, digits and underscores, "
            "and begin with none of the digits"
        )
    dsn = urlunsplit(parts._replace(scheme="postgres", query=urlencode(options)))
    if schema != SCHEMA:
        shown = f"{shown}?{SCHEMA_OPTION}={schema}"
    return Address(dsn, schema, shown, names_session="target_session_attrs" in options)
