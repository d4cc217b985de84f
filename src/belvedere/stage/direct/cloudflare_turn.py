"""Credentials for Cloudflare's TURN service, from its API.

All visits share them: one request does for half of a lifetime, visitors cannot cause requests, and an API that does not
answer delays nobody until the credentials have expired.
"""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import msgspec

from belvedere.secret import Secret
from belvedere.stage.answer_body import BodyError, read_body
from belvedere.stage.direct.renewed import Renewed, start_thread
from belvedere.stage.options import IceServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from belvedere.stage.turn_options import CloudflareTurnOptions

API = "https://rtc.live.cloudflare.com"
PAGE_WAIT_S = 2.0  # a page asks while its visitor reads the start screen
STEP_TIMEOUT_S = 5.0  # to connect, to send, and for each piece of the answer
ANSWER_TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 16_384  # it has about 700
MAX_SERVERS = 8
BLOCKED_PORT = ":53"  # browsers refuse it, and some wait for it first


class ApiError(Exception):
    """The API refused, or answered what cannot be understood. The text contains no secret."""


class _Entry(msgspec.Struct):
    urls: Annotated[tuple[str, ...], msgspec.Meta(max_length=16)] | str
    username: str | None = None
    credential: str | None = None


class _Answer(msgspec.Struct):
    iceServers: Annotated[tuple[_Entry, ...], msgspec.Meta(max_length=16)]  # noqa: N815 - as the API has it


class CloudflareCredentials:
    """Asks for credentials at first use, and for new ones at half of their lifetime.

    Args:
        api: where the API is; a test has its own.
        start: runs a function in a thread.
    """

    def __init__(
        self,
        options: CloudflareTurnOptions,
        clock: Callable[[], float],
        *,
        api: str = API,
        start: Callable[[Callable[[], None]], None] = start_thread,
    ) -> None:
        self._servers = Renewed(
            "getting TURN credentials from Cloudflare",
            lambda: request_servers(options, api),
            renew_s=options.lifetime_s / 2,
            valid_s=options.lifetime_s,
            clock=clock,
            start=start,
        )

    def servers_for(self, _user: str) -> tuple[IceServer, ...]:
        """The servers with the credentials that all share; none before the first answer, or when it has expired."""
        return self._servers.newest() or ()

    async def wait_ready(self) -> None:
        """Wait for the first answer, at most `PAGE_WAIT_S`."""
        await self._servers.get(PAGE_WAIT_S)


def request_servers(options: CloudflareTurnOptions, api: str = API) -> tuple[IceServer, ...]:
    """Ask the API for new credentials. Blocks, for a bounded time. Raises OSError, HTTPException or ApiError."""
    where = urlsplit(api)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    connection = kind(where.hostname or "", where.port, timeout=STEP_TIMEOUT_S)
    try:
        connection.request(
            "POST",
            f"/v1/turn/keys/{options.key_id}/credentials/generate-ice-servers",
            json.dumps({"ttl": options.lifetime_s}),
            {"authorization": f"Bearer {options.token.reveal()}", "content-type": "application/json"},
        )
        with connection.getresponse() as response:
            if response.status in {401, 403, 404}:
                raise ApiError(f"HTTP status {response.status}: are stage.turn.key_id and its token right?")
            if response.status not in {200, 201}:
                raise ApiError(f"HTTP status {response.status}")
            return read_answer(_body(response))
    finally:
        connection.close()


def read_answer(body: bytes) -> tuple[IceServer, ...]:
    """The servers in an answer; what pages could not use is left out. Raises ApiError if nothing is left."""
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ApiError("the answer is not a list of ICE servers") from error
    servers = tuple(_usable(answer))[:MAX_SERVERS]
    if not any(server.credential is not None for server in servers):
        raise ApiError("the answer has no TURN server with credentials")
    return servers


def _usable(answer: _Answer) -> Iterator[IceServer]:
    for entry in answer.iceServers:
        for url in (entry.urls,) if isinstance(entry.urls, str) else entry.urls:
            if url.partition("?")[0].endswith(BLOCKED_PORT):
                continue
            about: dict[str, object] = {"url": url}
            if entry.username is not None and entry.credential is not None:
                about |= {"username": entry.username, "credential_file": Secret(entry.credential)}
            try:
                yield msgspec.convert(about, IceServer)
            except msgspec.ValidationError:
                continue


def _body(response: http.client.HTTPResponse) -> bytes:
    """The body. Raises ApiError."""
    try:
        return read_body(response, max_bytes=MAX_ANSWER_BYTES, timeout_s=ANSWER_TIMEOUT_S)
    except BodyError as error:
        raise ApiError(str(error)) from error
