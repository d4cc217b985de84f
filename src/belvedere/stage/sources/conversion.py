"""Converts decoded frames of any pixel format, range, matrix and size to the picture that the stage takes.

FFmpeg is imported with the first converter, not with this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import av
    from av.video.plane import VideoPlane

    from belvedere.stage.sources.source import Picture

SAME_SHAPE = 0.01  # nobody sees this much stretching, and everybody a black line at the edge
BLACK_Y, BLACK_UV = b"\x10", b"\x80"
HD_HEIGHT = 720  # from here on, video that does not name its matrix is BT.709, and below BT.601, as players have it
UNSPECIFIED_MATRIX = 2  # AVCOL_SPC_UNSPECIFIED
UNSPECIFIED_RANGE = 0  # AVCOL_RANGE_UNSPECIFIED
FULL_RANGE_FORMATS = "yuvj"  # the beginning of FFmpeg's names for JPEG's formats


class Placement(NamedTuple):
    """Where in a picture a frame is shown, in pixels, all even."""

    x: int
    y: int
    width: int
    height: int


def place(frame_width: int, frame_height: int, width: int, height: int) -> Placement:
    """Return the largest rectangle of the frame's shape, in the middle of a picture of `width` x `height`.

    A frame whose shape differs by less than a hundredth fills the picture.
    """
    ratio = frame_width * height / (frame_height * width)
    if abs(ratio - 1) < SAME_SHAPE:
        return Placement(0, 0, width, height)
    shown_width = max(2, min(width, _even(ratio * width)))
    shown_height = max(2, min(height, _even(height / ratio)))
    return Placement(_even((width - shown_width) / 2), _even((height - shown_height) / 2), shown_width, shown_height)


class PictureConverter:
    """Converts frames for one run of a source, in one thread; other Python threads run meanwhile.

    The whole frame is shown, with black bars where its shape is not the picture's: a camera that looks after somebody
    must not hide an edge of the room because a setting has another shape. Averaging (`area`) makes smaller pictures
    without flicker at fine edges, and bicubic interpolation makes larger ones.

    On one core of the machine where this was written, 1920x1080 to 1280x720 takes 6 ms, and 4:2:2 in full range to
    4:2:0 in video range at 1280x720 takes 2.3 ms. One thread, so that the code that drives keeps its core.
    FFmpeg's result is a buffer of its own, from which the planes are copied.
    """

    def __init__(self) -> None:
        from av.video.reformatter import (  # noqa: PLC0415 (FFmpeg is heavy)
            ColorRange,
            Colorspace,
            Interpolation,
            VideoReformatter,
        )

        self._reformatter = VideoReformatter()
        self._bt709, self._bt601 = Colorspace.ITU709.value, Colorspace.ITU601.value
        self._video_range, self._full_range = ColorRange.MPEG.value, ColorRange.JPEG.value
        self._smaller, self._larger = Interpolation.AREA.value, Interpolation.BICUBIC.value

    def convert(self, frame: av.VideoFrame, picture: Picture) -> None:
        """Fill `picture` with the whole frame. Raises av.FFmpegError if FFmpeg cannot convert its format."""
        placement = place(frame.width, frame.height, picture.width, picture.height)
        converted = self._reformatter.reformat(
            frame,
            placement.width,
            placement.height,
            "yuv420p",
            src_colorspace=self._matrix_of(frame),
            dst_colorspace=self._bt709,
            src_color_range=self._range_of(frame),
            dst_color_range=self._video_range,
            interpolation=self._smaller if placement.width < frame.width else self._larger,
            threads=1,
        )
        targets = (picture.y, picture.u, picture.v)
        for plane, target, black, shift in zip(
            converted.planes, targets, (BLACK_Y, BLACK_UV, BLACK_UV), (0, 1, 1), strict=True
        ):
            spot = Placement(*(value >> shift for value in placement))
            _copy(plane, target, picture.width >> shift, spot, black)

    def _matrix_of(self, frame: av.VideoFrame) -> int | None:
        """The frame's matrix if it does not name it itself."""
        if frame.colorspace != UNSPECIFIED_MATRIX:
            return None
        is_hd = frame.height >= HD_HEIGHT and not frame.format.name.startswith(FULL_RANGE_FORMATS)
        return self._bt709 if is_hd else self._bt601  # JPEG is BT.601 at any size

    def _range_of(self, frame: av.VideoFrame) -> int | None:
        """The frame's range if it does not name it itself."""
        if frame.color_range != UNSPECIFIED_RANGE or frame.format.is_rgb:
            return None
        return self._full_range if frame.format.name.startswith(FULL_RANGE_FORMATS) else self._video_range


def _even(value: float) -> int:
    return round(value / 2) * 2


def _copy(plane: VideoPlane, target: memoryview, row: int, spot: Placement, black: bytes) -> None:
    """Copy the rows of a plane to their place in a target with rows of `row` bytes, and make the rest black."""
    source, stride = memoryview(plane), plane.line_size
    if spot.width == row == stride:
        start, end = spot.y * row, (spot.y + spot.height) * row
        target[:start] = black * start
        target[start:end] = source[: spot.height * stride]
        target[end:] = black * (len(target) - end)
        return
    if spot.width < row or spot.height * row < len(target):
        target[:] = black * len(target)
    for number in range(spot.height):
        start = (spot.y + number) * row + spot.x
        target[start : start + spot.width] = source[number * stride : number * stride + spot.width]
