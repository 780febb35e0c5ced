"""`bindings.nats`: the messages of a subject that a JetStream stream keeps.

Dapr has no such binding. It takes the items of `pubsub.jetstream` and `subject`. Without a stream,
NATS hands a message to who listens at the moment and knows no acknowledgement, so that one could be
lost; therefore a stream has to be there.
"""

from perdure.triggers.bindings.items import check_direction
from perdure.triggers.brokers.nats_place import place_of
from perdure.triggers.brokers.nats_streams import NatsSource, reading_of
from perdure.triggers.port import Settings, Source


def build(settings: Settings) -> Source:
    """Return the source that `settings` describe."""
    check_direction(settings)
    return NatsSource(
        settings.component, settings.text("subject"), place_of(settings), reading_of(settings)
    )
