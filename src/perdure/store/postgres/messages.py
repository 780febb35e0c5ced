"""News as the payload of a notification, which may have no more than 8,000 bytes.

What does not fit is left out, and that it was is told: names of ids first, then keys.
"""

import json
from dataclasses import replace
from typing import Any, Final

from perdure.store.leases import ANYTHING, News, Touched
from perdure.store.partitions import Partition

PAYLOAD_BYTES_MAX: Final = 7_999


def written(news: News, teller: str) -> str:
    """Return a payload; whoever told it is in it, so that nobody hears of itself."""
    touched = news.touched or ()
    without_ids = replace(news, ids=None, noted=None)
    without_keys = replace(
        without_ids, touched=tuple([Touched(each.partition, None) for each in touched])
    )
    for fewer in (news, without_ids, without_keys):
        payload = _payload(fewer, teller)
        if len(payload) <= PAYLOAD_BYTES_MAX:
            return payload
    return _payload(replace(ANYTHING, leases=news.leases), teller)


def _payload(news: News, teller: str) -> str:
    # ASCII, so a character is a byte.
    touched = news.touched
    data = {
        "by": teller,
        "in": None
        if touched is None
        else [[each.partition.app_id, each.partition.number, each.keys] for each in touched],
        "ids": news.ids,
        "noted": news.noted,
        "leases": news.leases,
    }
    return json.dumps({key: value for key, value in data.items() if value not in ((), [], False)},
                      separators=(",", ":"))  # fmt: skip


def read(payload: str) -> tuple[str, News]:
    """Return who told news, and the news. What cannot be read may mean anything."""
    try:
        data = json.loads(payload)
        touched = data.get("in", [])
        return data["by"], News(
            None if touched is None else tuple([_touched(*each) for each in touched]),
            _texts(data.get("ids", [])),
            _texts(data.get("noted", [])),
            leases=bool(data.get("leases", False)),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        # Another program, or a later version, uses the same channel.
        return "", ANYTHING


def _touched(app_id: str, number: int, keys: list[int] | None) -> Touched:
    return Touched(Partition(app_id, number), None if keys is None else tuple(keys))


def _texts(found: Any) -> tuple[str, ...] | None:
    return None if found is None else tuple(found)
