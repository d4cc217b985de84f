"""Tracks the dynamic L2CAP channels that carry ATT, from the signalling channel that opens and closes them.

Low Energy has a fixed channel for ATT; classic Bluetooth opens one, with a channel ID (CID) of each side's choice.
Both may open enhanced channels (Core 5.4, volume 3, part A, 4).
"""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from belvedere.lab.logs.datalinks import OPPOSITE, RECEIVED, SENT, UNKNOWN
from belvedere.lab.logs.enhanced import EnhancedChannel
from belvedere.lab.logs.frames import PDU_AT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from belvedere.lab.logs.byte_view import Flags
    from belvedere.lab.logs.datalinks import Packets
    from belvedere.lab.logs.frames import Frames

ATT_PSM, EATT_PSM = 0x001F, 0x0027  # protocol/service multiplexers
CONNECTION_REQUEST, CONNECTION_RESPONSE, DISCONNECTION_RESPONSE = 0x02, 0x03, 0x07
CREDIT_REQUEST, CREDIT_RESPONSE = 0x17, 0x18  # enhanced: these open several channels at once
CREDIT_HEADER_NUMBERS = 4  # 16-bit fields of these commands before the CIDs
REFUSED = 0  # in place of a CID: this channel was not opened
SUCCESS, PENDING = 0, 1
COMMAND_BYTES = 4  # code, identifier, length
MAX_REQUESTS = 512
"""Requests without a response that are remembered."""
MAX_OPEN_ENDPOINTS = 128
"""Channel endpoints open at once, in a whole log. Phones open a few; a log with more is damaged or malicious."""

BEFORE_CHUNK = -1  # index of the opening packet of a channel that was open before this chunk
DIRECTIONS = SENT, RECEIVED, UNKNOWN

Service = TypeVar("Service")


class Span(NamedTuple):
    """A channel in one direction, and the range of a chunk's packets in which it is open."""

    key: int
    direction: int
    channel: int
    first: int
    end: int
    enhanced: EnhancedChannel | None


