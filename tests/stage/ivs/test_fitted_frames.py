from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import av
import pytest
from av.video.frame import PictureType
from tests.stage.fakes import IDR

from belvedere.errors import BitstreamError
from belvedere.stage.encoding.x264 import X264Encoder
from belvedere.stage.frames import EncodedFrame, rtp_ticks
from belvedere.stage.h264 import NalType, nal_type, read_sps, split_nal_units
from belvedere.stage.hub import Subscriber
from belvedere.stage.ivs.fitted_frames import (
    MAX_BITS_PER_S,
    FittedFrames,
    SmallerEncoding,
    fitted_size,
    obstacle,
)
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.source import VideoDescription, VideoFormat

if TYPE_CHECKING:
    from collections.abc import Callable

FITTING = VideoDescription(VideoFormat.RAW, 1280, 720, 30, profile_level_id="42c01f")
LARGE = VideoDescription(VideoFormat.RAW, 1920, 1088, 30, profile_level_id="42c028")
OPTIONS = StageOptions()


def frame(at_s: float, *, is_idr: bool = False, size: int = 1) -> EncodedFrame:
    return EncodedFrame(b"x" * size, at_s, rtp_ticks(at_s), is_idr)


@dataclass
class Rig:
    """Frames for a publisher; what is encoded again is marked, and can be held up or fail."""

    description: VideoDescription | None = FITTING
    subscriber: Subscriber = field(default_factory=Subscriber)
    requests: int = 0
    opened: list[VideoDescription] = field(default_factory=list)
    wanted_idrs: list[bool] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    error: Exception | None = None

    def __post_init__(self) -> None:
        self.frames = FittedFrames(
            self.subscriber, lambda: self.description, self._request, OPTIONS, open_encoding=self._open
        )

    def _request(self) -> None:
        self.requests += 1

    def _open(self, _options: StageOptions, description: VideoDescription) -> Rig:
        self.opened.append(description)
        return self

    def encode(self, source: EncodedFrame, *, wants_idr: bool) -> EncodedFrame | None:
        self.wanted_idrs.append(wants_idr)
        self.meanwhile()
        if self.error is not None:
            raise self.error
        return replace(source, data=b"again", is_idr=wants_idr)

    async def sent(self, *frames: EncodedFrame) -> list[EncodedFrame]:
        """What goes out of these frames."""
        for each in frames:
            self.subscriber.receive_frame(each)
        self.subscriber.receive_frame(IDR)
        out = []
        while (found := await self.frames.next_frame()) is not None and found is not IDR:
            out.append(found)
        return out


async def test_frames_that_fit_are_those_of_the_shared_encode() -> None:
    rig = Rig()
    frames = [frame(0, is_idr=True), frame(0.1), frame(0.2)]
    assert await rig.sent(*frames) == frames
    assert not rig.opened
    assert rig.requests == 0


async def test_an_idr_is_requested_when_the_last_is_too_old() -> None:
    rig = Rig()
    await rig.sent(frame(0, is_idr=True), frame(1.4))
    assert rig.requests == 0
    rig = Rig()
    await rig.sent(frame(0, is_idr=True), frame(1.5), frame(1.6, is_idr=True), frame(1.7))
    assert rig.requests == 1


@pytest.mark.realtime
async def test_what_does_not_fit_is_encoded_again_with_idrs_of_its_own() -> None:
    rig = Rig(LARGE)
    rig.subscriber.receive_frame(frame(0, is_idr=True))
    for at_s in (1.0, 1.5, 1.6):
        rig.subscriber.receive_frame(frame(at_s))
    sent = [await rig.frames.next_frame() for _ in range(4)]
    assert all(each is not None and each.data == b"again" for each in sent)
    assert rig.wanted_idrs == [True, False, True, False]
    assert rig.opened == [LARGE]
    rig.subscriber.close()
    assert await rig.frames.next_frame() is None


@pytest.mark.realtime
async def test_what_is_being_encoded_during_a_cut_does_not_go_out() -> None:
    rig = Rig(LARGE)
    loop = asyncio.get_running_loop()
    rig.meanwhile = lambda: asyncio.run_coroutine_threadsafe(cut(), loop).result(10)

    async def cut() -> None:
        rig.meanwhile = lambda: None
        rig.frames.cut()

    rig.subscriber.receive_frame(frame(0, is_idr=True))
    rig.subscriber.receive_frame(frame(1))
    sent = await rig.frames.next_frame()
    assert sent is not None
    assert sent.captured_s == 1
    rig.frames.close()


