"""Follows a log piece by piece: from packets to the values in them, and what can be told of connections on the way.

Nearly all packets are understood many at a time; the few that need others to be understood are looked at in turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from belvedere.lab.logs import events, frames
from belvedere.lab.logs.channels import Channels
from belvedere.lab.logs.connections import Connections
from belvedere.lab.logs.datalinks import EVENT, RECEIVED, SENT, UNTOLD
from belvedere.lab.logs.frames import CONTINUING, PDU_AT, Assembly, frames_of
from belvedere.lab.logs.values import Values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from belvedere.lab.logs.bearer import Value
    from belvedere.lab.logs.datalinks import Packets
    from belvedere.lab.logs.frames import Frames
    from belvedere.lab.logs.view import Flags, Ints

MOST_REPORTERS = 50_000
"""Advertisers that are known to have been heard; then all are listened to anew."""


class Found(NamedTuple):
    """A value that was found by a look of its own."""

    packet: int  # its index in the piece
    key: int
    direction: int
    value: Value
    is_cut: bool


class Follower:
    """Takes the packets of one log in order, and gives the values.

    Attributes:
        connections: what was learned of them.
        packets: how many were seen; whatever else the log holds is not counted.
        assembly: the frames that are incomplete.
    """

    def __init__(self) -> None:
        self.connections = Connections()
        self.packets = 0
        self.assembly = Assembly()
        self._channels = Channels()
        self._heard: set[int] = set()

    def receive(self, packets: Packets) -> Values:
        """The values in the next piece."""
        self.connections.begin_piece()
        self.packets += int(np.count_nonzero(packets.kind))
        cut = frames_of(packets)
        cut = cut._replace(is_odd=cut.is_odd | self._channels.receive(packets, cut))
        found = self._look(packets, cut)
        plain = np.flatnonzero(cut.is_plain)
        index = np.concatenate((plain, np.array([one.packet for one in found], np.int64)))
        key = np.concatenate((cut.key[plain], np.array([one.key for one in found], np.int64)))
        where = packets.frame[index], packets.time_ns[index], self.connections.of(key, index)
        columns = *where, *_joined(_plain_columns(packets, cut, plain), found)
        apart = [one.value.value for one in found]
        return Values.of(columns, np.argsort(index, kind="stable"), packets.view.data, apart)

    def _look(self, packets: Packets, cut: Frames) -> list[Found]:
        """Look at the packets that need it, one after the other."""
        is_event = self._is_telling(packets)
        odd = np.flatnonzero(is_event | cut.is_odd | self._is_between_fragments(cut))
        length = np.where(is_event[odd], packets.length[odd], cut.held[odd])
        columns = (odd, packets.at[odd], length, cut.is_cut[odd], packets.direction[odd])
        kinds = (is_event[odd], cut.is_odd[odd], cut.is_whole[odd], cut.key[odd])
        found: list[Found] = []
        for index, at, length, is_cut, direction, is_telling, is_odd, is_whole, key in zip(
            *(column.tolist() for column in (*columns, *kinds)), strict=True
        ):
            self.connections.room.frame = int(packets.frame[index])
            data = packets.view.data[at : at + length]
            if is_telling:
                self._receive_event(data, int(packets.adapter[index]), index, int(packets.time_ns[index]))
            elif is_whole:
                self.assembly.end(key, direction)
                if is_odd:
                    found += self._values(index, key, direction, data[frames.ACL_BYTES :])
            else:
                way, frame = self._assembled(key, direction, data, is_cut=is_cut)
                found += self._values(index, key, way, frame) if frame else []
        return found

    def _values(self, index: int, key: int, direction: int, frame: bytes) -> list[Found]:
        """The values in a frame of L2CAP, or in what the log holds of it."""
        length, channel = int.from_bytes(frame[:2], "little"), int.from_bytes(frame[2:4], "little")
        pdu, enhanced = frame[frames.L2CAP_BYTES :], None
        is_cut = len(pdu) < length
        if channel != frames.ATT_CHANNEL:
            span = self._channels.carrying(key, direction, channel, index)
            if span is None:
                return []
            enhanced = span.enhanced
        if enhanced:
            pdu, is_cut, is_lost = enhanced.receive(direction, pdu, length)
            self.assembly.lost += is_lost
        if not pdu:
            return []
        bearer = main = self.connections.at(key).bearer
        if enhanced:
            bearer = enhanced.bearer = enhanced.bearer or main.another()
        values = bearer.receive(direction, pdu)
        main.name = bearer.name or main.name
        return [Found(index, key, direction, value, is_cut) for value in values]

    def _assembled(self, key: int, direction: int, data: bytes, *, is_cut: bool) -> tuple[int, bytes | None]:
        """Take a fragment; returns the frame that it completes, if it does, and its direction."""
        fragment = data[frames.ACL_BYTES :]
        if data[1] >> 4 & 3 != CONTINUING:
            return direction, self.assembly.begin(key, direction, fragment, is_cut=is_cut)
        if direction == UNTOLD:
            direction = next((one for one in (SENT, RECEIVED) if self.assembly.waits(key, one)), UNTOLD)
        return direction, self.assembly.go_on(key, direction, fragment, is_cut=is_cut)

    def _is_between_fragments(self, cut: Frames) -> Flags:
        """Whole frames of connections that have fragments in this piece: each ends what is incomplete."""
        fragmented = cut.is_odd & ~cut.is_whole
        keys = {*self.assembly.keys, *np.unique(cut.key[fragmented]).tolist()}
        if not keys:
            return np.zeros_like(cut.is_whole)
        between: Flags = cut.is_whole & np.isin(cut.key, list(keys))
        return between

    def _receive_event(self, data: bytes, adapter: int, index: int, time_ns: int) -> None:
        for event in events.events_in(data):
            key = self.connections.receive(event, adapter, index, time_ns)
            if key is not None:
                self._channels.end(key, index)
                for direction in (SENT, RECEIVED, UNTOLD):
                    self.assembly.end(key, direction)

    def _is_telling(self, packets: Packets) -> Flags:
        """Events that tell of connections or names."""
        view, at = packets.view, packets.at
        is_event = (packets.kind == EVENT) & (packets.length >= 3)  # noqa: PLR2004 - code, length, first parameter
        code, first = view.u8(at), view.u8(at + 2)
        is_le = is_event & (code == events.LOW_ENERGY)
        is_reset = is_event & (code == events.COMMAND_COMPLETE) & (view.u16(at + 3) == events.RESET)
        telling: Flags = (is_event & np.isin(code, events.TELLING)) | (is_le & np.isin(first, events.TELLING_LE))
        news = self._news(packets, np.flatnonzero(is_le & np.isin(first, events.REPORTS)))
        telling |= is_reset
        telling[news] = True
        return telling

    def _news(self, packets: Packets, reports: Ints) -> Ints:
        """Advertising reports of a kind and length that was not heard from their sender before."""
        if not len(reports):
            return reports
        view, at = packets.view, packets.at[reports]
        is_extended = view.u8(at + 2) == events.LE_EXTENDED_REPORT
        address_at = at + np.where(is_extended, 7, 6)
        address = view.u32(address_at) | view.u16(address_at + 4) << 32
        who = address | (view.u8(at + 4) & 0x7F) << 48 | packets.length[reports] % 256 << 55
        unique, first = np.unique(who, return_index=True)
        if len(self._heard) > MOST_REPORTERS:
            self._heard.clear()
        is_new = [one not in self._heard for one in unique.tolist()]
        self._heard.update(unique.tolist())
        several = np.flatnonzero(view.u8(at + 3) != 1)
        news: Ints = reports[np.union1d(first[is_new], several)]
        return news


def _plain_columns(packets: Packets, cut: Frames, plain: Ints) -> tuple[Ints, ...]:
    """Direction, opcode, handle, place and length of the value, and whether it is cut, of the plain PDUs."""
    view, at = packets.view, packets.at[plain]
    opcode = cut.opcode[plain]
    signature = np.where(opcode == frames.SIGNED_WRITE, frames.SIGNATURE_BYTES, 0)
    head = frames.PLAIN_HEAD_BYTES
    full = np.maximum(0, view.u16(at + frames.ACL_BYTES) - head - signature)
    held = cut.held[plain] - PDU_AT - head
    handle = view.u16(at + PDU_AT + 1)
    is_cut = (held < full).astype(np.int64)
    return packets.direction[plain], opcode, handle, at + PDU_AT + head, np.minimum(full, held), is_cut


def _joined(plain: tuple[Ints, ...], found: Iterable[Found]) -> list[Ints]:
    """The columns of plain PDUs, and those of the others below."""
    rows = [
        (one.direction, one.value.opcode, one.value.handle, -1 - number, len(one.value.value), one.is_cut)
        for number, one in enumerate(found)
    ]
    others = np.array(rows, np.int64).reshape(len(rows), len(plain)).T
    return [np.concatenate((one, other)) for one, other in zip(plain, others, strict=True)]