class ChannelTracker:
    """Tracks the signalling of every connection of a log."""

    def __init__(self) -> None:
        self._requested: dict[tuple[int, int, int], int] = {}
        self._requested_enhanced: dict[tuple[int, int, int], tuple[int, ...]] = {}
        self._open: dict[tuple[int, int, int], tuple[int, EnhancedChannel | None]] = {}
        # Of this chunk, by connection, then by channel and direction; the spans of one channel do not overlap.
        self._spans: dict[int, dict[tuple[int, int], list[Span]]] = {}

    def receive(self, packets: Packets, framing: Frames) -> Flags:
        """Take the next chunk; returns which of its packets are complete frames on open ATT channels."""
        self._open = {channel: (BEFORE_CHUNK, enhanced) for channel, (_first, enhanced) in self._open.items()}
        self._spans = {}
        for index in np.flatnonzero(framing.is_signalling).tolist():
            offset = int(packets.offset[index])
            data = packets.view.data[offset + PDU_AT : offset + int(framing.captured[index])]
            self._receive_signalling(int(framing.key[index]), int(packets.direction[index]), bytes(data), index)
        count = len(packets.offset)
        for endpoint, (first, enhanced) in self._open.items():
            self._keep(Span(*endpoint, first, count, enhanced))
        found = np.zeros(count, bool)
        for span in [span for by_end in self._spans.values() for spans in by_end.values() for span in spans]:
            part = slice(max(0, span.first), span.end)
            is_same_way = np.isin(packets.direction[part], _compatible_directions(span.direction))
            is_same = (framing.key[part] == span.key) & (framing.channel[part] == span.channel)
            found[part] |= is_same & is_same_way
        return found

    def find(self, key: int, direction: int, channel: int, index: int) -> Span | None:
        """The ATT channel of a frame of this chunk that this packet completes; None if its channel is not one."""
        by_end = self._spans.get(key, {})
        for recorded in DIRECTIONS:
            spans = by_end.get((channel, recorded), ())
            position = _open_after(spans, index) if direction in _compatible_directions(recorded) else len(spans)
            if position < len(spans) and spans[position].first <= index:
                return spans[position]
        return None

    def end(self, key: int, index: int) -> None:
        """This packet of the current chunk closed the connection, or opened another with the same handle."""
        self._open = {
            channel: (first, enhanced)
            for channel, (first, enhanced) in self._open.items()
            if channel[0] != key or first >= index
        }
        for spans in self._spans.get(key, {}).values():
            position = _open_after(spans, index)
            if position < len(spans) and spans[position].first < index:
                spans[position] = spans[position]._replace(end=index)

    def _receive_signalling(self, key: int, direction: int, data: bytes, index: int) -> None:
        for code, identifier, numbers in _commands(data):
            if code == CONNECTION_REQUEST:
                _remember(self._requested, (key, direction, numbers[1]), numbers[0])
            elif code == CREDIT_REQUEST:
                requested = numbers[CREDIT_HEADER_NUMBERS:] if numbers[0] == EATT_PSM else ()
                _remember(self._requested_enhanced, (key, direction, identifier), requested)
            elif code == CONNECTION_RESPONSE:
                self._receive_connection_response(key, direction, numbers, index)
            elif code == CREDIT_RESPONSE:
                requested = self._requested_enhanced.pop((key, OPPOSITE[direction], identifier), ())
                for pair in zip(numbers[CREDIT_HEADER_NUMBERS:], requested, strict=False):
                    if pair[0] != REFUSED:
                        self._begin(key, direction, pair, index, EnhancedChannel())
            elif code == DISCONNECTION_RESPONSE:
                self._close(key, direction, (numbers[0], numbers[1]), index)

    def _receive_connection_response(self, key: int, direction: int, numbers: tuple[int, ...], index: int) -> None:
        """A response names its sender's endpoint first."""
        local, remote, result = (*numbers, PENDING)[:3]
        requested = key, OPPOSITE[direction], remote
        service = self._requested.get(requested)
        if result != PENDING:
            self._requested.pop(requested, None)
        if result == SUCCESS and service == ATT_PSM:
            self._begin(key, direction, (local, remote), index, None)
        elif result == SUCCESS:
            self._close(key, direction, (local, remote), index)

    def _begin(
        self, key: int, direction: int, pair: tuple[int, int], index: int, enhanced: EnhancedChannel | None
    ) -> None:
        """Open both directions of a channel. A frame carries the CID of its receiver, so each direction has its own."""
        self._close(key, direction, pair, index)
        self._open[key, OPPOSITE[direction], pair[0]] = index, enhanced
        self._open[key, direction, pair[1]] = index, enhanced
        while len(self._open) > MAX_OPEN_ENDPOINTS:
            self._close_end(next(iter(self._open)), index)

    def _close(self, key: int, direction: int, pair: tuple[int, int], index: int) -> None:
        for endpoint in ((key, OPPOSITE[direction], pair[0]), (key, direction, pair[1])):
            self._close_end(endpoint, index)

    def _close_end(self, endpoint: tuple[int, int, int], index: int) -> None:
        if endpoint in self._open:
            first, enhanced = self._open.pop(endpoint)
            self._keep(Span(*endpoint, first, index, enhanced))

    def _keep(self, span: Span) -> None:
        if span.first < span.end:
            self._spans.setdefault(span.key, {}).setdefault((span.channel, span.direction), []).append(span)


def _open_after(spans: Sequence[Span], index: int) -> int:
    """The index of the first span that is still open after this packet."""
    return bisect_right(spans, index, key=attrgetter("end"))


def _remember(requested: dict[tuple[int, int, int], Service], which: tuple[int, int, int], service: Service) -> None:
    if len(requested) >= MAX_REQUESTS:
        requested.pop(next(iter(requested)))
    requested[which] = service


def _commands(data: bytes) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Code, identifier and 16-bit fields of each command that has at least two fields."""
    while len(data) >= COMMAND_BYTES:
        code, identifier, length = data[0], data[1], int.from_bytes(data[2:4], "little")
        body = data[COMMAND_BYTES : COMMAND_BYTES + length]
        numbers = tuple(int.from_bytes(body[offset : offset + 2], "little") for offset in range(0, len(body) - 1, 2))
        if len(numbers) > 1:
            yield code, identifier, numbers
        data = data[COMMAND_BYTES + length :]


def _compatible_directions(direction: int) -> tuple[int, ...]:
    """The directions under which frames of this one may be recorded: a capture may leave any of them unknown."""
    return DIRECTIONS if direction == UNKNOWN else (direction, UNKNOWN)
