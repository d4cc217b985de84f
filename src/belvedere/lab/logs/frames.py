"""ACL packets as L2CAP frames: which hold a complete ATT PDU, and which are fragments to be reassembled."""

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
CONTINUING = 1  # boundary flag of a continuing fragment; the other flags mark a first one

WRITE_REQUEST, WRITE_COMMAND, SIGNED_WRITE, NOTIFICATION, INDICATION = 0x12, 0x52, 0xD2, 0x1B, 0x1D
SIGNATURE_BYTES = 12  # at the end of a signed write
PLAIN = (WRITE_REQUEST, WRITE_COMMAND, SIGNED_WRITE, NOTIFICATION, INDICATION)
"""PDUs of an opcode, a handle and a value: nearly all of a log, and decodable without any other PDU."""

WITHOUT_VALUE = (
    0x13,
    0x18,
    0x19,
    0x1E,
)  # write response, execute write request and response, confirmation
PLAIN_HEADER_BYTES = 3

MAX_HANDLE = 0x0EFF
"""Of a connection (Core 5.4, volume 4, part E, 5.4.2); vendors send debugging output on those above."""

MAX_INCOMPLETE = 512
"""Incomplete frames at a time: a host has one per connection and direction, of at most 64 KiB each."""


class Frames(NamedTuple):
    """ACL packets as frames; each field has one entry per packet of `Packets`, meaningless for packets other than ACL.

    Attributes:
        key: adapter number and connection handle, combined into one number.
        is_first_fragment: whether a frame begins here.
        is_whole: whether the packet is a complete frame, even if truncated in the log.
        is_plain: whether it is a complete `PLAIN` PDU whose handle is in the log.
        captured: how many bytes of the packet the log holds, without padding behind the length that the packet states.
        is_truncated: whether the log holds less than that length.
        needs_decoding: whether it must be decoded individually.
        is_signalling: whether it is a complete frame of a signalling channel.
        channel: the L2CAP channel of a complete frame; otherwise 0.
        opcode: of a complete ATT PDU.
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
    """Classify all packets at once."""
    view, offset = packets.view, packets.offset
    is_acl = (packets.kind == ACL) & (packets.length >= ACL_BYTES)
    head, carried = view.u16(offset), view.u16(offset + 2)
    is_acl &= (head & 0xFFF) <= MAX_HANDLE
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
    """Reassembles frames from fragments, separately for each connection and direction.

    A frame with a missing or truncated fragment is dropped, at the latest when another begins; `lost` counts those.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._incomplete: dict[tuple[int, int], bytearray] = {}

    @property
    def keys(self) -> set[int]:
        """The keys of connections with an incomplete frame."""
        return {key for key, _direction in self._incomplete}

    def begin(self, key: int, direction: int, data: bytes, *, is_truncated: bool) -> bytes | None:
        """Take a first fragment; returns the frame if it is complete."""
        self.end(key, direction)
        if is_truncated:
            self.lost += 1
            return None
        if len(self._incomplete) >= MAX_INCOMPLETE:
            self.end(*next(iter(self._incomplete)))
        self._incomplete[key, direction] = bytearray(data)
        return self._if_complete(key, direction)

    def append(self, key: int, direction: int, data: bytes, *, is_truncated: bool) -> bytes | None:
        """Take a continuing fragment; returns the frame if it is complete."""
        incomplete = self._incomplete.get((key, direction))
        if incomplete is None:
            return None
        if is_truncated:
            self.end(key, direction)
            return None
        incomplete += data
        return self._if_complete(key, direction)

    def end(self, key: int, direction: int) -> None:
        """Drop an incomplete frame, if there is one."""
        if self._incomplete.pop((key, direction), None) is not None:
            self.lost += 1

    def is_incomplete(self, key: int, direction: int) -> bool:
        """Whether there is an incomplete frame."""
        return (key, direction) in self._incomplete

    def _if_complete(self, key: int, direction: int) -> bytes | None:
        incomplete = self._incomplete[key, direction]
        if len(incomplete) < L2CAP_BYTES:
            return None
        missing = L2CAP_BYTES + int.from_bytes(incomplete[:2], "little") - len(incomplete)
        if missing < 0:
            self.end(key, direction)  # longer than its header states: a fragment in between was lost
        if missing:
            return None
        return bytes(self._incomplete.pop((key, direction)))
