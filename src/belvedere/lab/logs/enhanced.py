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
class Waiting:
    """A PDU that is not complete: what the log holds of it up to the first gap, and how much of it is still to come."""

    data: bytearray
    missing: int
    is_cut: bool = False


class Outcome(NamedTuple):
    """What came of a frame: a PDU that is complete with it, or b"" without one; `is_lost` if it cannot be one."""

    pdu: bytes = b""
    is_cut: bool = False
    is_lost: bool = False


class Enhanced:
    """Both directions of one channel.

    Attributes:
        bearer: what its PDUs say together; given by whoever knows the connection.
    """

    def __init__(self) -> None:
        self.bearer: Bearer | None = None
        self._waiting: dict[int, Waiting] = {}

    def receive(self, direction: int, payload: bytes, length: int) -> Outcome:
        """What the log holds of a frame's payload that had this length."""
        waiting = self._waiting.pop(direction, None)
        if waiting is None:
            if len(payload) < LENGTH_BYTES:
                return Outcome(is_lost=True)
            waiting = Waiting(bytearray(), int.from_bytes(payload[:LENGTH_BYTES], "little"))
            payload, length = payload[LENGTH_BYTES:], length - LENGTH_BYTES
        if not waiting.is_cut:
            waiting.data += payload
        waiting.is_cut |= len(payload) < length
        waiting.missing -= length
        if waiting.missing > 0:
            self._waiting[direction] = waiting
            return Outcome()
        if waiting.missing < 0:
            return Outcome(is_lost=True)  # more than was announced: something between was lost
        return Outcome(bytes(waiting.data), waiting.is_cut)
