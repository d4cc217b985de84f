from __future__ import annotations

from belvedere.stage.encoding.encoder import load_encoder, open_encoder
from belvedere.stage.encoding.x264 import X264Encoder
from belvedere.stage.options import StageOptions


def test_pictures_are_encoded_by_x264_which_is_loaded_once() -> None:
    assert load_encoder() is load_encoder()
    encoder = open_encoder(StageOptions(width=160, height=96))
    assert isinstance(encoder, X264Encoder)
