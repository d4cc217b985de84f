"""Bytes as text in JSON, as WebAuthn has it: base64url without padding. Pure."""

from __future__ import annotations

import base64
import binascii


def to_base64url(data: bytes) -> str:
    """The text for these bytes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes of a text. Raises ValueError unless it is exactly what `to_base64url` writes."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(f"this is not base64url: {error}") from error
    if to_base64url(data) != text:
        raise ValueError("this is not base64url as it is written without padding")
    return data
