"""One enhanced channel of attributes: each has requests of its own, and cuts its PDUs into frames of L2CAP itself.

The first frame of a PDU begins with the length of all of it (Core 5.4, volume 3, part A, 3.4.3). Where a frame is cut
in the log, its PDU is told as far as it goes, and the next one is still found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from belvedere.lab.logs.bearer import Bearer

LENGTH_BYTES = 2


@dataclass(slots=True)
class PartialPdu:
    """A PDU that is not complete: what the log holds of it up to the first gap, and how much of it is still to come."""

    data: bytearray
    missing: int
    is_truncated: bool = False


class Reassembled(NamedTuple):
    """What came of a frame: a PDU that is complete with it, or b"" without one; `is_lost` if it cannot be one."""

    pdu: bytes = b""
    is_truncated: bool = False
    is_lost: bool = False


class EnhancedChannel:
    """Both directions of one channel.

    Attributes:
        bearer: what its PDUs say together; given by whoever knows the connection.
    """

    def __init__(self) -> None:
        self.bearer: Bearer | None = None
        self._partial: dict[int, PartialPdu] = {}

    def receive(self, direction: int, payload: bytes, length: int) -> Reassembled:
        """What the log holds of a frame's payload that had this length."""
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
            return Reassembled(is_lost=True)  # more than was announced: something between was lost
        return Reassembled(bytes(partial.data), partial.is_truncated)