@pytest.mark.realtime
async def test_a_picture_that_cannot_be_decoded_is_left_out() -> None:
    rig = Rig(LARGE)
    rig.error = BitstreamError("damaged")

    def repair() -> None:
        if len(rig.wanted_idrs) == 2:
            rig.error = None

    rig.meanwhile = repair
    rig.subscriber.receive_frame(frame(0, is_idr=True))
    rig.subscriber.receive_frame(frame(1))
    sent = await rig.frames.next_frame()
    assert sent is not None
    assert sent.captured_s == 1
    rig.frames.close()


@pytest.mark.realtime
async def test_a_camera_that_sends_too_much_is_encoded_again_and_stays_so() -> None:
    rig = Rig()
    per_frame = MAX_BITS_PER_S // 8
    for at_s in (0.0, 1.0, 2.1, 3.0):
        rig.subscriber.receive_frame(frame(at_s, is_idr=at_s == 0, size=per_frame * 3 if at_s else 1))
    sent = [await rig.frames.next_frame() for _ in range(4)]
    assert [each is not None and each.data == b"again" for each in sent] == [False, False, True, True]
    assert rig.requests >= 1
    rig.subscriber.receive_frame(frame(9, is_idr=True))
    again = await rig.frames.next_frame()
    assert again is not None
    assert again.data == b"again"
    rig.frames.close()


@pytest.mark.realtime
async def test_another_camera_that_fits_is_passed_on_again() -> None:
    rig = Rig(LARGE)
    rig.subscriber.receive_frame(frame(0, is_idr=True))
    await rig.frames.next_frame()
    rig.description = FITTING
    passed = frame(1, is_idr=True)
    rig.subscriber.receive_frame(passed)
    assert await rig.frames.next_frame() is passed
    rig.frames.close()


@pytest.mark.parametrize(
    ("description", "options", "expected"),
    [
        (None, OPTIONS, ""),
        (FITTING, OPTIONS, ""),
        (LARGE, OPTIONS, "1920x1088"),
        (replace(FITTING, width=720, height=1280), OPTIONS, "720x1280"),
        (replace(FITTING, profile_level_id="4d401f"), OPTIONS, "Baseline"),
        (replace(FITTING, format=VideoFormat.H264), OPTIONS, "IDR"),
        (replace(FITTING, format=VideoFormat.H264, request_idr=lambda: None), OPTIONS, ""),
        (FITTING, StageOptions(bitrate_kbps=9000), "9000 kbit/s"),
    ],
)
def test_what_ivs_would_end_is_an_obstacle(
    description: VideoDescription | None, options: StageOptions, expected: str
) -> None:
    found = obstacle(description, options)
    assert (expected in found) if expected else found == ""


@pytest.mark.parametrize(
    ("size", "fitted"),
    [
        ((1920, 1080), (1280, 720)),
        ((640, 480), (640, 480)),
        ((1280, 960), (960, 720)),
        ((1080, 1920), (384, 682)),
        ((3840, 2160), (1280, 720)),
    ],
)
def test_a_picture_is_made_no_larger_than_it_may_be(size: tuple[int, int], fitted: tuple[int, int]) -> None:
    assert fitted_size(*size) == fitted
    assert fitted[0] <= 1280
    assert fitted[1] <= 720


def test_a_large_picture_becomes_baseline_of_720_lines_without_b_frames() -> None:
    large = StageOptions(width=1920, height=1088, bitrate_kbps=6000, preset="ultrafast")
    source = X264Encoder(large)
    smaller = SmallerEncoding(large, LARGE)
    encoded = []
    for number in range(3):
        source.picture.y[:] = bytes([50 * number + 30]) * len(source.picture.y)
        taken = source.encode(number / 30, wants_idr=number == 0)
        assert taken is not None
        encoded.append(smaller.encode(taken, wants_idr=number == 0))
    first = encoded[0]
    assert first is not None
    assert first.is_idr
    sps = next(read_sps(unit) for unit in split_nal_units(first.data) if nal_type(unit) == NalType.SPS)
    assert sps.width <= 1280
    assert sps.height <= 720
    assert sps.profile_level_id.startswith("42")
    decoder = av.CodecContext.create("h264", "r")
    shown = [picture for each in encoded if each is not None for picture in decoder.decode(av.Packet(each.data))]
    kinds = [PictureType(picture.pict_type).name for picture in [*shown, *decoder.decode(None)]]
    assert kinds == ["I", "P", "P"]
