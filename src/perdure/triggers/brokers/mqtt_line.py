"""One connection to an MQTT broker: the library's thread behind calls that can be awaited.

A message is acknowledged by `acknowledge` alone. What arrives waits in a bounded queue; when it is
full the library's thread waits, reads no more, and that is felt by the broker.
"""

import asyncio
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Self

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from perdure.base.limits import BROKER_ANSWER_TIMEOUT_US
from perdure.base.time import SECOND_US

TIMEOUT_S: Final = BROKER_ANSWER_TIMEOUT_US / SECOND_US
_KEEPALIVE_S: Final = 20
_ARRIVED_MAX: Final = 1_000
_REFUSED: Final = 0x80


class MqttTrouble(Exception):
    """The broker refused something, or the connection was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttPlace:
    """A broker's address, and how to get in."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: ssl.SSLContext | None


class MqttLine:
    """One connection, from `connect` to `close`; it does not come back by itself."""

    def __init__(self, place: MqttPlace, client_id: str, *, clean_session: bool) -> None:
        self._place = place
        self._loop = asyncio.get_running_loop()
        self._answers: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self._up: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._arrived: asyncio.Queue[MQTTMessage] = asyncio.Queue()
        self._room = threading.Semaphore(_ARRIVED_MAX)
        self._closing = False
        self._client = client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=clean_session,
            protocol=MQTTv311,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        if place.username is not None:
            client.username_pw_set(place.username, place.password)
        if place.tls is not None:
            client.tls_set_context(place.tls)
        client.connect_timeout = TIMEOUT_S
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish

    async def __aenter__(self) -> Self:
        """Connect; raises MqttTrouble or OSError."""
        try:
            await asyncio.to_thread(
                self._client.connect, self._place.host, self._place.port, _KEEPALIVE_S
            )
            self._client.loop_start()
            await self._answered(self._up)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Say goodbye and let the thread end."""
        await self.close()

    async def close(self) -> None:
        """Close; may be called twice."""
        self._closing = True
        # The thread may wait for room, which nobody makes any more.
        self._room.release(_ARRIVED_MAX)
        self._client.disconnect()
        await asyncio.shield(asyncio.to_thread(self._client.loop_stop))

    @property
    def is_lost(self) -> bool:
        """Whether the connection is gone."""
        return self._lost.done()

    async def subscribe(self, topic: str, qos: int) -> None:
        """Subscribe; returns when the broker has agreed."""
        code, number = self._client.subscribe(topic, qos)
        answer = self._answers[self._sent(code, number)] = self._loop.create_future()
        (reason, *_) = await self._answered(answer)
        if reason.value >= _REFUSED:
            raise MqttTrouble(f"the broker refused the subscription to {topic}: {reason}")

    async def publish(self, topic: str, data: bytes, *, qos: int, retain: bool) -> None:
        """Publish; returns when the broker has it."""
        info = self._client.publish(topic, data, qos=qos, retain=retain)
        answer = self._answers[self._sent(info.rc, info.mid)] = self._loop.create_future()
        try:
            await self._answered(answer)
        finally:
            self._answers.pop(info.mid, None)

    async def next_message(self) -> MQTTMessage:
        """Return the next message; raises MqttTrouble when the connection is lost."""
        if self._arrived.empty():
            coming = asyncio.ensure_future(self._arrived.get())
            try:
                await asyncio.wait((coming, self._lost), return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    raise MqttTrouble(self._lost.result())
                message = coming.result()
            finally:
                coming.cancel()
        else:
            message = self._arrived.get_nowait()
        self._room.release()
        return message

    async def lost(self) -> None:
        """Wait until the connection is lost, and raise MqttTrouble."""
        raise MqttTrouble(await asyncio.shield(self._lost))

    async def acknowledge(self, message: MQTTMessage) -> None:
        """Acknowledge a message of this connection."""
        code = self._client.ack(message.mid, message.qos)
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise MqttTrouble(f"the acknowledgement could not be sent: {code.name}")

    def _sent(self, code: MQTTErrorCode, number: int | None) -> int:
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS or number is None:
            raise MqttTrouble(f"nothing can be sent: {code.name}")
        return number

    async def _answered(self, answer: "asyncio.Future[Any]") -> Any:
        async with asyncio.timeout(TIMEOUT_S):
            await asyncio.wait((answer, self._lost), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise MqttTrouble(self._lost.result())
        return answer.result()

    # What follows is called by the library's thread.

    def _tell(self, tell: Callable[..., None], *what: object) -> None:
        try:
            self._loop.call_soon_threadsafe(tell, *what)
        except RuntimeError:
            # The loop is closed, and with it everybody who could want to know.
            self._closing = True

    def _on_connect(
        self,
        _client: Client,
        _userdata: Any,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._tell(self._note_lost, f"the broker refused the connection: {reason}")
        else:
            self._tell(self._note_up)

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._tell(self._note_lost, f"the connection was lost: {reason}")

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self._room.acquire()
        if not self._closing:
            self._tell(self._arrived.put_nowait, message)

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: Any,
        number: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        self._tell(self._note_answer, number, reasons)

    def _on_publish(
        self,
        _client: Client,
        _userdata: Any,
        number: int,
        reason: ReasonCode,
        _properties: Properties,
    ) -> None:
        self._tell(self._note_answer, number, [reason])

    # And these in the loop.

    def _note_up(self) -> None:
        if not self._up.done():
            self._up.set_result(None)

    def _note_lost(self, words: str) -> None:
        if not self._lost.done():
            self._lost.set_result(words)

    def _note_answer(self, number: int, reasons: list[ReasonCode]) -> None:
        answer = self._answers.pop(number, None)
        if answer is not None and not answer.done():
            answer.set_result(reasons)
