from __future__ import annotations

from fractions import Fraction

import av
import pytest

from belvedere.stage.image_decoder import decode_webp

WIDTH, HEIGHT = 72, 48  # the rows of 72 bytes are padded by FFmpeg


def webp(pixel_format: str = "yuv420p", *, lossless: bool = False) -> bytes:
    """A grey picture with a bright left half."""
    encoder = av.CodecContext.create("libwebp", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = WIDTH, HEIGHT, pixel_format, Fraction(1)
    encoder.options = {"quality": "90", "lossless": str(int(lossless))}
    frame = av.VideoFrame(WIDTH, HEIGHT, pixel_format)
    for plane in frame.planes:
        row = bytes([200] * (plane.width // 2)).ljust(plane.line_size, b"\x50")
        plane.update(row * plane.height)
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def test_the_planes_are_those_that_were_encoded() -> None:
    y, u, v = decode_webp(webp(), WIDTH, HEIGHT)
    for plane, width, height in ((y, WIDTH, HEIGHT), (u, WIDTH // 2, HEIGHT // 2), (v, WIDTH // 2, HEIGHT // 2)):
        assert plane.width == width <= plane.stride
        for row in range(height):
            left, right = row * plane.stride + width // 4, row * plane.stride + width * 3 // 4
            assert (plane.data[left], plane.data[right]) == pytest.approx((200, 80), abs=3)


def test_the_planes_may_be_drawn_into() -> None:
    y, _, _ = decode_webp(webp(), WIDTH, HEIGHT)
    y.data[:4] = b"\x01\x02\x03\x04"
    assert bytes(y.data[:4]) == b"\x01\x02\x03\x04"


def test_the_planes_outlive_the_decoder() -> None:
    first = [decode_webp(webp(), WIDTH, HEIGHT)[0] for _ in range(8)]
    for number, plane in enumerate(first):
        plane.data[0] = number
    assert [plane.data[0] for plane in first] == list(range(8))


@pytest.mark.parametrize(
    "data",
    [b"", b"RIFF", webp()[:40], b"no picture at all" * 10, webp("bgra", lossless=True)],
    ids=["nothing", "a beginning", "a cut one", "something else", "a lossless one"],
)
def test_other_data_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="WebP"):
        decode_webp(data, WIDTH, HEIGHT)


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=f"{WIDTH}, {HEIGHT}.*instead of"):
        decode_webp(webp(), WIDTH, HEIGHT + 2)
