"""Extracts the attribute values from a log's packets, chunk by chunk, and tracks connections on the way.

Nearly all packets are decoded many at a time with numpy; the few that depend on others are decoded one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from belvedere.lab.logs import events, frames
from belvedere.lab.logs.channels import ChannelTracker
from belvedere.lab.logs.connections import Connections
from belvedere.lab.logs.datalinks import EVENT, RECEIVED, SENT, UNKNOWN
from belvedere.lab.logs.frames import CONTINUING, PDU_AT, FrameReassembler, frames_of
from belvedere.lab.logs.values import Values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from belvedere.lab.logs.bearer import AttributeValue
    from belvedere.lab.logs.byte_view import Flags, Ints
    from belvedere.lab.logs.datalinks import Packets
    from belvedere.lab.logs.frames import Frames

MAX_REPORTS = 50_000
"""Advertising reports remembered as seen; beyond that the memory is cleared and all are decoded again."""


class ExtractedValue(NamedTuple):
    """A value from a packet that was decoded individually."""

    packet: int  # its index in the chunk
    key: int
    direction: int
    value: AttributeValue
    is_truncated: bool


class ValueExtractor:
    """Takes the packets of one log in order, and returns their values.

    Attributes:
        connections: all connections so far.
        packets: how many HCI packets there were; other records are not counted.
        reassembler: holds the incomplete frames.
    """

    def __init__(self) -> None:
        self.connections = Connections()
        self.packets = 0
        self.reassembler = FrameReassembler()
        self._channels = ChannelTracker()
        self._seen_reports: set[int] = set()

    def receive(self, packets: Packets) -> Values:
        """The values in the next chunk."""
        self.connections.begin_chunk()
        self.packets += int(np.count_nonzero(packets.kind))
        framing = frames_of(packets)
        framing = framing._replace(needs_decoding=framing.needs_decoding | self._channels.receive(packets, framing))
        found = self._decode_individually(packets, framing)
        plain = np.flatnonzero(framing.is_plain)
        index = np.concatenate((plain, np.array([one.packet for one in found], np.int64)))
        key = np.concatenate((framing.key[plain], np.array([one.key for one in found], np.int64)))
        where = packets.frame[index], packets.time_ns[index], self.connections.connections_for(key, index)
        columns = *where, *_joined(_plain_columns(packets, framing, plain), found)
        separate = [one.value.value for one in found]
        return Values.from_columns(columns, np.argsort(index, kind="stable"), packets.view.data, separate)

    def _decode_individually(self, packets: Packets, framing: Frames) -> list[ExtractedValue]:
        """Decode the packets that depend on others, in order."""
        is_event = self._relevant_events(packets)
        odd = np.flatnonzero(is_event | framing.needs_decoding | self._is_between_fragments(framing))
        length = np.where(is_event[odd], packets.length[odd], framing.captured[odd])
        columns = (odd, packets.offset[odd], length, framing.is_truncated[odd], packets.direction[odd])
        kinds = (is_event[odd], framing.needs_decoding[odd], framing.is_whole[odd], framing.key[odd])
        found: list[ExtractedValue] = []
        for index, offset, length, is_truncated, direction, is_relevant_event, needs_decoding, is_whole, key in zip(
            *(column.tolist() for column in (*columns, *kinds)), strict=True
        ):
            self.connections.context.frame = int(packets.frame[index])
            data = packets.view.data[offset : offset + length]
            if is_relevant_event:
                self._receive_event(data, int(packets.adapter[index]), index, int(packets.time_ns[index]))
            elif is_whole:
                self.reassembler.end(key, direction)
                if needs_decoding:
                    found += self._values_in_frame(index, key, direction, data[frames.ACL_BYTES :])
            else:
                frame_direction, frame = self._reassembled(key, direction, data, is_truncated=is_truncated)
                found += self._values_in_frame(index, key, frame_direction, frame) if frame else []
        return found

    def _values_in_frame(self, index: int, key: int, direction: int, frame: bytes) -> list[ExtractedValue]:
        """The values in an L2CAP frame, as far as the log holds it."""
        length, channel = int.from_bytes(frame[:2], "little"), int.from_bytes(frame[2:4], "little")
        pdu, enhanced = frame[frames.L2CAP_BYTES :], None
        is_truncated = len(pdu) < length
        if channel != frames.ATT_CHANNEL:
            span = self._channels.find(key, direction, channel, index)
            if span is None:
                return []
            enhanced = span.enhanced
        if enhanced:
            pdu, is_truncated, is_lost = enhanced.receive(direction, pdu, length)
            self.reassembler.lost += is_lost
        if not pdu:
            return []
        bearer = main = self.connections.current(key).bearer
        if enhanced:
            bearer = enhanced.bearer = enhanced.bearer or main.new_channel()
        values = bearer.receive(direction, pdu)
        main.name = bearer.name or main.name
        return [ExtractedValue(index, key, direction, value, is_truncated) for value in values]

    def _reassembled(self, key: int, direction: int, data: bytes, *, is_truncated: bool) -> tuple[int, bytes | None]:
        """Take a fragment; returns its direction, and the frame if it completes one."""
        fragment = data[frames.ACL_BYTES :]
        if data[1] >> 4 & 3 != CONTINUING:
            return direction, self.reassembler.begin(key, direction, fragment, is_truncated=is_truncated)
        if direction == UNKNOWN:
            direction = next((one for one in (SENT, RECEIVED) if self.reassembler.is_incomplete(key, one)), UNKNOWN)
        return direction, self.reassembler.append(key, direction, fragment, is_truncated=is_truncated)

    def _is_between_fragments(self, framing: Frames) -> Flags:
        """Complete frames of connections with fragments: each ends an incomplete frame, so the order matters."""
        fragmented = framing.needs_decoding & ~framing.is_whole
        keys = {*self.reassembler.keys, *np.unique(framing.key[fragmented]).tolist()}
        if not keys:
            return np.zeros_like(framing.is_whole)
        between: Flags = framing.is_whole & np.isin(framing.key, list(keys))
        return between

    def _receive_event(self, data: bytes, adapter: int, index: int, time_ns: int) -> None:
        for event in events.parse_events(data):
            key = self.connections.receive(event, adapter, index, time_ns)
            if key is not None:
                self._channels.end(key, index)
                for direction in (SENT, RECEIVED, UNKNOWN):
                    self.reassembler.end(key, direction)

    def _relevant_events(self, packets: Packets) -> Flags:
        """Which packets are events about connections or names."""
        view, offset = packets.view, packets.offset
        is_event = (packets.kind == EVENT) & (packets.length >= 3)  # noqa: PLR2004 - code, length, first parameter
        code, first = view.u8(offset), view.u8(offset + 2)
        is_le = is_event & (code == events.LOW_ENERGY)
        is_reset = is_event & (code == events.COMMAND_COMPLETE) & (view.u16(offset + 3) == events.RESET)
        relevant: Flags = (is_event & np.isin(code, events.CLASSIC_EVENTS)) | (is_le & np.isin(first, events.LE_EVENTS))
        new_reports = self._new_reports(packets, np.flatnonzero(is_le & np.isin(first, events.REPORTS)))
        relevant |= is_reset
        relevant[new_reports] = True
        return relevant

    def _new_reports(self, packets: Packets, reports: Ints) -> Ints:
        """Advertising reports that differ in type or length from the sender's earlier ones.

        Most of a log may be reports that repeat; decoding each for a name that is known would be slow.
        """
        if not len(reports):
            return reports
        view, offset = packets.view, packets.offset[reports]
        is_extended = view.u8(offset + 2) == events.LE_EXTENDED_REPORT
        address_at = offset + np.where(is_extended, 7, 6)
        address = view.u32(address_at) | view.u16(address_at + 4) << 32
        who = address | (view.u8(offset + 4) & 0x7F) << 48 | packets.length[reports] % 256 << 55
        unique, first = np.unique(who, return_index=True)
        if len(self._seen_reports) > MAX_REPORTS:
            self._seen_reports.clear()
        is_new = [one not in self._seen_reports for one in unique.tolist()]
        self._seen_reports.update(unique.tolist())
        several = np.flatnonzero(view.u8(offset + 3) != 1)
        new_reports: Ints = reports[np.union1d(first[is_new], several)]
        return new_reports


def _plain_columns(packets: Packets, framing: Frames, plain: Ints) -> tuple[Ints, ...]:
    """Direction, opcode, handle, offset and length of the value, and whether it is truncated, for the plain PDUs."""
    view, offset = packets.view, packets.offset[plain]
    opcode = framing.opcode[plain]
    signature = np.where(opcode == frames.SIGNED_WRITE, frames.SIGNATURE_BYTES, 0)
    head = frames.PLAIN_HEADER_BYTES
    full = np.maximum(0, view.u16(offset + frames.ACL_BYTES) - head - signature)
    captured = framing.captured[plain] - PDU_AT - head
    handle = view.u16(offset + PDU_AT + 1)
    is_truncated = (captured < full).astype(np.int64)
    return packets.direction[plain], opcode, handle, offset + PDU_AT + head, np.minimum(full, captured), is_truncated


def _joined(plain: tuple[Ints, ...], found: Iterable[ExtractedValue]) -> list[Ints]:
    """The columns of the plain PDUs, followed by those of the individually decoded values."""
    rows = [
        (one.direction, one.value.opcode, one.value.handle, -1 - number, len(one.value.value), one.is_truncated)
        for number, one in enumerate(found)
    ]
    others = np.array(rows, np.int64).reshape(len(rows), len(plain)).T
    return [np.concatenate((one, other)) for one, other in zip(plain, others, strict=True)]
