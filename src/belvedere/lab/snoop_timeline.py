"""Draws the values of each handle over time: a lane per stream in it, a row per byte, a colour per value of the byte.

A constant byte is one bar, a counter a rainbow, and a byte that is steered changes when somebody steers. Above each
lane is the number of bytes over time. Long silences are cut out. The drawing is SVG, which needs no library.
"""

from __future__ import annotations

import colorsys
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from belvedere.errors import OwnerError
from belvedere.lab.labels import uuid_label
from belvedere.lab.logs.analysis import logged_values
from belvedere.lab.logs.values import DIRECTION_LABELS, OPCODE_LABELS
from belvedere.lab.snoop_view import ARROWS, format_duration, sort_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from belvedere.lab.logs.analysis import LogAnalysis, Selection
    from belvedere.lab.logs.byte_view import Ints
    from belvedere.lab.logs.summary import StreamSummary

COLUMNS, COLUMN = 600, 2  # of the time axis, and the width of one in pixels
LEFT, TOP, RIGHT = 40, 64, 20  # margins
TITLE, STRIP_HEIGHT, ROW, SPACE = 18, 24, 10, 18  # heights in a lane: title, bytes over time, one byte, space below
MAX_LANES = 24  # more would be unreadable; what the host sent and the busiest are drawn
MAX_ROWS = 32  # bytes of a value that are drawn

TICK_NS = 100_000_000
MAX_TICKS = 1_000_000  # that contain values; more than a day without a pause
SILENCE_TICKS = 50  # a longer silence is cut out
GAP_COLUMNS = 6  # columns left free where a silence is cut out
MAX_SPANS = 50  # with more of them, nothing is cut out

Spans = list[tuple[int, int]]
"""Begin and end, in nanoseconds, of each time span with values."""


class Lane(NamedTuple):
    """One stream: by column, the number of bytes and the last value."""

    stream: StreamSummary
    sizes: dict[int, int]
    values: dict[int, bytes]


