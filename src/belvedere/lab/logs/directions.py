"""Infers the direction of packets in captures that do not record it: from packet types, and from boundary flags.

A controller marks the first fragment of every frame with the packet boundary flag 10. A host uses 00 on Low Energy,
and on classic Bluetooth too, unless frames are flushable or its controller supports only 10 (Core 5.4, volume 4,
part E, 5.4.2). So on a classic connection 10 proves nothing until the adapter's host was seen to use 00 on one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from belvedere.lab.logs import events
from belvedere.lab.logs.datalinks import ACL, COMMAND, EVENT, RECEIVED, SENT, UNKNOWN
from belvedere.lab.logs.events import Opened, Reset

if TYPE_CHECKING:
    from belvedere.lab.logs.byte_view import Flags, Ints
    from belvedere.lab.logs.datalinks import Packets

FIRST, FIRST_FLUSHABLE = 0, 2  # boundary flags of a first fragment: 00 and 10
HANDLE = 0xFFF
LE_OPENED = (events.LE_CONNECTION, events.LE_ENHANCED, events.LE_ENHANCED_V2)


class DirectionGuesser:
    """Infers directions through one capture, from its beginning."""

    def __init__(self) -> None:
        self._classic: set[int] = set()
        self._informative: set[int] = set()

    def guess(self, packets: Packets) -> Packets:
        """The next chunk, with the direction set where it can be inferred."""
        is_unknown = packets.direction == UNKNOWN
        if not is_unknown.any():
            return packets
        by_kind = np.select([packets.kind == COMMAND, packets.kind == EVENT], [SENT, RECEIVED], UNKNOWN)
        is_frame = (packets.kind == ACL) & (packets.length > 1)
        guess = np.where(is_frame, self._by_boundary(packets, is_frame), by_kind)
        return packets._replace(direction=np.where(is_unknown, guess, packets.direction))

    def _by_boundary(self, packets: Packets, is_frame: Flags) -> Ints:
        head = packets.view.u16(packets.offset)
        boundary = head >> 12 & 3
        is_classic = self._are_classic(packets, packets.adapter << 12 | head & HANDLE, is_frame)
        self._informative.update(np.unique(packets.adapter[is_frame & is_classic & (boundary == FIRST)]).tolist())
        is_informative = ~is_classic | np.isin(packets.adapter, list(self._informative))
        is_received = (boundary == FIRST_FLUSHABLE) & is_informative
        return np.select([boundary == FIRST, is_received], [SENT, RECEIVED], UNKNOWN)

    def _are_classic(self, packets: Packets, key: Ints, is_frame: Flags) -> Flags:
        """Which frames belong to classic connections; those whose beginning is not in the log count as Low Energy."""
        connection_events = self._connection_events(packets)
        if not self._classic and not connection_events:
            return np.zeros_like(is_frame)
        is_opening = np.zeros_like(is_frame)
        is_opening[connection_events] = True
        found = np.zeros_like(is_frame)
        for index in np.flatnonzero(is_frame | is_opening).tolist():
            if is_opening[index]:
                self._receive(packets, index)
            else:
                found[index] = int(key[index]) in self._classic
        return found

    def _connection_events(self, packets: Packets) -> list[int]:
        """Events that may change which connections are classic.

        Those of Low Energy matter only while there are classic connections, whose handles they may reuse.
        """
        view, offset = packets.view, packets.offset
        is_event = (packets.kind == EVENT) & (packets.length > 2)  # noqa: PLR2004 - code, length, first parameter
        code = view.u8(offset)
        is_classic = is_event & (code == events.CONNECTION)
        if not self._classic and not is_classic.any():
            return []
        is_le = is_event & (code == events.LOW_ENERGY) & np.isin(view.u8(offset + 2), LE_OPENED)
        is_reset = is_event & (code == events.COMMAND_COMPLETE)
        connection_events: list[int] = np.flatnonzero(is_classic | is_le | is_reset).tolist()
        return connection_events

    def _receive(self, packets: Packets, index: int) -> None:
        """A connection was opened, or the adapter was reset."""
        offset, adapter = int(packets.offset[index]), int(packets.adapter[index])
        for event in events.parse_events(packets.view.data[offset : offset + int(packets.length[index])]):
            if isinstance(event, Reset):
                self._classic = {key for key in self._classic if key >> 12 != adapter}
            elif isinstance(event, Opened):
                is_classic = event.interval_ms is None
                (self._classic.add if is_classic else self._classic.discard)(adapter << 12 | event.handle)
