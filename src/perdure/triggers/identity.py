"""Instance ids that follow from messages: always legal, and never the same for two messages.

The rule. A text that is a legal id and short enough is the id. Any other becomes what of it is
legal, cut to fit, then `--` and 26 letters and digits that are a digest (128 bits) of the whole
text. A text that looks like such an id itself is digested, too, so that no two texts share an id.
An event's id is always of the second form, made from its source and its id: `urn-shop-42--…`.
"""

import re
from base64 import b32encode
from hashlib import blake2b
from typing import Final

from perdure.base.ids import is_legal_instance_id

_DIGEST_BYTES: Final = 16
_DIGEST_CHARS: Final = 26
_MARK: Final = "--"
# Below this nothing of the text would be left to read, and two texts might share an id.
ID_BYTES_LEAST: Final = len(_MARK) + _DIGEST_CHARS
_DERIVED: Final = re.compile(rf".*--[a-z2-7]{{{_DIGEST_CHARS}}}", re.DOTALL)


def legal_id(text: str, *, bytes_max: int, extra_characters: str = "") -> str:
    """Return the instance id that stands for a text; the text itself where that is legal."""
    fits = 0 < len(text.encode(errors="surrogatepass")) <= bytes_max
    legal = fits and is_legal_instance_id(text, extra_characters)
    if legal and _DERIVED.fullmatch(text) is None:
        return text
    return _derived(text, text, bytes_max, extra_characters)


def event_id(source: str, message_id: str, *, bytes_max: int, extra_characters: str = "") -> str:
    """Return the instance id of an event, which its source and its id together name."""
    # With its length in front, no part of a source can be taken for a part of an id.
    whole = f"{len(source)}:{source}{message_id}"
    return _derived(f"{source}-{message_id}", whole, bytes_max, extra_characters)


def _derived(shown: str, whole: str, bytes_max: int, extra_characters: str) -> str:
    assert bytes_max >= ID_BYTES_LEAST, "the limit of ids is checked when triggers are loaded"
    digest = blake2b(whole.encode(errors="surrogatepass"), digest_size=_DIGEST_BYTES).digest()
    letters = b32encode(digest).decode().lower().rstrip("=")
    room = bytes_max - ID_BYTES_LEAST
    readable: list[str] = []
    left = room
    for letter in shown[: room + 1]:
        kept = letter if is_legal_instance_id(letter, extra_characters) else "-"
        if kept == "-" and readable[-1:] == ["-"]:
            continue
        left -= len(kept.encode())
        if left < 0:
            break
        readable.append(kept)
    return "".join(readable).strip("-") + _MARK + letters
