"""How many files and connections the process may have open at once."""

import resource
from contextlib import suppress
from typing import Final

# As many as a server can use. macOS does not take "as many as you like", which is its hard limit.
_FILES_WANTED: Final = 65_536
_FILES_OF_MACOS: Final = 10_240


def allow_open_files() -> int:
    """Allow as many as this user may have, and return how many those are.

    Where a process gets 1,024 unless it asks, the thousandth worker would be turned away without
    a word: the kernel refuses its connection before we hear of it.
    """
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (_FILES_WANTED, _FILES_OF_MACOS):
        limit = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        if limit <= allowed or allowed == resource.RLIM_INFINITY:
            break
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
            return limit
    return allowed
