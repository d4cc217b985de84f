from __future__ import annotations

import numpy as np

from belvedere.lab.logs.view import SPARE, View


def places(*at: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(at, np.int64)


def test_numbers_are_read_wherever_they_lie() -> None:
    view = View(bytes(range(1, 9)))
    assert view.u8(places(0, 7)).tolist() == [1, 8]
    assert view.u16(places(0, 1, 5)).tolist() == [0x0201, 0x0302, 0x0706]
    assert view.u16(places(1), ">").tolist() == [0x0203]
    assert view.u32(places(0, 3)).tolist() == [0x04030201, 0x07060504]
    assert view.u32(places(3), ">").tolist() == [0x04050607]


def test_behind_the_end_there_are_zeros() -> None:
    view = View(b"\xff")
    assert view.u32(places(0)).tolist() == [0xFF]
    assert view.u32(places(1, SPARE - 3)).tolist() == [0, 0]


def test_large_numbers_stay_positive() -> None:
    assert View(b"\xff" * 4).u32(places(0)).tolist() == [0xFFFFFFFF]
