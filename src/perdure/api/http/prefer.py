"""The Prefer header (RFC 7240), of which this API honours `wait`."""

import re
from collections.abc import Iterable
from typing import Final

from perdure.base.limits import WAIT_SECONDS_MAX

_WAIT: Final = re.compile(r'wait\s*=\s*"?(\d{1,9})"?\s*(?:;.*)?', re.IGNORECASE | re.ASCII)


def wait_seconds(values: Iterable[str]) -> int | None:
    """Return for how long the caller would like to wait, at most as long as we allow.

    The first `wait` of all the headers counts. What cannot be understood is no preference.
    """
    for value in values:
        for preference in value.split(","):
            found = _WAIT.fullmatch(preference.strip())
            if found is not None:
                return min(int(found[1]), WAIT_SECONDS_MAX)
    return None


def applied(seconds: int) -> dict[str, str]:
    """Return the header that tells the caller that it was waited for."""
    return {"Preference-Applied": f"wait={seconds}"}
