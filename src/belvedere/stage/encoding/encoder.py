"""The encoder and the decoder to use. FFmpeg is imported at first use: it takes 30 MiB and 0.1 s."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple, Protocol

from belvedere.stage.encoding.choice import EncoderChoice
from belvedere.stage.encoding.preset import PresetChoice
from belvedere.stage.h264 import BASELINE, lowest_level
from belvedere.stage.memory_tuning import permanent_objects, reduce_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.encoding.interface import Encoder
    from belvedere.stage.options import StageOptions
    from belvedere.stage.sources.source import Picture

CONSTRAINTS = 0xC0  # constraint_set0 and 1, which x264 sets: every decoder can decode it


class Decoder(Protocol):
    """Decodes H.264 that cannot be passed on as it is."""

    def decode(self, data: bytes, at_s: float, picture: Picture) -> float | None:
        """Decode one access unit, captured at `at_s`, and fill `picture` with the newest decoded picture, scaled to it.

        Returns when that was captured; None if no picture came out.
        """
        ...


class Codecs(NamedTuple):
    """What encodes and what decodes."""

    open_encoder: Callable[[StageOptions, PresetChoice], Encoder]
    open_decoder: Callable[[], Decoder]


@functools.cache
def load_codecs() -> Codecs:
    """Load FFmpeg; only the first call takes time, so it belongs in a thread."""
    with permanent_objects():
        reduce_memory()
        from belvedere.stage.encoding.h264_decoder import H264Decoder  # noqa: PLC0415 (FFmpeg is heavy)
        from belvedere.stage.encoding.x264 import X264Encoder  # noqa: PLC0415 (likewise)
    return Codecs(X264Encoder, H264Decoder)


def prepare_encoder(options: StageOptions) -> None:
    """Find out whether hardware encodes these pictures; takes seconds, the first time. For a thread."""
    encoder_choice().prepare(options)


def open_encoder(options: StageOptions) -> Encoder:
    """Create an encoder for pictures of this size and rate. For a thread."""
    return encoder_choice().open(options)


@functools.cache
def encoder_choice() -> EncoderChoice:
    """What is known of this computer's hardware; it remains known when the picture is turned off."""
    return EncoderChoice(open_software_encoder)


def open_software_encoder(options: StageOptions) -> Encoder:
    """Create an encoder that needs no hardware. For a thread."""
    choice = _preset_choice(options.width, options.height, options.fps, options.encoding_percent / 100)
    return load_codecs().open_encoder(options, choice)


def open_decoder() -> Decoder:
    """Create a decoder. For a thread."""
    return load_codecs().open_decoder()


def announced_profile(options: StageOptions) -> str:
    """The profile-level-id (RFC 6184, section 8.1) of what an encoder makes with these options, whatever its target."""
    if of_hardware := encoder_choice().profile_level_id(options):
        return of_hardware
    level = lowest_level(options.width, options.height, options.fps, options.bitrate_kbps)
    return f"{BASELINE:02x}{CONSTRAINTS:02x}{level:02x}"


@functools.cache
def _preset_choice(width: int, height: int, fps: int, budget: float) -> PresetChoice:
    """What was measured for a size and a rate remains known when the picture is turned off."""
    del width, height, fps
    return PresetChoice(budget)
