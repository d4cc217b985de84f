"""An enhanced ATT channel (EATT): it has its own requests, and splits PDUs into L2CAP frames (K-frames) itself.

The first frame of a PDU begins with the length of the whole (Core 5.4, volume 3, part A, 3.4.3). Where a frame is
truncated in the log, the PDU is given as far as it is known, and the next one is still found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from belvedere.lab.logs.bearer import Bearer

LENGTH_BYTES = 2


@dataclass(slots=True)
class PartialPdu:
    """An incomplete PDU: its bytes up to the first gap in the log, and how many are still to come."""

    data: bytearray
    missing: int
    is_truncated: bool = False


class Reassembled(NamedTuple):
    """The result of a frame: the PDU that it completes, or b""; `is_lost` where a PDU can no longer be completed."""

    pdu: bytes = b""
    is_truncated: bool = False
    is_lost: bool = False


class EnhancedChannel:
    """One channel, in both directions.

    Attributes:
        bearer: decodes its PDUs; set by the extractor at the channel's first PDU.
    """

    def __init__(self) -> None:
        self.bearer: Bearer | None = None
        self._partial: dict[int, PartialPdu] = {}

    def receive(self, direction: int, payload: bytes, length: int) -> Reassembled:
        """Take a frame: what the log holds of its payload, and the payload's original length."""
        partial = self._partial.pop(direction, None)
        if partial is None:
            if len(payload) < LENGTH_BYTES:
                return Reassembled(is_lost=True)
            partial = PartialPdu(bytearray(), int.from_bytes(payload[:LENGTH_BYTES], "little"))
            payload, length = payload[LENGTH_BYTES:], length - LENGTH_BYTES
        if not partial.is_truncated:
            partial.data += payload
        partial.is_truncated |= len(payload) < length
        partial.missing -= length
        if partial.missing > 0:
            self._partial[direction] = partial
            return Reassembled()
        if partial.missing < 0:
            return Reassembled(is_lost=True)  # more than the length at the start: a frame in between was lost
        return Reassembled(bytes(partial.data), partial.is_truncated)
