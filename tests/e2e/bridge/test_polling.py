"""A queue that cannot be polled is told of, and polled as soon as it can be."""

from dataclasses import dataclass
from uuid import uuid4

import pytest

from perdure.app.clock import SystemClock
from perdure.bridge.cluster import connected
from perdure.bridge.desk import Desk
from perdure.bridge.envelope import APP_ID
from perdure.bridge.polling import Polling
from perdure.bridge.settings import BridgeSettings
from tests.kit.cluster import Cluster
from tests.kit.recorder import Recorder

pytestmark = pytest.mark.timeout(100)


@dataclass(frozen=True, slots=True)
class Told:
    """One who polls, and what was told of it."""

    polling: Polling
    recorder: Recorder


async def test_a_worker_that_cannot_be_made_is_told_of_and_made_later(cluster: Cluster) -> None:
    settings = BridgeSettings(
        cluster=cluster.settings(), app_id=f"app-{uuid4().hex[:8]}", queues=APP_ID
    )
    client = await connected(settings.cluster)

    def polling() -> Told:
        recorder = Recorder()
        desk = Desk(settings, SystemClock(), recorder)
        return Told(Polling(settings, client, desk, recorder), recorder)

    first, second = polling(), polling()
    first.polling.start()
    # Temporal's client lets one worker of a kind poll a queue.
    second.polling.start()
    await second.recorder.until(lambda: len(second.recorder.faults()) == 1)
    await first.polling.stop()
    assert not first.recorder.faults()
    await second.polling.stop()
    assert len(second.recorder.faults()) == 1
