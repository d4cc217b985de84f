from __future__ import annotations

import random
from fractions import Fraction

import pytest
from tests.support.fake_hardware import DirectConnection, Driver, hardware
from tests.support.h264_streams import h264_stream

from belvedere.errors import EncoderError, InternalError
from belvedere.stage.encoding.hardware import MAX_SILENT, HardwareEncoder
from belvedere.stage.encoding.rate_control import EncodingTarget
from belvedere.stage.frames import rtp_ticks
from belvedere.stage.h264 import NalType, nal_type, split_nal_units
from belvedere.stage.options import StageOptions

SMALL = StageOptions(width=320, height=192, fps=30, bitrate_kbps=500)
FULL = 500_000


def units(data: bytes) -> list[int]:
    return [nal_type(unit) for unit in split_nal_units(data)]


def fill(encoder: HardwareEncoder, seed: int) -> None:
    for plane in (encoder.picture.y, encoder.picture.u, encoder.picture.v):
        plane[:] = random.Random(seed).randbytes(len(plane))


def test_each_picture_comes_out_at_once_with_its_time() -> None:
    encoder, _ = hardware(SMALL, Driver())
    for number in range(5):
        fill(encoder, number)
        frame = encoder.encode(50 + number / 30, wants_idr=False)
        assert frame is not None
        assert (frame.captured_s, frame.ticks) == (50 + number / 30, rtp_ticks(50 + number / 30))
        assert frame.is_idr == (number == 0)


def test_time_stamps_rise_even_if_two_pictures_have_the_same_time() -> None:
    encoder, _ = hardware(SMALL, Driver())
    frames = [encoder.encode(50, wants_idr=False) for _ in range(2)]
    assert [frame and frame.ticks for frame in frames] == [rtp_ticks(50), rtp_ticks(50) + 1]


def test_what_is_in_the_shared_memory_is_what_is_encoded() -> None:
    encoder, _ = hardware(SMALL, Driver(rate=20))
    sizes = []
    for seed in (None, 1):
        if seed is not None:
            fill(encoder, seed)
        frame = encoder.encode(50 + (seed or 0), wants_idr=False)
        assert frame is not None
        sizes.append(len(frame.data))
    assert sizes[1] > 10 * sizes[0]


def test_every_key_frame_has_the_parameter_sets_though_the_driver_gives_them_once() -> None:
    encoder, _ = hardware(SMALL, Driver(has_parameter_sets_once=True))
    frames = [encoder.encode(50 + number / 30, wants_idr=number == 2) for number in range(4)]
    kinds = [units(frame.data) for frame in frames if frame is not None]
    assert kinds[2][:2] == [NalType.SPS, NalType.PPS]
    assert NalType.IDR in kinds[2]
    assert [NalType.SPS in each for each in kinds] == [True, False, True, False]


@pytest.mark.parametrize(
    ("targets", "opened"),
    [
        ([480_000], [FULL]),
        ([400_000], [FULL, 400_000]),
        ([200_000, 250_000, 299_000], [FULL, 200_000]),
        ([200_000, 300_000], [FULL, 200_000, 300_000]),
        ([400_000, 499_999, FULL, FULL], [FULL, 400_000, FULL]),
    ],
    ids=["a little less", "less", "a little more", "more", "all that the settings allow"],
)
def test_it_is_opened_anew_for_another_bitrate_unless_that_is_nearly_the_same(
    targets: list[int], opened: list[int]
) -> None:
    driver = Driver()
    encoder, _ = hardware(SMALL, driver)
    for bits_per_s in targets:
        encoder.retarget(EncodingTarget(bits_per_s))
    assert [request.bits_per_s for request in driver.opened] == opened


def test_another_size_and_rate_is_a_new_stream_while_the_picture_keeps_its_size() -> None:
    driver = Driver()
    encoder, _ = hardware(SMALL, driver)
    encoder.encode(50, wants_idr=False)
    encoder.retarget(EncodingTarget(FULL, Fraction(1, 2), 2))
    frame = encoder.encode(51, wants_idr=False)
    assert frame is not None
    assert frame.is_idr
    assert encoder.sps is not None
    assert (encoder.sps.width, encoder.sps.height) == (160, 96)
    assert (encoder.picture.width, encoder.picture.height) == (320, 192)
    assert driver.opened[-1].fps == (15, 1)


def test_the_child_ends_with_the_encoder() -> None:
    encoder, connection = hardware(SMALL, Driver())
    assert not connection.is_closed
    del encoder
    assert connection.is_closed


def test_an_encoder_that_falls_silent_has_failed() -> None:
    driver, problems = Driver(), list[str]()
    encoder, connection = hardware(SMALL, driver, problems.append)
    driver.is_silent = True
    for number in range(MAX_SILENT - 1):
        assert encoder.encode(50 + number, wants_idr=False) is None
    driver.is_silent = False
    assert encoder.encode(90, wants_idr=True) is not None
    driver.is_silent = True
    for number in range(MAX_SILENT - 1):
        assert encoder.encode(100 + number, wants_idr=False) is None
    with pytest.raises(EncoderError, match="nothing came of 30 pictures"):
        encoder.encode(200, wants_idr=False)
    assert problems == ["nothing came of 30 pictures"]
    assert connection.is_closed


def test_a_stream_that_becomes_unfit_has_failed() -> None:
    driver, problems = Driver(), list[str]()
    encoder, _ = hardware(SMALL, driver, problems.append)
    assert encoder.encode(50, wants_idr=False) is not None
    driver.sps = split_nal_units(h264_stream(320, 192, "High 4:4:4 Predictive", pix_fmt="yuv444p")[0])[0]
    with pytest.raises(EncoderError, match="browsers would not show"):
        encoder.encode(51, wants_idr=True)
    assert len(problems) == 1


def test_a_driver_that_hangs_is_an_error_and_its_child_is_ended() -> None:
    driver, problems = Driver(), list[str]()
    connection = DirectConnection(320, 192, driver, hangs_after=2)
    encoder = HardwareEncoder(SMALL, connection, problems.append)
    assert encoder.encode(50, wants_idr=False) is not None
    with pytest.raises(EncoderError):
        encoder.encode(51, wants_idr=False)
    assert problems == ["the driver does not answer"]
    assert connection.is_closed


def test_memory_that_is_too_small_for_the_picture_is_a_bug() -> None:
    with pytest.raises(InternalError):
        HardwareEncoder(SMALL, DirectConnection(320, 96, Driver()))
