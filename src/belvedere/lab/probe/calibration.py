"""The speed of an axis at full speed, from timed turns of a known angle. Pure."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_DELAY_S = 1.0  # reaction time and motor delay together are less


class Turn(msgspec.Struct, frozen=True):
    """A turn by `angle_deg` at a share of full speed in (0, 1]; `seconds` from the move to the stop command."""

    share: float
    angle_deg: float
    seconds: float


class Calibration(msgspec.Struct, frozen=True):
    """The result of timed turns.

    Attributes:
        full_speed_deg_per_s: at share 1, assuming that speed is proportional to the share.
        delay_s: the part of each turn's time that its angle does not explain: acceleration, reaction time.
        spread: the largest deviation of a turn's time from what the two values above predict, as a share of the time.
    """

    full_speed_deg_per_s: float
    delay_s: float
    spread: float


def calibrate(turns: Sequence[Turn]) -> Calibration | None:
    """The speed at share 1 that fits the turns best; None without turns.

    The model: time = delay + angle / speed, with the same delay for all turns. With turns at two or more speeds the
    delay is fitted by linear regression; with one speed it is taken as 0.
    """
    if not turns:
        return None
    angles_at_full = [turn.angle_deg / turn.share for turn in turns]  # seconds it would take if full speed were 1 deg/s
    seconds = [turn.seconds for turn in turns]
    delay_s = 0.0
    if len({turn.share for turn in turns}) > 1:
        slope, intercept = statistics.linear_regression(angles_at_full, seconds)
        delay_s = min(max(intercept, 0.0), MAX_DELAY_S) if slope > 0 else 0.0
    full = statistics.median(one / max(took - delay_s, 1e-3) for one, took in zip(angles_at_full, seconds, strict=True))
    spread = max(abs(one / full + delay_s - took) / took for one, took in zip(angles_at_full, seconds, strict=True))
    return Calibration(full, delay_s, spread)
