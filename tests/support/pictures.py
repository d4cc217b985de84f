"""Pictures in memory of their own, for sources to fill."""

from __future__ import annotations

from belvedere.stage.sources.source import Picture


def blank_picture(width: int, height: int) -> Picture:
    """A black picture."""
    chroma = width * height // 4
    return Picture(
        width,
        height,
        memoryview(bytearray(b"\x10" * (width * height))),
        memoryview(bytearray(b"\x80" * chroma)),
        memoryview(bytearray(b"\x80" * chroma)),
    )
