from __future__ import annotations

import random
from typing import TYPE_CHECKING

import av
import msgspec
import pytest
from av.video.frame import PictureType
from tests.support.pictures import blank_picture

from belvedere.stage.encoding.h264_decoder import H264Decoder
from belvedere.stage.encoding.preset import PresetChoice
from belvedere.stage.encoding.rate_control import SIZES, EncodingTarget
from belvedere.stage.encoding.x264 import X264Encoder, scaled
from belvedere.stage.frames import rtp_ticks
from belvedere.stage.h264 import NalType, Sps, nal_type, read_sps, split_nal_units
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.pattern import PatternSource

if TYPE_CHECKING:
    from belvedere.stage.frames import EncodedFrame

SMALL = StageOptions(width=320, height=192, fps=30, bitrate_kbps=500)
SLICE, IDR, SPS, PPS = NalType.SLICE, NalType.IDR, NalType.SPS, NalType.PPS


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
    return [nal_type(unit) for unit in split_nal_units(data)]


def sps_of(frame: EncodedFrame) -> Sps:
    return read_sps(next(unit for unit in split_nal_units(frame.data) if nal_type(unit) == SPS))


class Noise:
    """An encoder of pictures that no bitrate is enough for."""

    def __init__(self, options: StageOptions, choice: PresetChoice | None = None) -> None:
        self.encoder = X264Encoder(options, choice)
        self._chance = random.Random(1)
        self._number = 0

    def encode(self, count: int, *, idr_at: int = -1) -> list[EncodedFrame]:
        frames = []
        for number in range(count):
            for plane in (self.encoder.picture.y, self.encoder.picture.u, self.encoder.picture.v):
                plane[:] = self._chance.randbytes(len(plane))
            self._number += 1
            frame = self.encoder.encode(5000 + self._number / 30, wants_idr=number == idr_at)
            assert frame is not None
            frames.append(frame)
        return frames


def bits_per_s(frames: list[EncodedFrame]) -> float:
    return sum(len(frame.data) for frame in frames) * 8 * 30 / len(frames)


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


def test_another_bitrate_is_kept_to_within_a_few_pictures_and_without_an_idr() -> None:
    noise = Noise(StageOptions(width=320, height=192, bitrate_kbps=2000))
    found = []
    for target in (2_000_000, 1_000_000, 600_000, 2_000_000):
        noise.encoder.retarget(EncodingTarget(target))
        settling, frames = noise.encode(10), noise.encode(60)
        found.append(bits_per_s(frames) / target)
        assert not any(frame.is_idr for frame in [*settling[1:], *frames])
    assert all(0.7 <= share <= 1.15 for share in found), found


def test_a_smaller_size_begins_with_an_idr_and_keeps_level_and_the_picture_to_fill() -> None:
    encoder = X264Encoder(StageOptions(width=1280, height=720))
    picture, times = encoder.picture, [1.0, 1.1, 1.2, 1.3]
    frames = []
    for at_s, size in zip(times, (*SIZES, SIZES[0]), strict=True):
        encoder.retarget(EncodingTarget(500_000, size))
        frames.append(encoder.encode(at_s, wants_idr=False))
    assert all(frame is not None and frame.is_idr for frame in frames)
    found = [sps_of(frame) for frame in frames if frame is not None]
    assert [(sps.width, sps.height) for sps in found] == [(1280, 720), (960, 540), (640, 360), (1280, 720)]
    assert {sps.profile_level_id for sps in found} == {"42c01f"}
    assert encoder.picture is picture


def test_a_smaller_picture_shows_the_same() -> None:
    options = StageOptions(width=640, height=384)
    encoder, source = X264Encoder(options), PatternSource()
    source.open(options.width, options.height, options.fps)
    source.read(0.0, encoder.picture)
    encoder.retarget(EncodingTarget(2_000_000, SIZES[2]))
    frame = encoder.encode(1.0, wants_idr=False)
    assert frame is not None
    shown = blank_picture(640, 384)
    H264Decoder().decode(frame.data, 1.0, shown)
    middle = 640 * 192
    for column in (50, 200, 300, 500, 620):  # in the middle of bars
        assert abs(shown.y[middle + column] - encoder.picture.y[middle + column]) <= 4


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (160, 96), (704, 576), (352, 288)])
def test_smaller_sizes_are_even_and_of_the_same_shape(width: int, height: int) -> None:
    for size in SIZES:
        smaller = scaled(StageOptions(width=width, height=height), size)
        assert smaller[0] % 32 == smaller[1] % 2 == 0
        assert smaller[0] / smaller[1] == pytest.approx(width / height, rel=0.03)


@pytest.mark.parametrize("preset", ["ultrafast", "superfast", "veryfast", "faster"])
def test_every_preset_encodes_without_delay_and_within_its_profile(preset: str) -> None:
    frames = encoded(10, options=msgspec.structs.replace(SMALL, preset=preset))
    assert len(frames) == 10
    assert sps_of(frames[0]).is_constrained_baseline
    assert sps_of(frames[0]).max_reorder == 0


def test_a_preset_that_was_chosen_by_measuring_is_used_from_a_requested_idr_on() -> None:
    choice = PresetChoice(0.75)
    noise = Noise(SMALL, choice)
    before = noise.encode(3)
    choice.preset = "veryfast"
    assert not any(frame.is_idr for frame in noise.encode(3))
    assert noise.encoder._preset == "ultrafast"
    frames = noise.encode(3, idr_at=1)
    assert noise.encoder._preset == "veryfast"
    assert [frame.is_idr for frame in frames] == [False, True, False]
    assert before[0].ticks < frames[-1].ticks
