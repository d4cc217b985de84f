"""Chooses x264's preset by measuring what encoding takes of the processor. Pure: times are arguments.

It measures the pictures that are encoded anyway. A trial with other pictures beforehand would delay the first one, and
how long a picture takes depends on what is in it.
"""

from __future__ import annotations

PRESETS = ("ultrafast", "superfast", "veryfast", "faster")
COSTS = {"ultrafast": 1.0, "superfast": 1.6, "veryfast": 2.4, "faster": 5.0}  # relative, measured at 1280x720
"""Slower ones than `faster` take more time than they give: measured, the picture was no more similar to its source."""

MEASURED_PICTURES = 90
LEFT_FREE = 0.25  # of the time between two pictures
MARGIN = 0.9  # of the limits, for changing to a slower preset: the costs are estimates, and pictures differ


class PresetChoice:
    """The preset to open an encoder with: the slowest that fits.

    Args:
        budget: the share of a core that encoding may take.

    Attributes:
        preset: what to use from the next key frame on, when an encoder can be opened anew at no cost.
    """

    def __init__(self, budget: float) -> None:
        self.preset = PRESETS[0]
        self._budget = budget
        self._measured: tuple[int, float] = 0, 0.0

    def receive_time(self, preset: str, seconds: float, interval_s: float) -> None:
        """A picture took so much time of the processor; the next one follows `interval_s` after it."""
        if preset != self.preset:  # the change to `self.preset` is still to come
            return
        pictures, total_s = self._measured
        self._measured = pictures, total_s = pictures + 1, total_s + seconds
        if pictures < MEASURED_PICTURES:
            return
        self._measured = 0, 0.0
        limit_s = min(self._budget, 1 - LEFT_FREE) * interval_s
        self.preset = self._slowest_that_fits(total_s / pictures / COSTS[preset], limit_s)

    def _slowest_that_fits(self, unit_s: float, limit_s: float) -> str:
        current = PRESETS.index(self.preset)
        fitting = [
            index
            for index, preset in enumerate(PRESETS)
            if unit_s * COSTS[preset] <= (MARGIN if index > current else 1.0) * limit_s
        ]
        return PRESETS[min(max(fitting, default=0), current + 1)]
