from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from belvedere.errors import StageError, StageReason
from belvedere.stage.encoding.image import encode_jpeg, encode_png
from belvedere.stage.encoding.x264 import X264Encoder
from belvedere.stage.frames import EncodedFrame
from belvedere.stage.options import StageOptions
from belvedere.stage.tap import RawStill

MOMENT = datetime(2026, 11, 28, 9, 30, 5, 250_000, tzinfo=timezone(timedelta(hours=1)))
COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (128, 128, 128), (200, 150, 100)]
BT709, BT601 = (0.2126, 0.0722), (0.299, 0.114)  # the weights of red and blue in luma
WIDTH, HEIGHT = 96, 64


def video_range(rgb: tuple[int, int, int], weights: tuple[float, float] = BT709) -> tuple[int, int, int]:
    """A colour as 8-bit YUV in video range, by ITU-R BT.709 section 3 (or BT.601)."""
    red, green, blue = (channel / 255 for channel in rgb)
    of_red, of_blue = weights
    luma = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
    blueness, redness = (blue - luma) / (2 - 2 * of_blue), (red - luma) / (2 - 2 * of_red)
    return round(16 + 219 * luma), round(128 + 224 * blueness), round(128 + 224 * redness)


def raw(rgb: tuple[int, int, int], width: int = WIDTH, height: int = HEIGHT) -> RawStill:
    y, u, v = video_range(rgb)
    chroma = width * height // 4
    return RawStill(width, height, bytes([y]) * (width * height), bytes([u]) * chroma, bytes([v]) * chroma, 5000.0)


def h264(rgb: tuple[int, int, int]) -> EncodedFrame:
    """What our own encoder makes of a colour."""
    encoder = X264Encoder(StageOptions(width=160, height=96))
    for plane, value in zip((encoder.picture.y, encoder.picture.u, encoder.picture.v), video_range(rgb), strict=True):
        plane[:] = bytes([value]) * len(plane)
    frame = encoder.encode(5000.0, wants_idr=True)
    assert frame is not None
    return frame


def standard_definition(rgb: tuple[int, int, int]) -> EncodedFrame:
    """What an old camera sends, which says that its colours are those of BT.601."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = WIDTH, HEIGHT, "yuv420p", Fraction(1, 30)
    encoder.colorspace = 6
    encoder.options = {"tune": "zerolatency"}
    frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    for plane, value in zip(frame.planes, video_range(rgb, BT601), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    return EncodedFrame(b"".join(map(bytes, [*encoder.encode(frame), *encoder.encode(None)])), 5000.0, 1, is_idr=True)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def middle(data: bytes) -> tuple[int, ...]:
    image = opened(data)
    return tuple(int(each) for each in np.asarray(image.convert("RGB"))[image.height // 2, image.width // 2])


@pytest.mark.parametrize("rgb", COLOURS)
def test_the_colours_of_a_raw_picture_are_right_in_both_formats(rgb: tuple[int, int, int]) -> None:
    assert middle(encode_jpeg(raw(rgb), MOMENT)) == pytest.approx(rgb, abs=3)
    assert middle(encode_png(raw(rgb))) == pytest.approx(rgb, abs=2)


@pytest.mark.parametrize("rgb", COLOURS)
def test_the_colours_of_an_encoded_picture_are_right(rgb: tuple[int, int, int]) -> None:
    assert middle(encode_jpeg(h264(rgb), MOMENT)) == pytest.approx(rgb, abs=4)
    assert middle(encode_png(standard_definition(rgb))) == pytest.approx(rgb, abs=4)


def test_the_image_is_whole_and_has_the_cameras_size() -> None:
    for width, height in ((1280, 720), (72, 48)):  # FFmpeg pads rows of 72 bytes
        picture = raw((200, 150, 100), width, height)
        bright = bytes([235]) * (width // 2)
        rows = (bright + bytes([16]) * (width - width // 2)) * height
        picture = RawStill(width, height, rows, picture.u, picture.v, 5000.0)
        for data, name in ((encode_jpeg(picture, MOMENT), "JPEG"), (encode_png(picture), "PNG")):
            image = opened(data)
            assert (image.format, image.size) == (name, (width, height))
            grey = np.asarray(image.convert("L"))
            assert grey[:, : width // 2 - 8].min() > grey[:, width // 2 + 8 :].max() + 100


def test_a_jpeg_says_when_it_was_captured_and_in_which_time_zone() -> None:
    exif = opened(encode_jpeg(raw((9, 9, 9)), MOMENT)).getexif().get_ifd(0x8769)
    assert exif == {0x9003: "2026:11:28 09:30:05", 0x9011: "+01:00", 0x9291: "250"}
    exif = opened(encode_jpeg(raw((9, 9, 9)), MOMENT.astimezone(UTC))).getexif().get_ifd(0x8769)
    assert exif[0x9011] == "+00:00"


@pytest.mark.parametrize("data", [b"", b"\0\0\1\x65junk", b"\0\0\0\1\x67\x42\0\x1e"])
def test_a_picture_that_cannot_be_decoded_is_no_picture(data: bytes) -> None:
    with pytest.raises(StageError) as caught:
        encode_png(EncodedFrame(data, 5000.0, 1, is_idr=True))
    assert caught.value.reason is StageReason.NO_PICTURE
