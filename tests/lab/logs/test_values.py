from __future__ import annotations

import numpy as np

from belvedere.lab.logs.datalinks import RECEIVED, SENT, UNTOLD
from belvedere.lab.logs.values import Values, is_ours


def values() -> Values:
    many = np.arange(3, dtype=np.int64)
    return Values(many, many, many, many, many, many, np.array([2, -1, 4]), many + 1, many > 1, b"0123456789", [b"ab"])


def test_a_value_lies_in_the_piece_or_apart() -> None:
    assert [values().value(at, length) for at, length in ((2, 1), (-1, 2), (4, 3))] == [b"2", b"ab", b"456"]


def test_a_part_of_the_values_keeps_all_that_belongs_to_them() -> None:
    part = values().where(np.array([False, True, True]))
    assert part.frame.tolist() == [1, 2]
    assert part.is_cut.tolist() == [False, True]
    assert part.value(int(part.at[0]), int(part.length[0])) == b"ab"


def test_handles_are_of_the_phones_table_when_it_serves() -> None:
    assert not is_ours(SENT, 0x52)
    assert not is_ours(RECEIVED, 0x1B)
    assert is_ours(RECEIVED, 0x52)
    assert is_ours(SENT, 0x1B)


def test_handles_are_of_the_devices_table_where_nobody_tells_the_direction() -> None:
    assert not any(is_ours(UNTOLD, opcode) for opcode in (0x52, 0x1B))
