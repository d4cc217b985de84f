from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from belvedere.lab.doctor.check import CheckState
from belvedere.lab.doctor.encoder import encoder
from belvedere.stage.encoding.probe import Verdict
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.source import Picture
from belvedere.testing.clock import FakeClock

if TYPE_CHECKING:
    from belvedere.stage.encoding.rate_control import EncodingTarget

SMALL = StageOptions(width=160, height=96)


def none(_options: StageOptions) -> tuple[None, Verdict]:
    return None, Verdict("there is none")


class Timed:
    """An encoder that takes a given time on a simulated clock."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        self.picture = Picture(160, 96, *(memoryview(bytearray(size)) for size in (15360, 3840, 3840)))
        self._clock = clock
        self._seconds = seconds

    def retarget(self, target: EncodingTarget) -> None:
        del target

    def encode(self, at_s: float, *, wants_idr: bool) -> None:
        del at_s, wants_idr
        self._clock.advance(self._seconds)


@pytest.mark.parametrize(
    ("seconds", "state"), [(0.004, CheckState.OK), (0.020, CheckState.WARNING), (0.050, CheckState.ERROR)]
)
def test_an_encoder_is_judged_by_the_time_that_a_picture_leaves(seconds: float, state: CheckState) -> None:
    clock = FakeClock()
    found = encoder(SMALL, lambda _options: Timed(clock, seconds), none, clock)
    assert [result.state for result in found] == [state]
    assert f"{1000 * seconds:.1f} ms" in found[0].message
    assert bool(found[0].fix) == (state is not CheckState.OK)


@pytest.mark.parametrize(
    ("setting", "device", "problem", "state", "message"),
    [
        ("auto", "bcm2835 at /dev/video11", "", CheckState.OK, "the hardware encodes: bcm2835 at /dev/video11; it"),
        ("auto", "bcm2835 at /dev/video11", "it is late", CheckState.OK, "not bcm2835 at /dev/video11: it is late"),
        ("hardware", "bcm2835 at /dev/video11", "it is late", CheckState.WARNING, "/dev/video11: it is late"),
        ("hardware", None, "there is none", CheckState.WARNING, "libx264 encodes, not hardware: there is none"),
    ],
)
def test_it_says_whether_the_hardware_would_be_used_and_why_not(
    setting: Literal["auto", "hardware"], device: str | None, problem: str, state: CheckState, message: str
) -> None:
    clock = FakeClock()
    options = StageOptions(width=160, height=96, encoder=setting)
    verdict = Verdict(problem, "", "2 ms")
    first, second = encoder(options, lambda _options: Timed(clock, 0.001), lambda _options: (device, verdict), clock)
    assert (first.state, bool(first.fix)) == (state, state is CheckState.WARNING)
    assert message in first.message
    assert second.message.startswith("libx264 takes")


def test_software_that_is_too_slow_matters_only_if_it_is_used() -> None:
    clock = FakeClock()
    used = encoder(SMALL, lambda _options: Timed(clock, 1.0), lambda _options: ("a device", Verdict("")), clock)
    assert [result.state for result in used] == [CheckState.OK, CheckState.OK]


def test_the_real_encoder_can_be_timed() -> None:
    assert "libx264 takes" in encoder(SMALL, try_hardware=none)[0].message
