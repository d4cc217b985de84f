"""The true state outside the core in the model harness: visitors' pages, units, and the position of the pan axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from belvedere.head.axes import Axis


@dataclass
class VisitorState:
    """One session's page: its own clock, for how long that has stood still, and its counters."""

    name: str
    clock_offset_s: float
    slept_s: float = 0.0
    is_connected: bool = False
    epoch: int = -1
    hold: int = 0
    seq: int = 0
    pressed: dict[Axis, float] | None = None


@dataclass
class UnitState:
    """The true state of one axis's unit, which never stops by itself, and may have executed writes that seemed to fail.

    Attributes:
        is_ready: whether it is in reach.
        turning: its true velocity.
        commanded: the velocity of the newest effect; `commanded_at` is its time, `changed_at` when it last differed.
        stops_since: since when three stops must be written, and `stops` how many were.
        hangs_next: None, or the next write never completes, and this is whether the unit executes it all the same.
        is_hung: whether such a write is in progress.
        is_link_dead: whether writes complete but do not arrive, because the link is dead and this is not detected yet.
        lost_at: when it went out of reach; `may_have_missed` is whether something else was written shortly before.
    """

    is_ready: bool = False
    turning: float = 0.0
    commanded: float = 0.0
    commanded_at: float = -math.inf
    changed_at: float = -math.inf
    stops_since: float | None = None
    stops: int = 0
    hangs_next: bool | None = None
    is_hung: bool = False
    is_link_dead: bool = False
    lost_at: float = 0.0
    may_have_missed: bool = False


@dataclass
class PanState:
    """The true position of the pan axis, and what may be expected of the core about it.

    Attributes:
        is_exact: the core must know the position exactly, even out of reach.
        may_be_unsure: the core may call it not sure: the link was lost soon after a write, or worse.
        is_lost: the reckoned position is too far off for limits to be kept.
        is_anywhere: it turned out of reach for so long that the core must not call it sure.
        may_overrun: it turned while no stop could reach it in time.
    """

    deg: float = 0.0
    is_exact: bool = True
    may_be_unsure: bool = False
    is_lost: bool = False
    is_anywhere: bool = False
    may_overrun: bool = False
