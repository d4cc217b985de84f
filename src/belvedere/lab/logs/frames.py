"""ACL packets as frames of L2CAP: which hold a whole attribute PDU, and what has to be put together first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from belvedere.lab.logs.datalinks import ACL

if TYPE_CHECKING:
    from belvedere.lab.logs.byte_view import Flags, Ints
    from belvedere.lab.logs.datalinks import Packets

ACL_BYTES = 4  # handle with flags, length
L2CAP_BYTES = 4  # length, channel
PDU_AT = ACL_BYTES + L2CAP_BYTES
SIGNALLING_CHANNEL, ATT_CHANNEL, LE_SIGNALLING_CHANNEL = 1, 4, 5
CONTINUING = 1  # the boundary flag of a fragment that goes on; others begin

WRITE_REQUEST, WRITE_COMMAND, SIGNED_WRITE, NOTIFICATION, INDICATION = 0x12, 0x52, 0xD2, 0x1B, 0x1D
SIGNATURE_BYTES = 12  # end a signed write
PLAIN = (WRITE_REQUEST, WRITE_COMMAND, SIGNED_WRITE, NOTIFICATION, INDICATION)
"""PDUs that are an opcode, a handle and a value: nearly all of a log, and understood without any other."""

WITHOUT_VALUE = (
    0x13,
    0x18,
    0x19,
    0x1E,
)  # write response, execute write and its response, confirmation: nothing in them
PLAIN_HEADER_BYTES = 3

MAX_INCOMPLETE = 512
"""Frames that may be incomplete at a time; a host has one a connection and direction. Each is 64 KiB at most."""


class Frames(NamedTuple):
    """What ACL packets are; each field has one entry a packet of `Packets`, meaningless where it is none of ACL.

    Attributes:
        key: the adapter's number and the connection's handle in one number.
        is_first_fragment: whether a frame begins here.
        is_whole: whether one packet is the whole frame, be it cut in the log or not.
        is_plain: whether it is a whole `PLAIN` PDU, with at least its handle in the log.
        captured: bytes of the packet in the log, without what may follow it there: the packet says how long it is.
        is_truncated: whether the log holds less of the packet than that says.
        needs_decoding: whether it needs a look of its own.
        is_signalling: whether it is a whole frame of a signalling channel.
        channel: of a frame that is whole; elsewhere 0.
        opcode: of the attribute PDU, where one is whole.
    """

    key: Ints
    is_first_fragment: Flags
    is_whole: Flags
    is_plain: Flags
    captured: Ints
    is_truncated: Flags
    needs_decoding: Flags
    is_signalling: Flags
    channel: Ints
    opcode: Ints


def frames_of(packets: Packets) -> Frames:
    """Look at every packet at once."""
    view, offset = packets.view, packets.offset
    is_acl = (packets.kind == ACL) & (packets.length >= ACL_BYTES)
    head, carried = view.u16(offset), view.u16(offset + 2)
    is_first_fragment = is_acl & ((head >> 12 & 3) != CONTINUING)
    is_headed = is_first_fragment & (packets.length >= PDU_AT)
    is_whole = is_headed & (view.u16(offset + ACL_BYTES) + L2CAP_BYTES == carried)
    captured = np.minimum(packets.length, ACL_BYTES + carried)
    opcode = view.u8(offset + PDU_AT)
    channel = np.where(is_whole & (captured > PDU_AT), view.u16(offset + 6), 0)
    is_att = channel == ATT_CHANNEL
    has_handle = captured >= PDU_AT + PLAIN_HEADER_BYTES
    is_plain = is_att & np.isin(opcode, PLAIN) & has_handle
    needs_decoding = (is_acl & ~is_whole) | (is_att & ~is_plain & ~np.isin(opcode, WITHOUT_VALUE))
    key = packets.adapter << 12 | head & 0xFFF
    is_truncated = is_acl & (captured < ACL_BYTES + carried)
    is_signalling = (channel == SIGNALLING_CHANNEL) | (channel == LE_SIGNALLING_CHANNEL)
    return Frames(
        key,
        is_first_fragment,
        is_whole,
        is_plain,
        captured,
        is_truncated,
        needs_decoding,
        is_signalling,
        channel,
        opcode,
    )


class FrameReassembler:
    """Puts frames together from their fragments, for each connection and direction by itself.

    A frame whose next fragment is lost or cut ends when another begins; `lost` counts those.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._incomplete: dict[tuple[int, int], bytearray] = {}

    @property
    def keys(self) -> set[int]:
        """Connections with an incomplete frame."""
        return {key for key, _direction in self._incomplete}

    def begin(self, key: int, direction: int, data: bytes, *, is_truncated: bool) -> bytes | None:
        """A fragment begins a frame; returns the frame if that is all of it."""
        self.end(key, direction)
        if is_truncated:
            self.lost += 1
            return None
        if len(self._incomplete) >= MAX_INCOMPLETE:
            self.end(*next(iter(self._incomplete)))
        self._incomplete[key, direction] = bytearray(data)
        return self._if_complete(key, direction)

    def append(self, key: int, direction: int, data: bytes, *, is_truncated: bool) -> bytes | None:
        """A fragment goes on; returns the frame if it ends here."""
        incomplete = self._incomplete.get((key, direction))
        if incomplete is None:
            return None
        if is_truncated:
            self.end(key, direction)
            return None
        incomplete += data
        return self._if_complete(key, direction)

    def end(self, key: int, direction: int) -> None:
        """Whatever waits there is never completed."""
        if self._incomplete.pop((key, direction), None) is not None:
            self.lost += 1

    def is_incomplete(self, key: int, direction: int) -> bool:
        """Whether a frame is incomplete."""
        return (key, direction) in self._incomplete

    def _if_complete(self, key: int, direction: int) -> bytes | None:
        incomplete = self._incomplete[key, direction]
        if len(incomplete) < L2CAP_BYTES:
            return None
        missing = L2CAP_BYTES + int.from_bytes(incomplete[:2], "little") - len(incomplete)
        if missing < 0:
            self.end(key, direction)  # longer than it said: something between was lost
        if missing:
            return None
        return bytes(self._incomplete.pop((key, direction)))
