"""How fast an axis turns at full speed, from turns of a known angle that somebody timed. Pure."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_DELAY_S = 1.0  # a hand and a motor together do not lag by more


class Turn(msgspec.Struct, frozen=True):
    """A turn by `angle_deg` at a share of full speed in (0, 1], which took `seconds` from command to command."""

    share: float
    angle_deg: float
    seconds: float


class Calibration(msgspec.Struct, frozen=True):
    """What timed turns come to.

    Attributes:
        full_speed_deg_per_s: at share 1, if speed is proportional to it.
        delay_s: what each turn took longer than its angle explains: the motor speeding up, the hand.
        spread: the largest difference between a turn's time and what the two values above say, as a share of it.
    """

    full_speed_deg_per_s: float
    delay_s: float
    spread: float


def calibrate(turns: Sequence[Turn]) -> Calibration | None:
    """The speed at share 1 that explains the turns best; None without a turn.

    A turn's time is a delay, the same for all, and its angle over its speed. With turns at two speeds or more both are
    found (least squares of the relative error); with one the delay is taken as 0.
    """
    if not turns:
        return None
    angle_per_share = [turn.angle_deg / turn.share for turn in turns]  # seconds at 1 deg/s of full speed
    seconds = [turn.seconds for turn in turns]
    delay_s = 0.0
    if len({turn.share for turn in turns}) > 1:
        slope, intercept = statistics.linear_regression(angle_per_share, seconds)
        delay_s = min(max(intercept, 0.0), MAX_DELAY_S) if slope > 0 else 0.0
    full = statistics.median(
        one / max(took - delay_s, 1e-3) for one, took in zip(angle_per_share, seconds, strict=True)
    )
    spread = max(abs(one / full + delay_s - took) / took for one, took in zip(angle_per_share, seconds, strict=True))
    return Calibration(full, delay_s, spread)
