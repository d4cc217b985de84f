from __future__ import annotations

from typing import TYPE_CHECKING

from tools.painting.canvas import Canvas
from tools.painting.shelf import SHELVES_M, SPINES, paint_bookshelf

if TYPE_CHECKING:
    from collections.abc import Callable

    Look = Callable[[Canvas, float, float], tuple[int, int, int, int]]


def test_the_shelf_is_full_of_books_of_many_colours(look: Look) -> None:
    canvas = Canvas((-2.4, -1.2, 0.5, 1.3), 120, (233, 214, 186))
    paint_bookshelf(canvas, (-2.3, -1.2, 0.35, 1.14))
    row = {look(canvas, -2.2 + 0.02 * step, SHELVES_M[2] + 0.1)[:3] for step in range(35)}
    assert len(row) > 12
    assert len(set(SPINES)) == len(SPINES)


def test_the_same_books_stand_there_every_time() -> None:
    first, second = (Canvas((-2.4, -1.2, 0.5, 1.3), 60, (0, 0, 0)) for _ in range(2))
    for canvas in (first, second):
        paint_bookshelf(canvas, (-2.3, -1.2, 0.35, 1.14))
    assert first.finished().tobytes() == second.finished().tobytes()