def draw_timeline(
    analysis: LogAnalysis, selection: Selection, on_progress: Callable[[int], None] = lambda _bytes: None
) -> str:
    """The drawing as SVG. Raises OwnerError where there is nothing to draw."""
    streams = sort_streams(analysis.summary_of(selection).streams)[:MAX_LANES]
    if not streams:
        raise OwnerError("this log has no values to draw; `belvedere snoop` without --timeline says what it holds")
    ticks: set[int] = set()
    for moment in analysis.batches(selection, on_progress):
        if len(ticks) < MAX_TICKS:
            ticks.update(np.unique(moment.values.time_ns // TICK_NS).tolist())
    axis = TimeAxis(active_spans(sorted(ticks)))
    return "\n".join(_svg(list(_lanes(analysis, selection, streams, axis, on_progress)), axis)) + "\n"


def active_spans(ticks: list[int]) -> Spans:
    """The spans of time with values: split where ticks are more than `SILENCE_TICKS` apart."""
    found = [[ticks[0], ticks[0]]]
    for tick in ticks:
        if tick - found[-1][1] > SILENCE_TICKS:
            found.append([tick, tick])
        found[-1][1] = tick
    if len(found) > MAX_SPANS:
        found = [[ticks[0], ticks[-1]]]
    return [(first * TICK_NS, (last + 1) * TICK_NS) for first, last in found]


class TimeAxis:
    """Maps time to columns of the drawing.

    Attributes:
        begins: the column in which each span begins.
    """

    def __init__(self, parts: Spans) -> None:
        self.parts = parts
        begins, ends = (np.array(side, np.float64) for side in zip(*parts, strict=True))
        spent = ends - begins
        self._scale = (COLUMNS - GAP_COLUMNS * (len(parts) - 1)) / spent.sum()
        before = np.concatenate(([0.0], np.cumsum(spent[:-1])))
        self.begins = before * self._scale + GAP_COLUMNS * np.arange(len(parts))
        self._begins_ns, self._ends_ns = begins, ends

    def columns(self, time_ns: Ints) -> Ints:
        """The columns of these times."""
        part = np.maximum(0, np.searchsorted(self._begins_ns, time_ns, side="right") - 1)
        within = np.clip(time_ns, self._begins_ns[part], self._ends_ns[part]) - self._begins_ns[part]
        columns: Ints = np.minimum(COLUMNS - 1, self.begins[part] + within * self._scale).astype(np.int64)
        return columns


def _lanes(
    analysis: LogAnalysis,
    selection: Selection,
    streams: list[StreamSummary],
    axis: TimeAxis,
    on_progress: Callable[[int], None],
) -> Iterator[Lane]:
    lanes = {(one.device, one.direction, one.opcode, one.handle): Lane(one, {}, {}) for one in streams}
    for values, connections in analysis.batches(selection, on_progress):
        columns = axis.columns(values.time_ns).tolist()
        for column, entry in zip(columns, logged_values(values), strict=True):
            device = connections.devices[connections.all[entry.connection].device].label
            lane = lanes.get((device, DIRECTION_LABELS[entry.direction], entry.opcode, entry.handle))
            if lane is not None:
                lane.sizes[column] = lane.sizes.get(column, 0) + len(entry.value)
                lane.values[column] = entry.value
    yield from lanes.values()


def _svg(lanes: list[Lane], axis: TimeAxis) -> Iterator[str]:
    heights = [TITLE + STRIP_HEIGHT + ROW * _rows(lane) + SPACE for lane in lanes]
    width, height = LEFT + COLUMNS * COLUMN + RIGHT, TOP + sum(heights)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12">'
    )
    yield "<title>Values sent over each handle, by time</title>"
    yield f'<rect width="{width}" height="{height}" fill="#fff"/>'
    yield from _times(axis, height)
    top = TOP
    for lane, its_height in zip(lanes, heights, strict=True):
        yield from _lane(lane, top)
        top += its_height
    yield "</svg>"


def _times(axis: TimeAxis, height: int) -> Iterator[str]:
    """A line where each span begins; and its time and duration, where there is room for the text."""
    free_from = 0.0
    for begin, (first_ns, last_ns) in zip(axis.begins.tolist(), axis.parts, strict=True):
        x = LEFT + begin * COLUMN
        yield f'<line x1="{x:.0f}" y1="{TOP - 8}" x2="{x:.0f}" y2="{height}" stroke="#ddd"/>'
        if x >= free_from:
            label = f"{_clock(first_ns)}, {(last_ns - first_ns) / 1e9:.1f} s"
            yield f'<text x="{x:.0f}" y="{TOP - 14}" fill="#555">{label}</text>'
            free_from = x + 8 * len(label)


def _lane(lane: Lane, top: int) -> Iterator[str]:
    stream = lane.stream
    uuid = f" {uuid_label(stream.uuid)}" if stream.uuid else ""
    interval = f", every {format_duration(stream.median_interval_s)}" if stream.median_interval_s is not None else ""
    counted = "1 value" if stream.count == 1 else f"{stream.count} values"
    title = (
        f"{ARROWS[stream.direction]} {stream.device}  {OPCODE_LABELS.get(stream.opcode, '')} "
        f"0x{stream.handle:04x}{uuid}: {counted}{interval}"
    )
    yield f'<text x="{LEFT}" y="{top + 12}" font-weight="bold">{escape(title)}</text>'
    most, floor = max(1, 1, *lane.sizes.values()), top + TITLE + STRIP_HEIGHT
    yield f'<text x="{LEFT - 4}" y="{floor - 8}" text-anchor="end" fill="#555" font-size="9">bytes</text>'
    for column, size in sorted(lane.sizes.items()):
        high = max(1, round(size / most * (STRIP_HEIGHT - 4)))
        x, y = LEFT + column * COLUMN, floor - high - 1
        yield f'<rect x="{x}" y="{y}" width="{COLUMN}" height="{high}" fill="#888"/>'
    for row in range(_rows(lane)):
        y = floor + row * ROW
        yield f'<text x="{LEFT - 4}" y="{y + 8}" text-anchor="end" fill="#555" font-size="9">{row}</text>'
        for first, last, byte in _runs(lane, row):
            box = f'x="{LEFT + first * COLUMN}" y="{y}" width="{(last - first + 1) * COLUMN}" height="{ROW - 1}"'
            yield f'<rect {box} fill="{colour(byte)}"><title>byte {row}: {byte:02x}</title></rect>'


def _rows(lane: Lane) -> int:
    return min(MAX_ROWS, lane.stream.longest)


def _runs(lane: Lane, row: int) -> Iterator[tuple[int, int, int]]:
    """First column, last column and value of each run of this byte: while it stays the same and values keep coming."""
    run: tuple[int, int, int] | None = None
    for column, value in sorted(lane.values.items()):
        if row >= len(value):
            continue
        is_near = run is not None and column - run[1] <= GAP_COLUMNS
        if run is not None and is_near and run[2] == value[row]:
            run = run[0], column, run[2]
            continue
        if run is not None:
            yield (run[0], column - 1, run[2]) if is_near else run
        run = column, column, value[row]
    if run is not None:
        yield run


def colour(byte: int) -> str:
    """Light grey for zero, and a hue around the colour circle for the rest."""
    if byte == 0:
        return "#e4e4e4"
    red, green, blue = colorsys.hls_to_rgb(byte / 256, 0.45, 0.65)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def _clock(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / 1e9).astimezone().strftime("%Y-%m-%d %H:%M:%S")
