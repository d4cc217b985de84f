"""The two axes of a pan head."""

from __future__ import annotations

import enum


class Axis(enum.StrEnum):
    """One motorised axis; each is a unit of its own with a link of its own.

    Positive pan turns the view right, positive tilt turns it up.
    """

    PAN = "pan"
    TILT = "tilt"


AXES: tuple[Axis, ...] = (Axis.PAN, Axis.TILT)
