from __future__ import annotations

from fractions import Fraction

import av
import pytest

from belvedere.stage.sources.v4l2.capture import StreamFormat
from belvedere.stage.sources.v4l2.decoding import BT601, BT709, FULL_RANGE, VIDEO_RANGE, MjpegDecoder, open_decoder
from belvedere.stage.sources.v4l2.negotiation import PixelFormat

WIDTH, HEIGHT = 66, 34  # of which FFmpeg pads the rows


def form(code: str, bytes_per_line: int, *, is_bt709: bool = False, is_full_range: bool = False) -> StreamFormat:
    return StreamFormat(code, WIDTH, HEIGHT, bytes_per_line, None, is_bt709, is_full_range)


def plane(stride: int, width: int, height: int, first: int) -> bytes:
    """Rows that differ, each with padding of 0xEE."""
    rows = (bytes((first + row + column) % 200 for column in range(width)) for row in range(height))
    return b"".join(row.ljust(stride, b"\xee") for row in rows)


def rows_of(frame: av.VideoFrame, index: int, width: int) -> list[bytes]:
    found = frame.planes[index]
    data = memoryview(found)
    return [bytes(data[row * found.line_size : row * found.line_size + width]) for row in range(found.height)]


@pytest.mark.parametrize(
    ("pixel_format", "name", "layout"),
    [
        # the planes in the driver's order: FFmpeg's number, bytes of a row, rows, stride of the driver
        (PixelFormat.YU12, "yuv420p", [(0, 66, 34, 96), (1, 33, 17, 48), (2, 33, 17, 48)]),
        (PixelFormat.YV12, "yuv420p", [(0, 66, 34, 96), (2, 33, 17, 48), (1, 33, 17, 48)]),
        (PixelFormat.NV12, "nv12", [(0, 66, 34, 80), (1, 66, 17, 80)]),
        (PixelFormat.NV21, "nv21", [(0, 66, 34, 80), (1, 66, 17, 80)]),
        (PixelFormat.YUYV, "yuyv422", [(0, 132, 34, 132)]),
        (PixelFormat.UYVY, "uyvy422", [(0, 132, 34, 256)]),
        (PixelFormat.RGB24, "rgb24", [(0, 198, 34, 200)]),
        (PixelFormat.BGR24, "bgr24", [(0, 198, 34, 198)]),
    ],
)
def test_every_raw_format_arrives_byte_for_byte_whatever_the_padding(
    pixel_format: PixelFormat, name: str, layout: list[tuple[int, int, int, int]]
) -> None:
    planes = {
        index: plane(stride, width, rows, 10 * order) for order, (index, width, rows, stride) in enumerate(layout)
    }
    decoder = open_decoder(pixel_format, form(pixel_format.codes[0], layout[0][3]))
    decoder.load(memoryview(b"".join(planes.values())))
    frame = decoder.frame()
    assert frame is not None
    assert (frame.format.name, frame.width, frame.height) == (name, WIDTH, HEIGHT)
    for index, width, rows, stride in layout:
        expected = [planes[index][row * stride : row * stride + width] for row in range(rows)]
        assert rows_of(frame, index, width) == expected


def test_rows_without_padding_are_copied_at_once() -> None:
    size = 64 * 48 * 2
    decoder = open_decoder(PixelFormat.YUYV, StreamFormat("YUYV", 64, 48, 128, None, False, False))
    data = bytes(n % 251 for n in range(size))
    decoder.load(memoryview(data))
    frame = decoder.frame()
    assert frame is not None
    assert bytes(frame.planes[0]) == data


def test_a_picture_of_too_few_bytes_is_damaged_but_the_padding_of_its_last_row_may_be_missing() -> None:
    decoder = open_decoder(PixelFormat.YUYV, form("YUYV", 256))
    decoder.load(memoryview(bytes(256 * 33 + 132)))
    assert decoder.frame() is not None
    decoder.load(memoryview(bytes(256 * 33 + 131)))
    assert decoder.frame() is None
    decoder.load(memoryview(b""))
    assert decoder.frame() is None


def test_a_driver_that_tells_no_stride_has_no_padding() -> None:
    decoder = open_decoder(PixelFormat.YUYV, form("YUYV", 0))
    decoder.load(memoryview(bytes(132 * 34)))
    assert decoder.frame() is not None


def test_a_frame_says_which_colours_it_has() -> None:
    def colours(pixel_format: PixelFormat, *, is_bt709: bool, is_full_range: bool) -> tuple[int, int]:
        decoder = open_decoder(pixel_format, form("", 0, is_bt709=is_bt709, is_full_range=is_full_range))
        decoder.load(memoryview(bytes(WIDTH * HEIGHT * 3)))
        frame = decoder.frame()
        assert frame is not None
        return int(frame.colorspace), int(frame.color_range)

    assert colours(PixelFormat.YUYV, is_bt709=False, is_full_range=False) == (BT601, VIDEO_RANGE)
    assert colours(PixelFormat.YUYV, is_bt709=True, is_full_range=True) == (BT709, FULL_RANGE)
    assert colours(PixelFormat.RGB24, is_bt709=False, is_full_range=False) == (BT601, FULL_RANGE)


def jpeg(luma: int) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "yuvj422p"
    encoder.time_base = Fraction(1, 30)
    frame = av.VideoFrame(64, 48, "yuvj422p")
    for index, value in enumerate((luma, 100, 150)):
        memoryview(frame.planes[index])[:] = bytes([value]) * frame.planes[index].buffer_size
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def test_every_jpeg_is_decoded_at_once_in_full_range() -> None:
    decoder = open_decoder(PixelFormat.MJPEG, form("MJPG", 0))
    assert isinstance(decoder, MjpegDecoder)
    for luma in (30, 200, 90):
        decoder.load(memoryview(jpeg(luma)))
        frame = decoder.frame()
        assert frame is not None
        assert (frame.format.name, frame.width, frame.height) == ("yuvj422p", 64, 48)
        assert abs(rows_of(frame, 0, 1)[0][0] - luma) <= 2
        assert int(frame.color_range) == FULL_RANGE


@pytest.mark.parametrize("data", [b"", b"no picture at all", jpeg(100)[:40], b"\xff\xd8\xff\xd9"])
def test_a_damaged_jpeg_is_no_frame_and_the_next_whole_one_is(data: bytes) -> None:
    decoder = MjpegDecoder()
    decoder.load(memoryview(data))
    assert decoder.frame() is None
    decoder.load(memoryview(jpeg(100)))
    assert decoder.frame() is not None


def test_bytes_after_the_end_of_a_jpeg_are_ignored() -> None:
    decoder = MjpegDecoder()
    decoder.load(memoryview(jpeg(100) + bytes(1000)))
    assert decoder.frame() is not None


def test_what_was_loaded_stays_when_the_drivers_buffer_changes() -> None:
    buffer = bytearray(jpeg(100))
    decoder = MjpegDecoder()
    decoder.load(memoryview(buffer))
    buffer[:] = bytes(len(buffer))
    assert decoder.frame() is not None
