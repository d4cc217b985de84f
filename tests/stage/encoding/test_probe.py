from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.fake_hardware import DirectConnection, Driver, hardware
from tests.support.h264_streams import h264_stream

from belvedere.stage.encoding.encoder import open_software_encoder
from belvedere.stage.encoding.hardware import HardwareEncoder
from belvedere.stage.encoding.probe import BOUND_S, PICTURES, Verdict, judge
from belvedere.stage.h264 import split_nal_units
from belvedere.stage.options import StageOptions

if TYPE_CHECKING:
    from belvedere.stage.encoding.interface import Encoder
    from belvedere.stage.encoding.rate_control import EncodingTarget
    from belvedere.stage.frames import EncodedFrame

SMALL = StageOptions(width=320, height=192, fps=30, bitrate_kbps=500)
SOFTWARE_S = 0.004


class Software:
    """x264, which takes a given time of the processor."""

    def __init__(self, driver: Driver) -> None:
        self._encoder = open_software_encoder(SMALL)
        self.picture = self._encoder.picture
        self._driver = driver

    def retarget(self, target: EncodingTarget) -> None:
        self._encoder.retarget(target)

    def encode(self, at_s: float, *, wants_idr: bool) -> EncodedFrame | None:
        self._driver.processor_clock.advance(SOFTWARE_S)
        return self._encoder.encode(at_s, wants_idr=wants_idr)


def verdict(driver: Driver) -> Verdict:
    def software() -> Encoder:
        return Software(driver)

    return judge(SMALL, lambda: hardware(SMALL, driver)[0], software, driver.clock, driver.processor_clock)


def sps(access_units: list[bytes]) -> bytes:
    return split_nal_units(access_units[0])[0]


def test_an_encoder_that_does_all_it_must_is_accepted_with_its_profile_and_figures() -> None:
    driver = Driver()
    found = verdict(driver)
    assert found.problem == ""
    assert found.profile_level_id.startswith("42c0")
    # The child's time counts, and so does ours, which the fake has on the same clock.
    assert found.report == "2.0 ms of the processor for a picture, libx264 4.0 ms"
    assert [(request.scale, request.bits_per_s) for request in driver.opened] == [((1, 1), 500_000), ((1, 2), 250_000)]


def test_parameter_sets_that_come_once_are_no_obstacle() -> None:
    assert verdict(Driver(has_parameter_sets_once=True)).problem == ""


NOT_CONSTRAINED = bytearray(sps(h264_stream(320, 192)))
NOT_CONSTRAINED[2] = 0
REORDERED = sps(h264_stream(320, 192, "Main", bf="2", x264_params="b-adapt=0"))
_BITS = "11110100000010100000110011001"
UNORDERED = bytes((0x67, 77, 0, 13)) + (int(_BITS, 2) << -len(_BITS) % 8).to_bytes(-(-len(_BITS) // 8))
"""Main, 20x12 macroblocks; the order may differ (pic_order_cnt_type 0), and no VUI tells whether it does."""


@pytest.mark.parametrize(
    ("driver", "problem"),
    [
        (Driver(opening_fails=True), "FFmpeg: [Errno 16] Device or resource busy"),
        (Driver(waits=True), "it does not give out every picture at once"),
        (Driver(is_silent=True), "it does not give out every picture at once"),
        (Driver(ignores_idr=True), "it made no key frame when one was requested"),
        (Driver(rate=4), "kbit/s in place of 500"),
        (Driver(is_unbounded=True), "too many for 500 kbit/s"),
        (Driver(narrower=32), "it makes pictures of 288x192 in place of 320x192"),
        (Driver(sps=bytes(NOT_CONSTRAINED)), "its profile, 66, is not Constrained Baseline, Main or High"),
        (Driver(sps=REORDERED), "it has B-frames"),
        (Driver(sps=UNORDERED), "its stream does not say that pictures come in order"),
        (Driver(sps=b"\x67\x42"), "it does not give out every picture at once"),
        (Driver(takes_s=0.03), "it takes 30 ms for a picture, too long at 30 fps"),
        (Driver(takes_s=BOUND_S / 10), f"its trial took more than {BOUND_S:.0f} s"),
        (Driver(processor_s=0.0021), "it is no relief: it takes 4.2 ms"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_whatever_viewers_could_not_use_is_rejected_with_the_reason(driver: Driver, problem: str) -> None:
    found = verdict(driver)
    assert problem in found.problem
    assert not found.profile_level_id


@pytest.mark.parametrize("number", [0, 1, 5, PICTURES, PICTURES + 2])
def test_a_driver_that_hangs_is_rejected_whenever_it_does(number: int) -> None:
    driver = Driver()
    connection = DirectConnection(SMALL.width, SMALL.height, driver, hangs_after=number)
    found = judge(
        SMALL,
        lambda: HardwareEncoder(SMALL, connection),
        lambda: Software(driver),
        driver.clock,
        driver.processor_clock,
    )
    assert found.problem == "the driver does not answer"
    assert connection.is_closed
