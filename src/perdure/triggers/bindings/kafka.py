"""`bindings.kafka`: the records of one or several topics of Kafka, read in a consumer group.

Topic, partition, offset and timestamp name a message. `maxInFlight`, which Dapr does not know, is
how many records are handled at once.
"""

from perdure.triggers.bindings.items import check_direction
from perdure.triggers.brokers.kafka_place import place_of
from perdure.triggers.brokers.kafka_records import KafkaSource, reading_of
from perdure.triggers.port import Settings, Source


def build(settings: Settings) -> Source:
    """Return the source that `settings` describe."""
    check_direction(settings)
    topics = [each.strip() for each in settings.text("topics").split(",")]
    if not all(topics):
        raise settings.fault("topics", "expected a topic, or several separated by commas")
    return KafkaSource(settings.component, topics, place_of(settings), reading_of(settings))
