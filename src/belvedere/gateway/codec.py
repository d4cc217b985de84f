"""Text on the wire to messages and back: the one place where a visitor's messages are read."""

from __future__ import annotations

import msgspec

from belvedere.errors import Refusal, VisitorError
from belvedere.gateway.decoding import decode_strictly
from belvedere.gateway.messages import MAX_MESSAGE_BYTES, Incoming, Outgoing

_DECODER: msgspec.json.Decoder[Incoming] = msgspec.json.Decoder(Incoming)
_ENCODER = msgspec.json.Encoder()


def decode(text: str) -> Incoming:
    """Read one client message. Raises VisitorError: TOO_LARGE above MAX_MESSAGE_BYTES, else BAD_MESSAGE."""
    if len(text) > MAX_MESSAGE_BYTES:
        raise VisitorError(Refusal.TOO_LARGE, f"a message has at most {MAX_MESSAGE_BYTES} bytes")
    return decode_strictly(_DECODER, text)


def encode(message: Outgoing) -> str:
    """Write one server message."""
    return _ENCODER.encode(message).decode()
