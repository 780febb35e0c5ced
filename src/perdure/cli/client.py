"""Calls to a server over HTTP. Every way in which one can fail is told with what to do next."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import httpx

from perdure.cli.address import Address
from perdure.cli.exits import ExitCode, Trouble

TOKEN_VARIABLE: Final = "DAPR_API_TOKEN"  # noqa: S105 - the name of a variable
_TOKEN_HEADER: Final = "dapr-api-token"  # noqa: S105 - the name of a header
APP_VARIABLE: Final = "PERDURE_CALLER_APP_ID"
_APP_HEADER: Final = "dapr-app-id"
_CONNECT_S: Final = 5.0
_ANSWER_S: Final = 60.0

_CODES: Final[Mapping[int, ExitCode]] = {
    httpx.codes.NOT_FOUND: ExitCode.NOT_FOUND,
    httpx.codes.CONFLICT: ExitCode.CONFLICT,
    httpx.codes.BAD_REQUEST: ExitCode.USAGE,
    httpx.codes.REQUEST_ENTITY_TOO_LARGE: ExitCode.USAGE,
    httpx.codes.SERVICE_UNAVAILABLE: ExitCode.AWAY,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered: the status, and the body as JSON if it is JSON."""

    status: int
    body: Any

    @property
    def is_success(self) -> bool:
        """Whether the call did what it was to do."""
        return self.status < httpx.codes.BAD_REQUEST

    @property
    def error_code(self) -> str:
        """The `errorCode` of an error's body, or nothing."""
        return str(self.body.get("errorCode", "")) if isinstance(self.body, dict) else ""

    @property
    def message(self) -> str:
        """What the server says in words, or the status if it says nothing."""
        if isinstance(self.body, dict) and self.body.get("message"):
            return str(self.body["message"])
        if isinstance(self.body, str) and self.body:
            return self.body
        return f"HTTP {self.status} {httpx.codes.get_reason_phrase(self.status)}"


class Client:
    """A connection to one server, kept open between calls."""

    def __init__(self, address: Address, token: str | None, app_id: str | None = None) -> None:
        """Make calls with the token, as the app; None is the server's own app."""
        self.address = address
        self._has_token = bool(token)
        self._http = httpx.Client(
            base_url=address.url,
            headers=[
                (name.encode(), value.encode())
                for name, value in ((_TOKEN_HEADER, token), (_APP_HEADER, app_id))
                if value
            ],
            timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
            trust_env=not address.is_local,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: bytes | None = None,
        headers: Sequence[tuple[str, str]] = (),
        wait_s: int = 0,
    ) -> Answer:
        """Make a call and return the answer, an error too. Raises Trouble if there is none."""
        wait = [("prefer", f"wait={wait_s}")] if wait_s else []
        # Names are ASCII; values are sent as UTF-8, which is what the server reads.
        encoded = [(name.encode(), value.encode()) for name, value in (*headers, *wait)]
        try:
            answer = self._http.request(
                method,
                path,
                params=query,
                content=body,
                headers=encoded,
                timeout=httpx.Timeout(_ANSWER_S + wait_s, connect=_CONNECT_S),
            )
        except httpx.TransportError as fault:
            raise self._no_answer(fault) from fault
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise self._denied()
        said = _body(answer)
        if isinstance(said, str) and said and (answer.is_success or "<html" in said.lower()):
            raise Trouble(
                f"What answers at {self.address.url} ({self.address.origin}) is no perdure: it "
                f"said HTTP {answer.status_code} and something else than JSON.",
                advice="Name the HTTP port of `perdure serve`, 3500 unless told otherwise.",
                code=ExitCode.AWAY,
            )
        return Answer(answer.status_code, said)

    def must(self, method: str, path: str, **arguments: Any) -> Answer:
        """Make a call that is expected to succeed. Raises Trouble if the answer is an error."""
        answer = self.call(method, path, **arguments)
        if not answer.is_success:
            raise self.trouble(answer)
        return answer

    def trouble(self, answer: Answer, advice: str = "") -> Trouble:
        """Return the trouble that an error's answer is."""
        if answer.error_code == "ERR_DIRECT_INVOKE":
            return Trouble(
                f"The server at {self.address.url} does not know this call.",
                advice="Is it perdure, of this version? Dapr itself cannot list workflows.",
                code=ExitCode.NOT_FOUND,
            )
        code = _CODES.get(answer.status, ExitCode.FAILED)
        shown = f" ({answer.error_code})" if answer.error_code else ""
        if code is ExitCode.AWAY:
            advice = "It is stopping, or cannot reach its store just now. Try again in a moment."
        elif answer.status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            advice = "Start the server with a larger --max-body-size, or send less."
        return Trouble(f"{answer.message.rstrip('.')}{shown}.", advice=advice, code=code)

    def _no_answer(self, fault: httpx.TransportError) -> Trouble:
        where = f"{self.address.url} ({self.address.origin})"
        match fault:
            case httpx.ConnectError() | httpx.ConnectTimeout():
                message = f"No server answers at {where}."
                advice = (
                    "Start one with `perdure serve`, or name another with --server,\n"
                    "DAPR_HTTP_ENDPOINT or DAPR_HTTP_PORT."
                )
            case httpx.TimeoutException():
                message = f"The server at {where} took the call and did not answer in time."
                advice = (
                    "It may be overloaded or stopped; its log tells. The call may have counted."
                )
            case httpx.RemoteProtocolError() if "disconnected" not in str(fault):
                message = f"What answers at {where} does not speak HTTP."
                advice = "Is it the gRPC port? Name the HTTP port, 3500 unless told otherwise."
            case _:
                message = f"The connection to {where} broke before the answer came."
                advice = (
                    "The server may have stopped. Look before you repeat the call: it may count."
                )
        return Trouble(message, advice=advice, code=ExitCode.AWAY)

    def _denied(self) -> Trouble:
        if self._has_token:
            return Trouble(
                f"The server at {self.address.url} wants another API token.",
                advice=f"{TOKEN_VARIABLE} is set here, and differs from that of the server.",
                code=ExitCode.DENIED,
            )
        return Trouble(
            f"The server at {self.address.url} wants an API token.",
            advice=f"Set {TOKEN_VARIABLE} to the token that the server was started with.",
            code=ExitCode.DENIED,
        )


def _body(answer: httpx.Response) -> object:
    try:
        return json.loads(answer.content)
    except ValueError:
        return answer.text


def token_of(environ: Mapping[str, str]) -> str | None:
    """Return the API token to send, if there is one."""
    return environ.get(TOKEN_VARIABLE) or None
