"""Reads the body of an HTTP answer, of a server that may be broken or hostile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import http.client


class BodyError(Exception):
    """The body is too long, or took too long; the text says which."""


def read_body(response: http.client.HTTPResponse, *, max_bytes: int, timeout_s: float) -> bytes:
    """The body, which may come slowly, but not for ever. Blocks. Raises OSError, HTTPException or BodyError."""
    body, until = b"", time.monotonic() + timeout_s
    while piece := response.read1(max_bytes):
        body += piece
        if len(body) > max_bytes:
            raise BodyError(f"the answer is longer than {max_bytes} bytes")
        if time.monotonic() > until:
            raise BodyError(f"the answer took longer than {timeout_s:g} s")
    return body
