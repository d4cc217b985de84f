from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.support.captures import hci_log
from tests.support.captures.hci_log import ACL, RECEIVED, SENT, Packet

from belvedere.errors import OwnerError
from belvedere.lab import snoop_timeline
from belvedere.lab.logs.analysis import LogAnalysis, Selection
from belvedere.lab.snoop_timeline import COLUMNS, GAP_COLUMNS, TICK_NS, TimeAxis, active_spans, colour, draw_timeline

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"
S = 1_000_000


def written(at_s: float, value: bytes, handle: int = 0x17, direction: int = SENT) -> Packet:
    return Packet(round(at_s * S), direction, ACL, hci_log.att(0x40, b"\x52" + handle.to_bytes(2, "little") + value))


def picture(folder: Path, packets: list[Packet], selection: Selection | None = None) -> ET.Element:
    path = folder / "phone.log"
    path.write_bytes(hci_log.btsnoop(packets))
    return ET.fromstring(draw_timeline(LogAnalysis(path), selection or Selection()))  # noqa: S314 - of our own making


def bytes_in(svg: ET.Element) -> list[tuple[str, float, float]]:
    """What each run of a byte says, where it begins and how wide it is."""
    return [
        (title.text or "", float(box.attrib["x"]), float(box.attrib["width"]))
        for box in svg.iter(f"{SVG}rect")
        for title in box.iter(f"{SVG}title")
    ]


def test_a_byte_that_stays_is_one_run_and_one_that_changes_several(tmp_path: Path) -> None:
    svg = picture(tmp_path, [written(at / 100, bytes([2, at // 100])) for at in range(300)])
    runs = bytes_in(svg)
    assert [words for words, _x, _width in runs] == [
        "byte 0: 02",
        "byte 1: 00",
        "byte 1: 01",
        "byte 1: 02",
    ]
    assert runs[0][2] == pytest.approx(sum(width for _words, _x, width in runs[1:]), abs=4)


def test_runs_of_a_byte_follow_each_other_in_time(tmp_path: Path) -> None:
    runs = bytes_in(picture(tmp_path, [written(at / 10, bytes([at])) for at in range(50)]))
    for (_, first, width), (_, second, _) in itertools.pairwise(runs):
        assert first + width <= second


def test_each_stream_has_a_lane_with_its_title(tmp_path: Path) -> None:
    svg = picture(tmp_path, [written(1, b"a"), written(1.1, b"b"), written(2, b"<&>", 0x20)])
    words = [text.text for text in svg.iter(f"{SVG}text") if text.attrib.get("font-weight") == "bold"]
    assert words == [
        "-> connection 0x0040  write command 0x0017: 2 values, every 100 ms",
        "-> connection 0x0040  write command 0x0020: 1 value",
    ]


def test_only_what_is_selected_is_drawn(tmp_path: Path) -> None:
    packets = [written(1, b"a"), written(2, b"b", 0x20)]
    assert [one[0] for one in bytes_in(picture(tmp_path, packets, Selection(handles=frozenset({0x20}))))] == [
        "byte 0: 62"
    ]


def test_without_values_there_is_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(OwnerError, match="no values"):
        picture(tmp_path, [written(1, b"a")], Selection(handles=frozenset({0x99})))


def test_the_picture_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snoop_timeline, "MAX_LANES", 2)
    monkeypatch.setattr(snoop_timeline, "MAX_ROWS", 3)
    packets = [written(at, bytes(range(9)), handle) for at, handle in enumerate(range(1, 6))]
    svg = picture(tmp_path, [*packets, written(9, b"x", 0x30, RECEIVED)])
    assert len(bytes_in(svg)) == 6


def test_empty_values_have_a_lane_without_rows(tmp_path: Path) -> None:
    assert bytes_in(picture(tmp_path, [written(1, b"")])) == []


def test_time_without_values_is_cut_out() -> None:
    assert active_spans([0, 10, 40, 1000, 1001]) == [(0, 41 * TICK_NS), (1000 * TICK_NS, 1002 * TICK_NS)]


def test_with_too_many_pauses_none_is_cut_out() -> None:
    assert active_spans([at * 1000 for at in range(51)]) == [(0, 50_001 * TICK_NS)]


def test_times_fall_into_columns_in_their_order() -> None:
    axis = TimeAxis([(0, 100), (1000, 1300)])
    columns = axis.columns(np.array([0, 99, 100, 500, 1000, 1299, 1300, 5000], np.int64)).tolist()
    half = (COLUMNS - GAP_COLUMNS) / 4
    assert columns == sorted(columns)
    assert columns[0] == 0
    assert columns[3] == int(half)
    assert columns[4] == int(half + GAP_COLUMNS)
    assert columns[-1] == COLUMNS - 1


def test_a_clock_put_back_draws_at_the_beginning() -> None:
    assert TimeAxis([(1000, 1300)]).columns(np.array([-5], np.int64)).tolist() == [0]


def test_nothing_is_grey_and_neighbours_differ() -> None:
    assert colour(0) == "#e4e4e4"
    assert len({colour(byte) for byte in range(256)}) > 200
