"""Sizes and lengths of time as people write them in flags and files: `4Mi`, `1h30m`."""

import re
from typing import Final

from perdure.base.duration import parse_duration

__all__ = ["parse_duration", "parse_size", "render_size"]

_SIZE: Final = re.compile(r"(\d{1,15})\s*(|[kKMGT]i?)B?")
_SIZE_FACTORS: Final[dict[str, int]] = {
    "": 1,
    "k": 10**3,
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "ki": 2**10,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}


def parse_size(text: str) -> int | None:
    """Return the bytes that `text` names (`65536`, `4Mi`, `16MB`), or None if it names none."""
    found = _SIZE.fullmatch(text.strip())
    return None if found is None else int(found[1]) * _SIZE_FACTORS[found[2]]


def render_size(size_bytes: int) -> str:
    """Return a size in the largest binary unit that divides it."""
    for unit in ("Ti", "Gi", "Mi", "Ki"):
        if size_bytes and size_bytes % _SIZE_FACTORS[unit] == 0:
            return f"{size_bytes // _SIZE_FACTORS[unit]}{unit}"
    return str(size_bytes)
