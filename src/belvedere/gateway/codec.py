"""Decodes what clients send, within bounds on size and time, and encodes what the server sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from litestar.exceptions import ClientException
from litestar.status_codes import HTTP_408_REQUEST_TIMEOUT

from belvedere.errors import Refusal, VisitorError
from belvedere.gateway.messages import MAX_MESSAGE_BYTES, Incoming, Outgoing
from belvedere.gateway.permissions import require_permitted
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from litestar import Request
    from msgspec.json import Decoder

    from belvedere.access.sessions import Session
    from belvedere.gateway.dependencies import Dependencies


T = TypeVar("T")


def decode_strictly(decoder: Decoder[T], text: str | bytes) -> T:
    """Decode one value, without any conversion between types.

    Raises VisitorError (BAD_MESSAGE) with the path of the invalid field; the message never repeats what was sent.
    JSON nested deeper than Python's stack is a BAD_MESSAGE too. The caller must bound the size.
    """
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        raise VisitorError(Refusal.BAD_MESSAGE, _without_values(str(error))) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise VisitorError(Refusal.BAD_MESSAGE, "not valid JSON") from error


def is_of_type(content_type: str, media_type: str) -> bool:
    """Whether a `Content-Type` header names this media type, whatever parameters follow."""
    return content_type.partition(";")[0].strip().lower() == media_type


def _without_values(message: str) -> str:
    """Msgspec's message, unless it quotes the sender (an unknown field or type)."""
    return message if message.startswith(("Expected", "Object missing", "Number")) else "unknown type or field"


_DECODER: msgspec.json.Decoder[Incoming] = msgspec.json.Decoder(Incoming)
_ENCODER = msgspec.json.Encoder()


def decode(text: str) -> Incoming:
    """Decode one client message. Raises VisitorError: TOO_LARGE above MAX_MESSAGE_BYTES, else BAD_MESSAGE."""
    if len(text) > MAX_MESSAGE_BYTES:
        raise VisitorError(Refusal.TOO_LARGE, f"the message is longer than {MAX_MESSAGE_BYTES} bytes")
    return decode_strictly(_DECODER, text)


def encode(message: Outgoing) -> str:
    """Encode one server message."""
    return _ENCODER.encode(message).decode()


JSON = "application/json"
BODY_TIMEOUT_S = 10.0  # for a few kB; even a bad mobile link delivers them within seconds


async def read_json(
    request: Request[Any, Any, Any],
    dependencies: Dependencies,
    visitor: Session | None = None,
    *,
    timeout_s: float = BODY_TIMEOUT_S,
    late_status: int = HTTP_408_REQUEST_TIMEOUT,
) -> bytes:
    """The whole body of a request that must say that it is JSON; everything else as of `read_body`.

    Raises an HTTP error (415) where it says something else, and what `read_body` raises. A page of another site cannot
    send this type without being asked first whether it may.
    """
    if not is_of_type(request.headers.get("content-type", ""), JSON):
        raise ClientException(f"the content type must be {JSON}", status_code=415, headers={"accept-post": JSON})
    return await read_body(request, dependencies, visitor, timeout_s=timeout_s, late_status=late_status)


async def read_body(
    request: Request[Any, Any, Any],
    dependencies: Dependencies,
    visitor: Session | None,
    *,
    timeout_s: float = BODY_TIMEOUT_S,
    late_status: int = HTTP_408_REQUEST_TIMEOUT,
) -> bytes:
    """The whole body.

    Raises an HTTP error, `late_status`, where it does not arrive within `timeout_s`, and what `require_permitted`
    raises where the session has ended or lost its right meanwhile; `visitor` is None for those who are about to log in.
    """
    try:
        async with timeout(timeout_s):
            body = await request.body()
    except TimeoutError as error:
        late = "the request body did not arrive in time"
        raise ClientException(late, status_code=late_status, headers={"connection": "close"}) from error
    if visitor is not None:
        require_permitted(dependencies.invitations, request.scope, visitor)
    return body
