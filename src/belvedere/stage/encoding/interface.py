"""The interface of encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from belvedere.stage.encoding.rate_control import EncodingTarget
    from belvedere.stage.frames import EncodedFrame
    from belvedere.stage.sources.source import Picture


class Encoder(Protocol):
    """Encodes one picture at a time: fill `picture`, then call `encode`."""

    picture: Picture

    def retarget(self, target: EncodingTarget) -> None:
        """Use another bitrate and size from the next picture on. `picture` keeps its size."""
        ...

    def encode(self, at_s: float, *, wants_idr: bool) -> EncodedFrame | None:
        """Encode the content of `picture`, captured at `at_s`; returns None if the encoder produced no output."""
        ...
