"""Bounds how many sources (SSRCs) one connection may send from.

libsrtp keeps a state for every source that it has ever decrypted a packet of, and searches all of them for each packet.
After an hour of packets that each name another source, a single one would hold the event loop for milliseconds.
"""

from __future__ import annotations

from typing import Final

MAX_SOURCES: Final = 64  # over a connection's life; a browser has one or two of each kind


class SrtpSources:
    """The sources of the decrypted packets of one kind, RTP or RTCP. A stranger's packets are never decrypted."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()

    def receive(self, source: bytes) -> None:
        """A packet of this source was decrypted. Raises ConnectionError, which ends the connection, of too many."""
        self._known.add(source)
        if len(self._known) > MAX_SOURCES:
            raise ConnectionError(f"packets of more than {MAX_SOURCES} sources")
