"""Statistics of each stream's values, without keeping the values."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from belvedere.lab.logs.byte_view import Floats, Ints
    from belvedere.lab.logs.connections import Connections
    from belvedere.lab.logs.values import Values

MAX_STREAMS = 5_000
"""A phone's log has dozens. Values of further streams are only counted."""

MAX_BINS = 200_000
"""For all streams together; a stream with a steady interval needs about a hundred."""

BIN = math.log(1.005)
"""Gaps between values are counted in logarithmic bins of 0.5 %; the median is given as the mean of its bin."""

BINS_PER_STREAM = 1 << 13  # 1.005 ** 8192 microseconds is longer than any log
HANDLE_BITS, OPCODE_BITS, DIRECTION_BITS = 16, 8, 2


@dataclass(slots=True)
class StreamStats:
    """Statistics of one stream so far. Times are nanoseconds since the epoch."""

    device: int
    adapter: int
    direction: int
    opcode: int
    handle: int
    first: bytes
    first_frame: int
    first_ns: int
    last: bytes = b""
    last_frame: int = 0
    last_ns: int = 0
    count: int = 0
    truncated: int = 0
    shortest: int = 1 << 16
    longest: int = 0
    gaps: dict[int, tuple[int, float]] = field(default_factory=dict)

    @property
    def median_interval_s(self) -> float | None:
        """The median gap between values, or None without any."""
        left = sum(count for count, _total in self.gaps.values()) / 2
        for _bin, (count, total_us) in sorted(self.gaps.items()):
            left -= count
            if left <= 0:
                return total_us / count / 1e6
        return None


class StreamCounter:
    """The statistics of all streams of a log.

    Attributes:
        uncounted_values: values of streams beyond `MAX_STREAMS`.
    """

    def __init__(self) -> None:
        self.uncounted_values = 0
        self._streams: dict[int, StreamStats] = {}
        self._bins = 0

    @property
    def streams(self) -> list[StreamStats]:
        """In the order of their first values."""
        return list(self._streams.values())

    def receive(self, values: Values, connections: Connections) -> None:
        """Take the values of the next chunk."""
        if not len(values.frame):
            return
        device = np.array([one.device for one in connections.all], np.int64)[values.connection]
        key = (device << DIRECTION_BITS | values.direction) << OPCODE_BITS | values.opcode
        key = key << HANDLE_BITS | values.handle
        order = np.argsort(key, kind="stable")
        keys, starts = np.unique(key[order], return_index=True)
        ends = np.append(starts[1:], len(order))
        time_ns, length = values.time_ns[order], values.length[order]
        gap_us = np.diff(time_ns, prepend=time_ns[0]) / 1000
        shortest, longest = np.minimum.reduceat(length, starts), np.maximum.reduceat(length, starts)
        truncated = np.add.reduceat(values.is_truncated[order].astype(np.int64), starts)
        by_first_value = np.argsort(order[starts], kind="stable").tolist()
        kept = np.full(len(keys), -1, np.int64)
        for index in by_first_value:
            first, last = int(order[starts[index]]), int(order[ends[index] - 1])
            stream = self._stream(int(keys[index]), values, first, connections)
            if stream is None:
                self.uncounted_values += int(ends[index] - starts[index])
                continue
            kept[index] = index
            gap_us[starts[index]] = (int(time_ns[starts[index]]) - stream.last_ns) / 1000 if stream.count else -1
            stream.count += int(ends[index] - starts[index])
            stream.truncated += int(truncated[index])
            stream.shortest = min(stream.shortest, int(shortest[index]))
            stream.longest = max(stream.longest, int(longest[index]))
            stream.last, stream.last_frame = _value(values, last), int(values.frame[last])
            stream.last_ns = int(values.time_ns[last])
        self._count_gaps(keys, np.repeat(kept, ends - starts), gap_us)

    def _stream(self, key: int, values: Values, index: int, connections: Connections) -> StreamStats | None:
        """The stream with this key, added with value `index` as its first; None where there are too many."""
        stream = self._streams.get(key)
        if stream is None and len(self._streams) < MAX_STREAMS:
            connection = connections.all[int(values.connection[index])]
            whose = connection.device, connection.adapter, int(values.direction[index])
            what = int(values.opcode[index]), int(values.handle[index]), _value(values, index)
            stream = StreamStats(*whose, *what, int(values.frame[index]), int(values.time_ns[index]))
            self._streams[key] = stream
        return stream

    def _count_gaps(self, keys: Ints, rank: Ints, gap_us: Floats) -> None:
        """Add each gap to its bin. Negative gaps are skipped: a stream's first value, or a clock that was set back."""
        is_gap = (gap_us >= 0) & (rank >= 0)
        gaps = gap_us[is_gap]
        bins = np.minimum((np.log1p(gaps) / BIN).astype(np.int64), BINS_PER_STREAM - 1)
        unique, inverse = np.unique(rank[is_gap] * BINS_PER_STREAM + bins, return_inverse=True)
        counts, totals = np.bincount(inverse), np.bincount(inverse, weights=gaps)
        for one, count, total in zip(unique.tolist(), counts.tolist(), totals.tolist(), strict=True):
            of_stream = self._streams[int(keys[one // BINS_PER_STREAM])].gaps
            known = of_stream.get(one % BINS_PER_STREAM)
            if known is None:
                if self._bins >= MAX_BINS:
                    continue
                self._bins += 1
                known = (0, 0.0)
            of_stream[one % BINS_PER_STREAM] = known[0] + count, known[1] + total


def _value(values: Values, index: int) -> bytes:
    return values.value(int(values.offset[index]), int(values.length[index]))
