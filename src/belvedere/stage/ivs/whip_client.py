"""The HTTP of publishing by WHIP (RFC 9725), as its client. All functions block, for a bounded time: for a thread.

Redirects are followed with the token, as IVS wants it, but never to where it could be read on the way.
"""

from __future__ import annotations

import contextlib
import http.client
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from belvedere.stage.answer_body import BodyError, read_body

if TYPE_CHECKING:
    from belvedere.secret import Secret

SDP: Final = "application/sdp"
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
STEP_TIMEOUT_S = 5.0  # to connect, to send, and for each piece of the answer
ANSWER_TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 65_536  # an answer has about 2,000
MAX_REDIRECTS = 3
CREATED, TEMPORARY_REDIRECT, PERMANENT_REDIRECT = 201, 307, 308
REFUSALS: Final = {
    401: "the token is not accepted, or no longer",
    402: "the account's limits are reached",
    403: "the token does not permit to publish",
    404: "there is no such stage",
    409: "somebody publishes with this token already",
    429: "too many requests",
}


class WhipError(Exception):
    """The server refused, or answered what cannot be understood. The text contains no secret.

    Attributes:
        status: of HTTP; None where the answer was not the reason.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class WhipSession:
    """What a server made of an offer: its answer, and the address at which the session is ended."""

    url: str
    answer: str


def publish(url: str, token: Secret, offer: str) -> WhipSession:
    """Post an offer. Raises OSError, HTTPException or WhipError."""
    for _ in range(1 + MAX_REDIRECTS):
        with _connected(url) as connection:
            headers = {**_authorization(token), "content-type": SDP, "accept": SDP}
            connection.request("POST", _target(url), offer.encode(), headers)
            with connection.getresponse() as response:
                location = response.headers["location"]
                if response.status in {TEMPORARY_REDIRECT, PERMANENT_REDIRECT}:
                    url = _followed(url, location)
                    continue
                if response.status != CREATED:
                    raise _refusal(response.status)
                return WhipSession(_followed(url, location), _text(response))
    raise WhipError(f"more than {MAX_REDIRECTS} redirects")


def end(session: WhipSession, token: Secret) -> None:
    """End a session. Raises OSError, HTTPException or WhipError; one that has ended already is no error."""
    with _connected(session.url) as connection:
        connection.request("DELETE", _target(session.url), headers=_authorization(token))
        with connection.getresponse() as response:
            if response.status >= http.client.BAD_REQUEST and response.status not in {404, 410}:
                raise _refusal(response.status)


def _connected(url: str) -> contextlib.closing[http.client.HTTPConnection]:
    where = urlsplit(url)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    return contextlib.closing(kind(where.hostname or "", where.port, timeout=STEP_TIMEOUT_S))


def _target(url: str) -> str:
    where = urlsplit(url)
    return (where.path or "/") + (f"?{where.query}" if where.query else "")


def _authorization(token: Secret) -> dict[str, str]:
    return {"authorization": f"Bearer {token.reveal()}"}


def _followed(url: str, location: str | None) -> str:
    """The address that a server names. Raises WhipError where the token must not be sent there."""
    if location is None:
        raise WhipError("the answer does not say where to go on")
    try:
        found = urlsplit(urljoin(url, location))
        port = found.port
    except ValueError as error:
        raise WhipError("the answer leads to what is no address") from error
    is_local = found.scheme == "http" and found.hostname in LOOPBACK and urlsplit(url).hostname in LOOPBACK
    if not (found.hostname and (found.scheme == "https" or is_local)) or port == 0:
        raise WhipError("the answer leads to an address without TLS")
    if not found.geturl().isascii() or not found.geturl().isprintable() or " " in found.geturl():
        raise WhipError("the answer leads to what is no address")
    return found.geturl()


def _refusal(status: int) -> WhipError:
    reason = REFUSALS.get(status)
    return WhipError(f"HTTP status {status}" + (f": {reason}" if reason else ""), status)


def _text(response: http.client.HTTPResponse) -> str:
    """The body. Raises WhipError."""
    try:
        return read_body(response, max_bytes=MAX_ANSWER_BYTES, timeout_s=ANSWER_TIMEOUT_S).decode()
    except BodyError as error:
        raise WhipError(str(error)) from error
    except UnicodeDecodeError as error:
        raise WhipError("the answer is not text") from error
