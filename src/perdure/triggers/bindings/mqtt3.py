"""`bindings.mqtt3`: the messages of a topic of MQTT 3.1.1, or of a filter such as `sensors/+`.

The client id is `consumerID`, or the app's id and the component's name. What names a message is
told in `brokers.mqtt_topics`.
"""

from perdure.triggers.bindings.items import check_direction
from perdure.triggers.brokers.mqtt_topics import MqttSource, place_of, quality_of, reading_of
from perdure.triggers.port import Settings, Source


def build(settings: Settings) -> Source:
    """Return the source that `settings` describe."""
    check_direction(settings)
    quality_of(settings)
    client_id = settings.text("consumerID", f"{settings.app_id}-{settings.component}")
    return MqttSource(
        settings.component,
        settings.text("topic"),
        client_id,
        place_of(settings),
        reading_of(settings),
    )
