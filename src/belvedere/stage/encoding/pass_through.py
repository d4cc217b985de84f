"""Makes a camera's H.264 fit to be passed on unchanged, or says why it cannot be. Pure.

Browsers show Constrained Baseline, Main and High in 4:2:0, and without delay if no picture is shown later than one that
follows it in the stream. A viewer can begin at an IDR only if the parameter sets come with it; many cameras send them
once. Whatever is damaged is left out up to the next IDR.
"""

from __future__ import annotations

from typing import NamedTuple

from belvedere.errors import BitstreamError
from belvedere.stage.h264 import (
    HIGH,
    MAIN,
    NalType,
    SliceType,
    Sps,
    join_nal_units,
    nal_type,
    parameter_set_id,
    read_sps,
    slice_type,
    split_nal_units,
)

SLICES = frozenset({NalType.SLICE, NalType.IDR})
PARAMETER_SETS = frozenset({NalType.SPS, NalType.PPS})
LEFT_OUT = frozenset({NalType.ACCESS_UNIT_DELIMITER, NalType.FILLER, *PARAMETER_SETS})
MAX_PARAMETER_SETS = 32  # cameras have one of each kind, or two
MAX_DAMAGED = 60  # access units in a row, until the source is said to have failed


class RepairedUnit(NamedTuple):
    """An access unit with one picture.

    Attributes:
        data: in Annex B format; with all parameter sets if it is an IDR.
        is_idr: a decoder can start here.
    """

    data: bytes
    is_idr: bool


class PassThrough:
    """Checks and repairs the access units of one stream.

    Attributes:
        sps: the stream's description; None until it is known. It changes with an IDR only.
        obstacle: why the stream must be encoded anew, or "".
    """

    def __init__(self) -> None:
        self.sps: Sps | None = None
        self.obstacle = ""
        self._sets: dict[tuple[int, int], bytes] = {}
        self._needs_idr = True
        self._damaged = 0

    def receive(self, data: bytes) -> RepairedUnit | None:
        """Repair an access unit; returns None if there is nothing in it that can be decoded.

        Raises BitstreamError if `MAX_DAMAGED` access units in a row cannot be read.
        """
        try:
            unit = self._repaired(split_nal_units(data))
        except BitstreamError:
            self._needs_idr = True
            self._damaged += 1
            if self._damaged >= MAX_DAMAGED:
                raise
            return None
        self._damaged = 0
        return unit

    def skip_to_idr(self) -> None:
        """Something was lost: only an IDR helps."""
        self._needs_idr = True

    def _repaired(self, units: list[bytes]) -> RepairedUnit | None:
        for unit in units:
            if nal_type(unit) in PARAMETER_SETS:
                self._remember(unit)
        slices = [unit for unit in units if nal_type(unit) in SLICES]
        if not slices:
            return None
        is_idr = any(nal_type(unit) == NalType.IDR for unit in slices)
        if is_idr:
            self._begin()
        elif self._needs_idr:
            return None
        if not self.obstacle and slice_type(slices[0]) is SliceType.B:
            self.obstacle = "it has B-frames"
        sets = [unit for _, unit in sorted(self._sets.items())] if is_idr else []
        return RepairedUnit(
            join_nal_units([*sets, *(unit for unit in units if nal_type(unit) not in LEFT_OUT)]), is_idr
        )

    def _begin(self) -> None:
        """An IDR begins with the parameter sets that were seen last. Raises BitstreamError if one is missing."""
        kinds = {kind for kind, _ in self._sets}
        if not kinds.issuperset(PARAMETER_SETS):
            raise BitstreamError("an IDR before the parameter sets")
        sps = read_sps(next(unit for (kind, _), unit in self._sets.items() if kind == NalType.SPS))
        if sps != self.sps:
            self.sps, self.obstacle = sps, obstacle_to_passing(sps)
        self._needs_idr = False

    def _remember(self, unit: bytes) -> None:
        """Keep a parameter set in place of the one with the same number."""
        key = nal_type(unit), parameter_set_id(unit)
        if key not in self._sets and len(self._sets) >= MAX_PARAMETER_SETS:
            raise BitstreamError(f"more than {MAX_PARAMETER_SETS} parameter sets")
        if key[0] == NalType.SPS and key in self._sets and self._sets[key] != unit:
            self._sets.clear()  # what follows is another stream
        self._sets[key] = unit


def obstacle_to_passing(sps: Sps) -> str:
    """Why browsers would not show a stream at all, or late; "" if they do."""
    if sps.profile not in {MAIN, HIGH} and not sps.is_constrained_baseline:
        return f"its profile, {sps.profile}, is not Constrained Baseline, Main or High"
    if sps.chroma_format != 1 or sps.bit_depth != 8:  # noqa: PLR2004 (bits)
        return "its colours are not 4:2:0 with 8 bits"
    if sps.is_interlaced:
        return "it is interlaced"
    if sps.max_reorder:
        return "it has B-frames"
    return ""
