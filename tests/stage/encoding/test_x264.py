from __future__ import annotations

from typing import TYPE_CHECKING

import av
import pytest
from av.video.frame import PictureType

from belvedere.stage.encoding.x264 import X264Encoder
from belvedere.stage.frames import rtp_ticks
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.pattern import PatternSource

if TYPE_CHECKING:
    from belvedere.stage.frames import EncodedFrame

SMALL = StageOptions(width=320, height=192, fps=30, bitrate_kbps=500)
SLICE, IDR, SPS, PPS = 1, 5, 7, 8


def encoded(count: int, *, idr_at: tuple[int, ...] = (), options: StageOptions = SMALL) -> list[EncodedFrame]:
    encoder, source = X264Encoder(options), PatternSource()
    source.open(options.width, options.height, options.fps)
    frames = []
    for number in range(count):
        at_s = 5000 + number / options.fps
        source.read(at_s, encoder.picture)
        frame = encoder.encode(at_s, wants_idr=number in idr_at)
        assert frame is not None, "nothing may wait in the encoder"
        frames.append(frame)
    return frames


def units(data: bytes) -> list[int]:
    """The types of the NAL units in an access unit."""
    return [part[0] & 0x1F for part in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]]


def test_every_picture_comes_out_at_once_in_order_and_with_its_capture_time() -> None:
    frames = encoded(20)
    assert [frame.ticks for frame in frames] == [rtp_ticks(5000 + number / 30) for number in range(20)]
    assert [frame.captured_s for frame in frames] == [5000 + number / 30 for number in range(20)]


def test_only_the_first_picture_is_an_idr_until_one_is_asked_for() -> None:
    frames = encoded(40, idr_at=(17, 30))
    assert [number for number, frame in enumerate(frames) if frame.is_idr] == [0, 17, 30]


def test_parameter_sets_come_with_every_idr_and_there_are_no_b_frames() -> None:
    decoder = av.CodecContext.create("h264", "r")
    kinds = []
    for frame in encoded(30, idr_at=(10,)):
        types = units(frame.data)
        assert (SPS in types and PPS in types and IDR in types) is frame.is_idr
        assert SLICE not in types or not frame.is_idr
        kinds += [PictureType(picture.pict_type).name for picture in decoder.decode(av.Packet(frame.data))]
    assert set(kinds) <= {"I", "P"}
    assert len(kinds) >= 25


def test_the_stream_is_constrained_baseline_in_bt709_video_range() -> None:
    data = encoded(1)[0].data
    sps = data[data.index(b"\0\0\1\x67") + 4 :]
    assert sps[0] == 66
    assert sps[1] & 0x40
    decoder = av.CodecContext.create("h264", "r")
    pictures = decoder.decode(av.Packet(data)) + decoder.decode(None)
    assert pictures[0].colorspace == 1
    assert pictures[0].color_range == 1


def test_an_idr_does_not_overflow_the_buffer_it_was_promised() -> None:
    frames = encoded(60, idr_at=tuple(range(10, 60, 10)))
    budget = 500_000 * 0.080 / 8
    assert max(len(frame.data) for frame in frames[10:]) < 1.5 * budget


def test_a_clock_that_stands_still_does_not_stop_the_encoder() -> None:
    encoder = X264Encoder(SMALL)
    frames = [encoder.encode(7.0, wants_idr=False) for _ in range(3)]
    assert [frame.ticks for frame in frames if frame] == [630000, 630001, 630002]


@pytest.mark.parametrize(("width", "height"), [(160, 96), (640, 360), (1920, 1080)])
def test_other_sizes_work(width: int, height: int) -> None:
    encoder = X264Encoder(StageOptions(width=width, height=height))
    assert len(encoder.picture.y) == width * height
    frame = encoder.encode(1.0, wants_idr=False)
    assert frame is not None
    assert frame.is_idr
