"""What is true outside the core in the model harness: visitors' pages, units, and where the pan axis stands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from belvedere.head.axes import Axis


@dataclass
class VisitorState:
    """One session's page: its own clock, for how long that has stood still, and what it numbers."""

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
    """One axis's unit as it truly is: it never stops by itself, and it may have heard what nobody knows of.

    Attributes:
        is_ready: whether it is in reach.
        turning: what it does.
        told: the newest effect for it; `told_at` is when that came, `changed_at` when it was last another.
        stops_since: since when three stops are owed, and `stops` how many came.
        hangs_next: whether the next write never ends, and if it does, whether the unit takes it all the same.
        is_hung: whether such a write is on its way.
        is_deaf: whether writes end well and reach nothing, because the link is dead and nobody has noticed.
        lost_at: when it went out of reach; `may_have_missed` is whether something else was written shortly before.
    """

    is_ready: bool = False
    turning: float = 0.0
    told: float = 0.0
    told_at: float = -math.inf
    changed_at: float = -math.inf
    stops_since: float | None = None
    stops: int = 0
    hangs_next: bool | None = None
    is_hung: bool = False
    is_deaf: bool = False
    lost_at: float = 0.0
    may_have_missed: bool = False


@dataclass
class PanState:
    """Where the pan axis truly stands, and what may be asked of the core about it.

    Attributes:
        is_exact: the core can know all of it, out of reach too.
        may_be_unsure: the core may take it for doubtful: it was lost soon after something was written, or worse.
        is_lost: it stands further from what is reckoned than limits can be kept.
        is_anywhere: it turned out of reach for so long that the core must not be sure of it any more.
        may_overrun: it turned while nobody could stop it in time.
    """

    deg: float = 0.0
    is_exact: bool = True
    may_be_unsure: bool = False
    is_lost: bool = False
    is_anywhere: bool = False
    may_overrun: bool = False
