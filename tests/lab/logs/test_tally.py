from __future__ import annotations

import numpy as np
import pytest

from belvedere.lab.logs import tally as module
from belvedere.lab.logs.connections import Connections
from belvedere.lab.logs.events import Opened
from belvedere.lab.logs.tally import Tally
from belvedere.lab.logs.values import Values

MS = 1_000_000


def connections() -> Connections:
    made = Connections()
    made.begin_piece()
    for number in range(2):
        made.receive(Opened(0x40 + number, f"C0:DE:00:00:5A:1{number}", None, None), 0, number, 0)
    return made


def values(*rows: tuple[int, int, int, bytes], first_frame: int = 1) -> Values:
    """Rows of time in ms, connection, handle and value, all of them commands that were sent."""
    time_ms, connection, handle, apart = zip(*rows, strict=True)
    many = len(rows)
    none = np.zeros(many, np.int64)
    return Values(
        frame=np.arange(first_frame, first_frame + many),
        time_ns=np.array(time_ms, np.int64) * MS,
        connection=np.array(connection, np.int64),
        direction=none,
        opcode=none + 0x52,
        handle=np.array(handle, np.int64),
        at=-1 - np.arange(many),
        length=np.array([len(one) for one in apart], np.int64),
        is_cut=np.array([one == b"cut" for one in apart]),
        data=b"",
        apart=list(apart),
    )


def test_each_handle_of_each_device_is_a_stream() -> None:
    tally = Tally()
    tally.receive(values((0, 0, 1, b"a"), (1, 1, 1, b"b"), (2, 0, 2, b"c"), (3, 0, 1, b"d")), connections())
    assert [(one.device, one.handle, one.count) for one in tally.streams] == [(0, 1, 2), (1, 1, 1), (0, 2, 1)]


def test_a_stream_tells_its_ends_and_lengths() -> None:
    tally = Tally()
    tally.receive(values((5, 0, 1, b"first"), (6, 0, 1, b""), (7, 0, 1, b"cut")), connections())
    tally.receive(values((8, 0, 1, b"the last"), first_frame=9), connections())
    (one,) = tally.streams
    assert (one.first, one.last, one.count, one.cut) == (b"first", b"the last", 4, 1)
    assert (one.shortest, one.longest) == (0, 8)
    assert (one.first_frame, one.last_frame, one.first_ns, one.last_ns) == (1, 9, 5 * MS, 8 * MS)


def test_the_cadence_is_the_median_of_the_gaps_over_pieces_and_pauses() -> None:
    tally = Tally()
    tally.receive(values(*((at * 50, 0, 1, b"x") for at in range(20))), connections())
    tally.receive(values(*((5000 + at * 50, 0, 1, b"x") for at in range(20))), connections())
    (one,) = tally.streams
    assert one.cadence_s == pytest.approx(0.050, rel=0.001)


def test_the_gap_between_two_pieces_counts() -> None:
    tally = Tally()
    for at in (0, 30, 60):
        tally.receive(values((at, 0, 1, b"x")), connections())
    assert tally.streams[0].cadence_s == pytest.approx(0.030)


def test_one_value_has_no_cadence_and_a_clock_put_back_no_gap() -> None:
    tally = Tally()
    tally.receive(values((100, 0, 1, b"x")), connections())
    assert tally.streams[0].cadence_s is None
    tally.receive(values((50, 0, 1, b"x")), connections())
    assert tally.streams[0].cadence_s is None


def test_a_piece_without_values_changes_nothing() -> None:
    tally = Tally()
    tally.receive(values((0, 0, 1, b"x")).where(np.array([False])), connections())
    assert tally.streams == []


def test_what_is_kept_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_STREAMS", 2)
    monkeypatch.setattr(module, "MOST_BINS", 3)
    tally = Tally()
    tally.receive(values(*((2**at, 0, at % 4, b"x") for at in range(40))), connections())
    assert len(tally.streams) == 2
    assert tally.left_out == 20
    assert sum(len(one.gaps) for one in tally.streams) == 3
