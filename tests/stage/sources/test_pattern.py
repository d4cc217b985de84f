from __future__ import annotations

from tests.support.pictures import blank_picture

from belvedere.stage.sources.pattern import BARS, SCROLL_PX_PER_S, PatternSource


def row(at_s: float) -> bytes:
    source, picture = PatternSource(), blank_picture(320, 96)
    source.prepare(320, 96, 30)
    source.open(320, 96, 30)
    source.read(at_s, picture)
    source.close()
    assert bytes(picture.y) == bytes(picture.y[:320]) * 96
    assert len(set(picture.u)) > 1
    return bytes(picture.y[:320])


def test_seven_bars_fill_the_picture() -> None:
    assert list(dict.fromkeys(row(0.0))) == [bar[0] for bar in BARS]


def test_the_bars_move_and_come_back() -> None:
    start, lap_s = row(0.0), 320 / SCROLL_PX_PER_S
    assert row(0.25) == start[30:] + start[:30]
    assert row(lap_s) == start
