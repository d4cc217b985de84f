from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from belvedere.lab.doctor.check import CheckState
from belvedere.lab.doctor.encoder import encoder
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.source import Picture
from belvedere.testing.clock import FakeClock

if TYPE_CHECKING:
    from belvedere.stage.encoding.rate_control import EncodingTarget

SMALL = StageOptions(width=160, height=96)


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
    found = encoder(SMALL, lambda _options: Timed(clock, seconds), lambda: None, clock)
    assert [result.state for result in found] == [state]
    assert f"{1000 * seconds:.1f} ms" in found[0].message
    assert bool(found[0].fix) == (state is not CheckState.OK)


def test_hardware_is_named_beside_the_software() -> None:
    clock = FakeClock()
    found = encoder(SMALL, lambda _options: Timed(clock, 0.001), lambda: "bcm2835-codec-encode at /dev/video11", clock)
    assert "bcm2835-codec-encode at /dev/video11" in found[0].message


def test_the_real_encoder_can_be_timed() -> None:
    assert "libx264 takes" in encoder(SMALL, hardware=lambda: None)[0].message
