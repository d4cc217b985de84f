from random import Random

import pytest

from belvedere.head.checks import Check, Order
from belvedere.lab.inference.checksums import find_checksum
from belvedere.lab.inference.results import FieldKind


def frames(checksum: Check, count: int = 30) -> list[bytes]:
    chance = Random(1)
    bodies = [b"\x02" + chance.randbytes(5) for _ in range(count)]
    return [body + checksum.of(body) for body in bodies]


@pytest.mark.parametrize("formula", ["sum", "xor", "CRC-8/MAXIM", "CRC-16/MODBUS"])
@pytest.mark.parametrize("order", Order)
def test_a_check_is_named_with_what_it_covers(formula: str, order: Order) -> None:
    checksum = Check(formula=formula, order=order, first_byte=1)
    found = find_checksum(frames(checksum))
    assert found is not None
    assert (found.kind, found.start) == (FieldKind.CHECKSUM, 12)
    assert f"a checksum of bytes 1 to 5: {formula}" in found.description
    assert ("byte first" in found.description) is (checksum.size > 1)
    assert found.checksum is not None
    assert frames(found.checksum) == frames(checksum)
    assert found.confidence > 0.9


def test_numbers_that_mean_something_are_no_check() -> None:
    chance = Random(1)
    assert find_checksum([b"\x02" + chance.randbytes(6) for _ in range(30)]) is None


def test_a_few_frames_prove_nothing() -> None:
    assert find_checksum(frames(Check("sum"), count=2)) is None


@pytest.mark.parametrize("end", [b"\x0a", b"\r\n", bytes(5)])
@pytest.mark.parametrize("formula", ["sum", "xor", "CRC-8", "CRC-16/MODBUS"])
def test_a_check_before_a_constant_end_is_found(formula: str, end: bytes) -> None:
    checksum = Check(formula=formula, order=Order.LOW_FIRST if formula.startswith("CRC-16") else Order.HIGH_FIRST)
    found = find_checksum([one + end for one in frames(checksum)])
    assert found is not None
    assert (found.start, found.checksum) == (12, checksum)


def test_a_speed_that_goes_with_its_direction_is_no_check() -> None:
    assert find_checksum([bytes([2, way, 39 + way]) for way in (1, 2) for _ in range(9)]) is None
