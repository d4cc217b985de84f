import struct

import pytest

from belvedere.lab.logs.records import MAX_RECORD_BYTES, split_records


def record(length: int, order: str = ">", data: bytes | None = None) -> bytes:
    """A header of six bytes with the length behind the first two, and data."""
    return b"hd" + struct.pack(order + "I", length) + (bytes(length) if data is None else data)


@pytest.mark.parametrize("order", ["<", ">"])
def test_complete_records_are_found_and_the_rest_is_left_for_the_next_chunk(order: str) -> None:
    data = record(3, order) + record(0, order) + record(5, order, b"cut")
    assert split_records(data, 6, 2, order) == ([0, 9], 15, "")


def test_a_header_that_is_incomplete_is_left_for_the_next_chunk() -> None:
    assert split_records(record(3) + b"hd", 6, 2, ">") == ([0], 9, "")


def test_the_longest_record_is_taken_and_a_longer_one_is_damage() -> None:
    assert split_records(record(MAX_RECORD_BYTES), 6, 2, ">") == ([0], 6 + MAX_RECORD_BYTES, "")
    starts, end, damage = split_records(record(1) + record(MAX_RECORD_BYTES + 1, data=b""), 6, 2, ">")
    assert (starts, end) == ([0], 7)
    assert damage == f"a record claims a length of {MAX_RECORD_BYTES + 1} bytes"
