"""Channels of classic Bluetooth that carry attributes: the signalling channel says which, from when, and until when.

Low Energy always uses the same channel for attributes; classic Bluetooth opens one, with a number of each side's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from belvedere.lab.logs.datalinks import OPPOSITE, RECEIVED, SENT, UNTOLD
from belvedere.lab.logs.frames import PDU_AT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from belvedere.lab.logs.datalinks import Packets
    from belvedere.lab.logs.frames import Frames
    from belvedere.lab.logs.view import Flags

ATTRIBUTES = 0x001F  # the number of the service (PSM)
CONNECTION_REQUEST, CONNECTION_RESPONSE, DISCONNECTION_RESPONSE = 0x02, 0x03, 0x07
SUCCESS, PENDING = 0, 1
COMMAND_BYTES = 4  # code, identifier, length
MOST_ASKED = 512
"""Requests without an answer that are remembered."""

BEFORE = -1  # the piece


class Span(NamedTuple):
    """A channel, as frames in one direction name it, and the packets of a piece between which it is open."""

    key: int
    direction: int
    channel: int
    first: int
    end: int


class Channels:
    """Follows the signalling of every connection of a log."""

    def __init__(self) -> None:
        self._asked: dict[tuple[int, int, int], int] = {}
        self._open: dict[tuple[int, int, int], int] = {}
        self._spans: list[Span] = []

    def receive(self, packets: Packets, cut: Frames) -> Flags:
        """Which packets of the next piece are whole frames of attributes on channels that were opened."""
        self._open = dict.fromkeys(self._open, BEFORE)
        self._spans = []
        for index in np.flatnonzero(cut.is_signalling).tolist():
            at = int(packets.at[index])
            data = packets.view.data[at + PDU_AT : at + int(cut.held[index])]
            self._receive_signalling(int(cut.key[index]), int(packets.direction[index]), bytes(data), index)
        count = len(packets.at)
        self._spans += [Span(*channel, first, count) for channel, first in self._open.items()]
        found = np.zeros(count, bool)
        for span in self._spans:
            part = slice(max(0, span.first), span.end)
            is_same_way = np.isin(packets.direction[part], _ways(span.direction))
            is_same = (cut.key[part] == span.key) & (cut.channel[part] == span.channel)
            found[part] |= is_same & is_same_way
        return found

    def carries(self, key: int, direction: int, channel: int, index: int) -> bool:
        """Whether a frame of this piece that ends with this packet holds attributes."""
        return any(
            (span.key, span.channel) == (key, channel)
            and span.first <= index < span.end
            and direction in _ways(span.direction)
            for span in self._spans
        )

    def end(self, key: int, index: int) -> None:
        """The connection ended, or another began, with this packet of the piece that was received last."""
        self._open = {channel: first for channel, first in self._open.items() if channel[0] != key or first >= index}

    def _receive_signalling(self, key: int, direction: int, data: bytes, index: int) -> None:
        for code, (first, second, *more) in _commands(data):
            if code == CONNECTION_REQUEST:
                if len(self._asked) >= MOST_ASKED:
                    self._asked.pop(next(iter(self._asked)))
                self._asked[key, direction, second] = first
            elif code == CONNECTION_RESPONSE and more:
                # The answer names its sender's end first: frames of whoever asked name that one.
                asked = key, OPPOSITE[direction], second
                service = self._asked.get(asked)
                if more[0] != PENDING:
                    self._asked.pop(asked, None)
                if more[0] == SUCCESS:
                    self._switch((key, OPPOSITE[direction], first), index, on=service == ATTRIBUTES)
                    self._switch((key, direction, second), index, on=service == ATTRIBUTES)
            elif code == DISCONNECTION_RESPONSE:
                self._switch((key, OPPOSITE[direction], first), index, on=False)
                self._switch((key, direction, second), index, on=False)

    def _switch(self, channel: tuple[int, int, int], index: int, *, on: bool) -> None:
        first = self._open.pop(channel, None)
        if first is not None:
            self._spans.append(Span(*channel, first, index))
        if on:
            self._open[channel] = index


def _commands(data: bytes) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The code and the numbers of each command that has at least two of them."""
    while len(data) >= COMMAND_BYTES:
        code, length = data[0], int.from_bytes(data[2:4], "little")
        body = data[COMMAND_BYTES : COMMAND_BYTES + length]
        numbers = tuple(int.from_bytes(body[at : at + 2], "little") for at in range(0, len(body) - 1, 2))
        if len(numbers) > 1:
            yield code, numbers
        data = data[COMMAND_BYTES + length :]


def _ways(direction: int) -> tuple[int, ...]:
    """Directions that a frame may be told to have where it goes in this one."""
    return (SENT, RECEIVED, UNTOLD) if direction == UNTOLD else (direction, UNTOLD)
