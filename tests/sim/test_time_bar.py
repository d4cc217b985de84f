from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.pictures import blank_picture

from belvedere.sim.time_bar import ROWS, draw_time_bar, read_time_bar
from belvedere.stage.encoding.x264 import X264Encoder
from belvedere.stage.options import StageOptions
from belvedere.stage.sources.pattern import PatternSource


@given(st.integers(0, 2**40), st.sampled_from([320, 640, 1280, 1920]))
def test_the_time_can_be_read_from_the_picture(ms: int, width: int) -> None:
    picture = blank_picture(width, 96)
    draw_time_bar(ms / 1000 + 0.0001, picture)
    assert read_time_bar(picture.y, width) == ms % 2**32


def test_the_bar_does_not_change_the_rest_of_the_picture() -> None:
    picture = blank_picture(320, 96)
    draw_time_bar(1234.5, picture)
    assert set(picture.y[320 * ROWS :]) == {16}


def test_without_a_bar_no_time_is_read() -> None:
    assert read_time_bar(blank_picture(320, 96).y, 320) is None


@given(st.integers(0, 2**32 - 1), st.integers(2, 39))
def test_a_misread_cell_is_almost_always_detected(ms: int, cell: int) -> None:
    picture = blank_picture(320, 96)
    draw_time_bar(ms / 1000 + 0.0001, picture)
    row = slice(cell * 8, cell * 8 + 8)
    for line in range(ROWS):
        part = picture.y[line * 320 : line * 320 + 320]
        part[row] = bytes(251 - value for value in part[row])
    got = read_time_bar(picture.y, 320)
    assert got is None or got != ms


@pytest.mark.parametrize("bitrate_kbps", [800, 3000])
def test_the_time_survives_h264(bitrate_kbps: int) -> None:
    av = pytest.importorskip("av")
    encoder = X264Encoder(StageOptions(bitrate_kbps=bitrate_kbps))
    source, decoder = PatternSource(), av.CodecContext.create("h264", "r")
    source.open(1280, 720, 30)
    read = []
    for number in range(40):
        at_s = 7000 + number / 30
        source.read(at_s, encoder.picture)
        draw_time_bar(at_s, encoder.picture)
        frame = encoder.encode(at_s, wants_idr=False)
        assert frame is not None
        for picture in [*decoder.decode(av.Packet(frame.data))]:
            plane = picture.planes[0]
            read.append(read_time_bar(bytes(plane)[: plane.line_size * ROWS], plane.line_size))
    assert read == [int((7000 + number / 30) * 1000) for number in range(len(read))]
    assert len(read) >= 30
