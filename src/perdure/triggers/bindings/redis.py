"""`bindings.redis`: the entries of a Redis stream, read in a consumer group.

Dapr has this binding for output only. For input it takes the items of `pubsub.redis` and `stream`,
the name of the stream. The entry's id names a message.
"""

from perdure.triggers.bindings.items import check_direction
from perdure.triggers.brokers.redis_place import place_of
from perdure.triggers.brokers.redis_streams import RedisSource, reading_of
from perdure.triggers.port import Settings, Source


def build(settings: Settings) -> Source:
    """Return the source that `settings` describe."""
    check_direction(settings)
    return RedisSource(
        settings.component, settings.text("stream"), place_of(settings), reading_of(settings)
    )
