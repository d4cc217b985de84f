"""The interface of encoders, and the encoder to use. FFmpeg is imported at first use: it takes 30 MiB and 0.1 s."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Protocol

from belvedere.stage.memory_tuning import permanent_objects, reduce_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.frames import EncodedFrame
    from belvedere.stage.options import StageOptions
    from belvedere.stage.sources.source import Picture


class Encoder(Protocol):
    """Encodes one picture at a time: fill `picture`, then call `encode`."""

    picture: Picture

    def encode(self, at_s: float, *, wants_idr: bool) -> EncodedFrame | None:
        """Encode the content of `picture`, captured at `at_s`; returns None if the encoder produced no output."""
        ...


@functools.cache
def load_encoder() -> Callable[[StageOptions], Encoder]:
    """Load the encoder; only the first call takes time, so it belongs in a thread."""
    with permanent_objects():
        reduce_memory()
        from belvedere.stage.encoding.x264 import X264Encoder  # noqa: PLC0415 (FFmpeg is heavy)
    return X264Encoder


def open_encoder(options: StageOptions) -> Encoder:
    """Create an encoder for pictures of this size and rate. For a thread."""
    return load_encoder()(options)
