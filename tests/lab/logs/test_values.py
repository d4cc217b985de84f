from __future__ import annotations

import numpy as np

from belvedere.lab.logs.datalinks import RECEIVED, SENT, UNKNOWN
from belvedere.lab.logs.values import Values, is_host_attribute


def values() -> Values:
    many = np.arange(3, dtype=np.int64)
    return Values(many, many, many, many, many, many, np.array([2, -1, 4]), many + 1, many > 1, b"0123456789", [b"ab"])


def test_a_value_lies_in_the_piece_or_apart() -> None:
    assert [values().value(offset, length) for offset, length in ((2, 1), (-1, 2), (4, 3))] == [b"2", b"ab", b"456"]


def test_a_part_of_the_values_keeps_all_that_belongs_to_them() -> None:
    part = values().filtered(np.array([False, True, True]))
    assert part.frame.tolist() == [1, 2]
    assert part.is_truncated.tolist() == [False, True]
    assert part.value(int(part.offset[0]), int(part.length[0])) == b"ab"


def test_handles_are_of_the_phones_table_when_it_serves() -> None:
    assert not is_host_attribute(SENT, 0x52)
    assert not is_host_attribute(RECEIVED, 0x1B)
    assert is_host_attribute(RECEIVED, 0x52)
    assert is_host_attribute(SENT, 0x1B)


def test_handles_are_of_the_devices_table_where_nobody_tells_the_direction() -> None:
    assert not any(is_host_attribute(UNKNOWN, opcode) for opcode in (0x52, 0x1B))
