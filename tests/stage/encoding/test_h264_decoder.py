from __future__ import annotations

import pytest
from tests.support.h264_streams import h264_stream
from tests.support.pictures import blank_picture

from belvedere.errors import BitstreamError
from belvedere.stage.encoding.h264_decoder import H264Decoder


@pytest.mark.parametrize(("width", "height"), [(320, 192), (160, 96), (640, 384)])
def test_a_picture_is_decoded_at_once_and_scaled_to_what_is_wanted(width: int, height: int) -> None:
    picture = blank_picture(width, height)
    assert H264Decoder().decode(h264_stream(320, 192)[0], 5.0, picture) == 5.0
    assert abs(picture.y[width * height // 2] - 40) <= 2
    assert abs(picture.u[-1] - 128) <= 2


def test_rows_that_ffmpeg_pads_are_copied_without_the_padding() -> None:
    picture = blank_picture(96, 54)  # almost the camera's shape
    H264Decoder().decode(h264_stream(322, 182)[0], 5.0, picture)
    assert {value for value in picture.y if abs(value - 40) > 4} == set()


def test_hd_that_does_not_name_its_matrix_keeps_its_colours() -> None:
    picture = blank_picture(1280, 720)
    H264Decoder().decode(h264_stream(1280, 720, chroma=(90, 190))[0], 5.0, picture)
    middle = len(picture.u) // 2
    assert abs(picture.y[len(picture.y) // 2] - 40) <= 2
    assert abs(picture.u[middle] - 90) <= 2
    assert abs(picture.v[middle] - 190) <= 2


def test_with_b_frames_each_picture_has_the_time_of_its_own_capture() -> None:
    stream = h264_stream(320, 192, "Main", count=9, bf="2", x264_params="b-adapt=0")
    decoder, picture = H264Decoder(), blank_picture(320, 192)
    # x264 sends picture 0, then 3, 1, 2, and so on.
    order = [0, 3, 1, 2, 6, 4, 5]
    times = [decoder.decode(data, 10 + number / 25, picture) for data, number in zip(stream, order, strict=False)]
    shown = [time for time in times if time is not None]
    assert shown == sorted(shown)
    assert len(shown) >= 3


def test_what_cannot_be_decoded_is_an_error_of_the_stream() -> None:
    decoder = H264Decoder()
    with pytest.raises(BitstreamError):
        decoder.decode(b"\0\0\0\1\x65\x88\x84", 5.0, blank_picture(320, 192))
