from __future__ import annotations

import pytest

from belvedere.stage.encoding.encoder import announced_profile, load_codecs, open_decoder, open_encoder
from belvedere.stage.encoding.h264_decoder import H264Decoder
from belvedere.stage.encoding.x264 import X264Encoder
from belvedere.stage.h264 import NalType, nal_type, read_sps, split_nal_units
from belvedere.stage.options import StageOptions


def test_pictures_are_encoded_by_x264_and_decoded_by_ffmpeg_which_are_loaded_once() -> None:
    assert load_codecs() is load_codecs()
    assert isinstance(open_encoder(StageOptions(width=160, height=96)), X264Encoder)
    assert isinstance(open_decoder(), H264Decoder)


@pytest.mark.parametrize(
    ("width", "height", "fps", "profile"),
    [(1280, 720, 30, "42c01f"), (1920, 1080, 30, "42c028"), (1280, 720, 60, "42c020"), (640, 360, 30, "42c01e")],
)
def test_the_announced_profile_and_level_are_those_of_the_stream(
    width: int, height: int, fps: int, profile: str
) -> None:
    options = StageOptions(width=width, height=height, fps=fps)
    assert announced_profile(options) == profile
    frame = open_encoder(options).encode(1.0, wants_idr=False)
    assert frame is not None
    sps = next(unit for unit in split_nal_units(frame.data) if nal_type(unit) == NalType.SPS)
    assert read_sps(sps).profile_level_id == profile
