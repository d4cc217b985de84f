from __future__ import annotations

import numpy as np

from belvedere.lab.logs.byte_view import PADDING_BYTES, ByteView


def places(*offset: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(offset, np.int64)


def test_numbers_are_read_wherever_they_lie() -> None:
    view = ByteView(bytes(range(1, 9)))
    assert view.u8(places(0, 7)).tolist() == [1, 8]
    assert view.u16(places(0, 1, 5)).tolist() == [0x0201, 0x0302, 0x0706]
    assert view.u16(places(1), ">").tolist() == [0x0203]
    assert view.u32(places(0, 3)).tolist() == [0x04030201, 0x07060504]
    assert view.u32(places(3), ">").tolist() == [0x04050607]


def test_behind_the_end_there_are_zeros() -> None:
    view = ByteView(b"\xff")
    assert view.u32(places(0)).tolist() == [0xFF]
    assert view.u32(places(1, PADDING_BYTES - 3)).tolist() == [0, 0]


def test_large_numbers_stay_positive() -> None:
    assert ByteView(b"\xff" * 4).u32(places(0)).tolist() == [0xFFFFFFFF]
