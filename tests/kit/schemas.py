"""Empty stores in a Postgres that the tests of one process share, each in a schema of its own."""

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count

from tests.kit.postgres import Postgres

# Nothing of a test is kept, so nothing has to reach the disk.
_QUICK = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
}
_numbers = count(1)


@cache
def shared_server() -> Postgres:
    """Return the server, which is started when it is first asked for, and ends with the process."""
    server = Postgres.made(_QUICK)
    atexit.register(server.remove)
    return server.start()


@contextmanager
def a_schema() -> Iterator[str]:
    """Lend the address of an empty store, and drop its schema afterwards."""
    server, schema = shared_server(), f"s{next(_numbers)}"
    yield f"{server.url}?schema={schema}"
    server.asked(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
