"""Text on the wire to messages and back: the one place where a visitor's bytes are read."""

from __future__ import annotations

import msgspec

from belvedere.errors import Refusal, VisitorError
from belvedere.gateway.messages import MAX_MESSAGE_BYTES, Incoming, Outgoing

_DECODER = msgspec.json.Decoder(Incoming)
_ENCODER = msgspec.json.Encoder()


def decode(text: str) -> Incoming:
    """Read one client message.

    Raises VisitorError: TOO_LARGE above MAX_MESSAGE_BYTES, else BAD_MESSAGE with the path of what is wrong. The error
    never repeats what the visitor sent. Depth is bounded by size, and nesting deeper than Python's stack is a
    BAD_MESSAGE too.
    """
    if len(text) > MAX_MESSAGE_BYTES:
        raise VisitorError(Refusal.TOO_LARGE, f"a message has at most {MAX_MESSAGE_BYTES} bytes")
    try:
        message: Incoming = _DECODER.decode(text)
    except msgspec.ValidationError as error:
        raise VisitorError(Refusal.BAD_MESSAGE, _without_values(str(error))) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise VisitorError(Refusal.BAD_MESSAGE, "this is not a JSON message") from error
    return message


def encode(message: Outgoing) -> str:
    """Write one server message."""
    return _ENCODER.encode(message).decode()


def _without_values(complaint: str) -> str:
    """What msgspec says is wrong, unless it repeats a word of the visitor's (an unknown field or type)."""
    return complaint if complaint.startswith(("Expected", "Object missing", "Number")) else "unknown type or field"
