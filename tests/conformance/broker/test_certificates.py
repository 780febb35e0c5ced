"""TLS towards brokers, with certificates that stand in the metadata as text."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from perdure.base.errors import StoreUnavailable
from perdure.triggers.port import Outgoing
from perdure.triggers.registry import build_pubsub
from tests.kit.brokers.keys import Keychain, make_keychain
from tests.kit.brokers.process import HOST, BrokerProcess, free_port
from tests.kit.brokers.reception import Listening, Reception
from tests.kit.brokers.settings import settings_of

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def keychain(tmp_path_factory: pytest.TempPathFactory) -> Keychain:
    return make_keychain(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory, keychain: Keychain) -> Iterator[int]:
    """Mosquitto that lets nobody in who is not signed for."""
    folder, port = tmp_path_factory.mktemp("mosquitto"), free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} {HOST}\nuser root\nlog_dest stderr\n"
        f"cafile {keychain.authority.certificate}\ncertfile {keychain.server.certificate}\n"
        f"keyfile {keychain.server.key}\nrequire_certificate true\n"
        "use_identity_as_username true\n"
    )
    process = BrokerProcess(["mosquitto", "-c", str(config)], folder=folder, ready=" running")
    process.start()
    yield port
    process.kill()


def metadata(port: int, keychain: Keychain) -> Mapping[str, str]:
    return {
        "url": f"ssl://{HOST}:{port}",
        "caCert": keychain.authority.certificate.read_text(),
        "clientCert": keychain.client.certificate.read_text(),
        "clientKey": keychain.client.key.read_text(),
    }


async def test_who_is_signed_for_is_let_in(port: int, keychain: Keychain, tmp_path: Path) -> None:
    pubsub = build_pubsub(settings_of(tmp_path, "pubsub.mqtt3", metadata(port, keychain)))
    reception = Reception()
    async with Listening(pubsub.subscribe("topic", {}), reception):
        await pubsub.publish("topic", Outgoing(data=b"secret", content_type="text/plain"))
        await reception.until_accepted([b"secret"])
    await pubsub.close()


# The library forgets the socket of a handshake that fails; it is closed all the same.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
@pytest.mark.parametrize("missing", ["caCert", "clientCert"])
async def test_who_is_not_is_told(
    port: int, keychain: Keychain, tmp_path: Path, missing: str
) -> None:
    left_out = {"caCert"} if missing == "caCert" else {"clientCert", "clientKey"}
    known = {k: v for k, v in metadata(port, keychain).items() if k not in left_out}
    pubsub = build_pubsub(settings_of(tmp_path, "pubsub.mqtt3", known))
    listening = Listening(pubsub.subscribe("topic", {}), Reception())
    await listening.begin()
    await listening.standing.until(lambda standing: standing.trouble is not None)
    assert not listening.standing.connected
    await listening.end()
    with pytest.raises(StoreUnavailable, match="did not confirm"):
        await pubsub.publish("topic", Outgoing(data=b"secret", content_type="text/plain"))
    await pubsub.close()
