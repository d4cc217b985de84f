"""Puts RTP packets of H.264 (RFC 6184) back into access units, whatever their order. Pure, and bounded in every way.

What is incomplete is left out up to the next IDR, because a decoder would show it wrongly.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from belvedere.errors import BitstreamError
from belvedere.stage.h264 import NalType, join_nal_units, nal_type

MAX_UNIT_BYTES = 2 * 2**20  # of an access unit; an IDR of 1080p at 20 Mbit/s has a tenth of it
MAX_NAL_UNITS = 256  # in an access unit; a picture has a few slices
WAITING_PACKETS = 96  # what waits for a lost packet: 150 ms at 6 Mbit/s, in which it can be sent again
JUMP_PACKETS = 1024  # a sequence number that is further away begins a new stream
LATE_PACKETS = 64  # so many in a row that are older than expected begin a new stream, too
SEQUENCES = 1 << 16
HEADER_BYTES = 12
VERSION, PADDING, EXTENSION, MARKER = 0x80, 0x20, 0x10, 0x80
STAP_A, FU_A = 24, 28
FIRST, LAST = 0x80, 0x40


@dataclass(frozen=True, slots=True)
class Packet:
    """An RTP packet, without what only transport needs.

    Attributes:
        payload_type, sequence, timestamp, ssrc: as in its header.
        is_last: its marker: the last packet of an access unit.
    """

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    is_last: bool
    payload: bytes


def read_packet(data: bytes) -> Packet:
    """Read a decrypted RTP packet. Raises BitstreamError."""
    if len(data) < HEADER_BYTES or data[0] & 0xC0 != VERSION:
        raise BitstreamError("not an RTP packet")
    second, sequence, timestamp, ssrc = struct.unpack_from("!xBHLL", data)
    begin, end = HEADER_BYTES + 4 * (data[0] & 0x0F), len(data)
    if data[0] & EXTENSION and begin + 4 <= end:
        begin += 4 + 4 * int.from_bytes(data[begin + 2 : begin + 4])
    if data[0] & PADDING:
        end -= data[-1]
    if begin > end:
        raise BitstreamError("an RTP packet whose header is longer than itself")
    return Packet(second & 0x7F, sequence, timestamp, ssrc, bool(second & MARKER), data[begin:end])


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One picture in Annex B format, with its RTP timestamp."""

    data: bytes
    timestamp: int
    is_idr: bool


class _Units:
    """The access unit that is being put together, from packets in order."""

    def __init__(self) -> None:
        self._units: list[bytes] = []
        self._fragments: list[bytes] = []
        self._bytes = 0
        self._timestamp = -1
        self.is_broken = True  # it cannot be shown, and nothing can up to the next IDR

    def receive(self, packet: Packet) -> list[AccessUnit]:
        """The access units that this packet completes: one at most, or two where the last had no marker."""
        complete = []
        if packet.timestamp != self._timestamp:
            complete += self._finish()
            self._timestamp = packet.timestamp
        try:
            self._add(packet.payload)
        except BitstreamError:
            self.lose()
        if packet.is_last:
            complete += self._finish()
        return complete

    def lose(self) -> None:
        """A packet is lost: what there is of the access unit is of no use."""
        self._clear()
        self.is_broken = True

    def _add(self, payload: bytes) -> None:
        self._bytes += len(payload)
        if self._bytes > MAX_UNIT_BYTES or len(self._units) >= MAX_NAL_UNITS:
            raise BitstreamError("an access unit that is too large")
        if not payload:
            return
        match payload[0] & 0x1F:
            case 0 | 25 | 26 | 27 | 29 | 30 | 31:
                raise BitstreamError("a packet of a kind that was not negotiated")
            case 24:  # STAP_A
                self._add_aggregate(payload)
            case 28:  # FU_A
                self._add_fragment(payload)
            case _:
                self._units.append(payload)

    def _add_aggregate(self, payload: bytes) -> None:
        position = 1
        while position + 2 < len(payload):
            size = int.from_bytes(payload[position : position + 2])
            unit = payload[position + 2 : position + 2 + size]
            if not size or len(unit) < size or len(self._units) >= MAX_NAL_UNITS:
                raise BitstreamError("an aggregate whose sizes do not add up")
            self._units.append(unit)
            position += 2 + size
        if position != len(payload):
            raise BitstreamError("an aggregate whose sizes do not add up")

    def _add_fragment(self, payload: bytes) -> None:
        if len(payload) < 3:  # noqa: PLR2004 (two bytes of header)
            raise BitstreamError("an empty fragment")
        if payload[1] & FIRST:
            self._fragments = [bytes([payload[0] & 0xE0 | payload[1] & 0x1F])]
        elif not self._fragments:
            raise BitstreamError("a fragment without its beginning")
        self._fragments.append(payload[2:])
        if payload[1] & LAST:
            self._units.append(b"".join(self._fragments))
            self._fragments = []

    def _finish(self) -> list[AccessUnit]:
        units, is_cut_off = self._units, bool(self._fragments)
        self._clear()
        is_idr = any(nal_type(unit) == NalType.IDR for unit in units)
        self.is_broken = is_cut_off or (self.is_broken and not is_idr)
        if self.is_broken or not units:
            return []
        return [AccessUnit(join_nal_units(units), self._timestamp, is_idr)]

    def _clear(self) -> None:
        self._units, self._fragments, self._bytes = [], [], 0


class Depacketizer:
    """One stream, from an IDR on."""

    def __init__(self) -> None:
        self._units = _Units()
        self._waiting: dict[int, Packet] = {}  # by its extended sequence number, which does not wrap
        self._next = -1  # which comes next; -1 before the first
        self._late = 0

    @property
    def is_new(self) -> bool:
        """Whether it has received nothing."""
        return self._next < 0

    @property
    def needs_idr(self) -> bool:
        """Whether nothing can be shown before an IDR comes."""
        return self._units.is_broken

    def receive(self, packet: Packet) -> list[AccessUnit]:
        """The access units that are complete now, in order."""
        if self._next < 0:
            self._next = SEQUENCES + packet.sequence
        ahead = (packet.sequence - self._next + SEQUENCES // 2) % SEQUENCES - SEQUENCES // 2
        self._late = self._late + 1 if ahead < 0 else 0
        if abs(ahead) > JUMP_PACKETS or self._late > LATE_PACKETS:
            self._begin_at(packet)
            ahead = 0
        if ahead < 0:
            return []
        self._waiting[self._next + ahead] = packet
        complete = self._take()
        while len(self._waiting) > WAITING_PACKETS:  # a packet will not come any more
            self._units.lose()
            self._next = min(self._waiting)
            complete += self._take()
        return complete

    def skip_to_idr(self) -> None:
        """Leave out everything up to the next IDR."""
        self._units.lose()

    def missing(self, at_most: int = JUMP_PACKETS) -> list[int]:
        """The first sequence numbers of packets that others wait for, in the order of their sending."""
        if not self._waiting:
            return []
        return [number % SEQUENCES for number in range(self._next, min(*self._waiting, self._next + at_most))]

    def _take(self) -> list[AccessUnit]:
        complete = []
        while (packet := self._waiting.pop(self._next, None)) is not None:
            complete += self._units.receive(packet)
            self._next += 1
        return complete

    def _begin_at(self, packet: Packet) -> None:
        self._units.lose()
        self._waiting.clear()
        self._next = SEQUENCES + packet.sequence
        self._late = 0
