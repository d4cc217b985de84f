from __future__ import annotations

import numpy as np
import pytest

from belvedere.lab.logs import stream_stats as module
from belvedere.lab.logs.connections import Connections
from belvedere.lab.logs.events import Opened
from belvedere.lab.logs.stream_stats import StreamCounter
from belvedere.lab.logs.values import Values

MS = 1_000_000


def connections() -> Connections:
    made = Connections()
    made.begin_chunk()
    for number in range(2):
        made.receive(Opened(0x40 + number, f"C0:DE:00:00:5A:1{number}", None, None), 0, number, 0)
    return made


def values(*rows: tuple[int, int, int, bytes], first_frame: int = 1) -> Values:
    """Rows of time in ms, connection, handle and value, all of them commands that were sent."""
    time_ms, connection, handle, separate = zip(*rows, strict=True)
    many = len(rows)
    none = np.zeros(many, np.int64)
    return Values(
        frame=np.arange(first_frame, first_frame + many),
        time_ns=np.array(time_ms, np.int64) * MS,
        connection=np.array(connection, np.int64),
        direction=none,
        opcode=none + 0x52,
        handle=np.array(handle, np.int64),
        offset=-1 - np.arange(many),
        length=np.array([len(one) for one in separate], np.int64),
        is_truncated=np.array([one == b"cut" for one in separate]),
        data=b"",
        separate=list(separate),
    )


def test_each_handle_of_each_device_is_a_stream() -> None:
    counter = StreamCounter()
    counter.receive(values((0, 0, 1, b"a"), (1, 1, 1, b"b"), (2, 0, 2, b"c"), (3, 0, 1, b"d")), connections())
    assert [(one.device, one.handle, one.count) for one in counter.streams] == [(0, 1, 2), (1, 1, 1), (0, 2, 1)]


def test_a_stream_tells_its_ends_and_lengths() -> None:
    counter = StreamCounter()
    counter.receive(values((5, 0, 1, b"first"), (6, 0, 1, b""), (7, 0, 1, b"cut")), connections())
    counter.receive(values((8, 0, 1, b"the last"), first_frame=9), connections())
    (one,) = counter.streams
    assert (one.first, one.last, one.count, one.truncated) == (b"first", b"the last", 4, 1)
    assert (one.shortest, one.longest) == (0, 8)
    assert (one.first_frame, one.last_frame, one.first_ns, one.last_ns) == (1, 9, 5 * MS, 8 * MS)


def test_the_cadence_is_the_median_of_the_gaps_over_pieces_and_pauses() -> None:
    counter = StreamCounter()
    counter.receive(values(*((offset * 50, 0, 1, b"x") for offset in range(20))), connections())
    counter.receive(values(*((5000 + offset * 50, 0, 1, b"x") for offset in range(20))), connections())
    (one,) = counter.streams
    assert one.median_interval_s == pytest.approx(0.050, rel=0.001)


def test_the_gap_between_two_pieces_counts() -> None:
    counter = StreamCounter()
    for offset in (0, 30, 60):
        counter.receive(values((offset, 0, 1, b"x")), connections())
    assert counter.streams[0].median_interval_s == pytest.approx(0.030)


def test_one_value_has_no_cadence_and_a_clock_put_back_no_gap() -> None:
    counter = StreamCounter()
    counter.receive(values((100, 0, 1, b"x")), connections())
    assert counter.streams[0].median_interval_s is None
    counter.receive(values((50, 0, 1, b"x")), connections())
    assert counter.streams[0].median_interval_s is None


def test_a_piece_without_values_changes_nothing() -> None:
    counter = StreamCounter()
    counter.receive(values((0, 0, 1, b"x")).filtered(np.array([False])), connections())
    assert counter.streams == []


def test_what_is_kept_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_STREAMS", 2)
    monkeypatch.setattr(module, "MAX_BINS", 3)
    counter = StreamCounter()
    counter.receive(values(*((2**offset, 0, offset % 4, b"x") for offset in range(40))), connections())
    assert len(counter.streams) == 2
    assert counter.uncounted_values == 20
    assert sum(len(one.gaps) for one in counter.streams) == 3
