from __future__ import annotations

import av
import pytest
from tests.support.pictures import blank_picture

from belvedere.stage.sources.conversion import PictureConverter, Placement, place

BT709, UNSPECIFIED, BT601 = 1, 2, 5
NOT_SAID, VIDEO, FULL = 0, 1, 2
RED = (63, 102, 240)  # in video range with the matrix of BT.709
RED_601, RED_601_FULL = (81, 90, 240), (76, 85, 255)


def plain(
    size: tuple[int, int], name: str, values: tuple[int, ...], matrix: int = UNSPECIFIED, colour_range: int = NOT_SAID
) -> av.VideoFrame:
    """A frame of one colour."""
    frame = av.VideoFrame(*size, name)
    for plane, value in zip(frame.planes, values, strict=True):
        memoryview(plane)[:] = bytes([value]) * plane.buffer_size
    frame.colorspace, frame.color_range = matrix, colour_range
    return frame


def corner_colour(frame: av.VideoFrame, size: tuple[int, int]) -> tuple[int, int, int]:
    picture = blank_picture(*size)
    PictureConverter().convert(frame, picture)
    return picture.y[0], picture.u[0], picture.v[0]


@pytest.mark.parametrize("size", [(320, 192), (160, 96)])
@pytest.mark.parametrize(
    "frame",
    [
        plain((320, 192), "yuvj422p", RED_601_FULL),
        plain((320, 192), "yuv422p", RED_601_FULL, BT601, FULL),
        plain((320, 192), "yuv420p", RED_601, BT601, VIDEO),
        plain((320, 192), "yuv420p", RED_601),
        plain((320, 192), "yuv420p", RED, BT709, VIDEO),
        plain((1280, 768), "yuv420p", RED),
        plain((1280, 768), "yuvj420p", RED_601_FULL),
        plain((320, 192), "gbrp", (0, 0, 255), 0),
    ],
    ids=["mjpeg", "full range", "sd", "sd unnamed", "hd", "hd unnamed", "large mjpeg", "rgb"],
)
def test_red_is_the_same_red_from_every_format_matrix_and_range(frame: av.VideoFrame, size: tuple[int, int]) -> None:
    colour = corner_colour(frame, size)
    assert all(abs(value - wanted) <= 1 for value, wanted in zip(colour, RED, strict=True)), colour


def test_black_in_full_range_becomes_black_in_video_range() -> None:
    assert corner_colour(plain((320, 192), "yuvj422p", (0, 128, 128)), (320, 192)) == (16, 128, 128)


@pytest.mark.parametrize(
    ("frame_size", "size", "placement"),
    [
        ((1920, 1080), (1280, 720), Placement(0, 0, 1280, 720)),
        ((1024, 680), (1280, 720), Placement(98, 0, 1084, 720)),
        ((1920, 1088), (1280, 720), Placement(0, 0, 1280, 720)),
        ((640, 480), (1280, 720), Placement(160, 0, 960, 720)),
        ((1920, 816), (1280, 720), Placement(0, 88, 1280, 544)),
        ((1280, 721), (1280, 720), Placement(0, 0, 1280, 720)),
        ((4000, 1), (320, 192), Placement(0, 96, 320, 2)),
    ],
)
def test_a_frame_of_another_shape_is_shown_whole_and_in_the_middle(
    frame_size: tuple[int, int], size: tuple[int, int], placement: Placement
) -> None:
    assert place(*frame_size, *size) == placement


@pytest.mark.parametrize("frame_size", [(160, 192), (320, 96), (100, 98), (320, 192)])
def test_the_rest_of_the_picture_is_black_whatever_was_there_before(frame_size: tuple[int, int]) -> None:
    picture = blank_picture(320, 192)
    for plane in (picture.y, picture.u, picture.v):
        plane[:] = b"\xaa" * len(plane)
    PictureConverter().convert(plain(frame_size, "yuv420p", (235, 100, 200), BT709, VIDEO), picture)
    at = place(*frame_size, 320, 192)
    shown = {(x, y) for y in range(at.y, at.y + at.height) for x in range(at.x, at.x + at.width)}
    for plane, shift, inside, outside in ((picture.y, 0, 235, 16), (picture.u, 1, 100, 128), (picture.v, 1, 200, 128)):
        row = 320 >> shift
        spots = {(x >> shift, y >> shift) for x, y in shown}
        wrong = [i for i, value in enumerate(plane) if value != (inside if (i % row, i // row) in spots else outside)]
        assert not wrong


def test_frames_may_change_their_size_and_format_from_one_to_the_next() -> None:
    converter, picture = PictureConverter(), blank_picture(320, 192)
    for frame in (plain((640, 384), "yuv420p", (50, 128, 128)), plain((160, 96), "yuvj422p", (255, 128, 128))):
        converter.convert(frame, picture)
    assert set(picture.y) == {235}
