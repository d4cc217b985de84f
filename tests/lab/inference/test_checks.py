from random import Random

import pytest

from belvedere.head.checks import Check, Order
from belvedere.lab.inference.checks import check_of
from belvedere.lab.inference.readings import Kind


def frames(check: Check, count: int = 30) -> list[bytes]:
    chance = Random(1)
    bodies = [b"\x02" + chance.randbytes(5) for _ in range(count)]
    return [body + check.of(body) for body in bodies]


@pytest.mark.parametrize("formula", ["sum", "xor", "CRC-8/MAXIM", "CRC-16/MODBUS"])
@pytest.mark.parametrize("order", Order)
def test_a_check_is_named_with_what_it_covers(formula: str, order: Order) -> None:
    check = Check(formula=formula, order=order, first_byte=1)
    found = check_of(frames(check))
    assert found is not None
    assert (found.kind, found.start) == (Kind.CHECK, 12)
    assert f"checks bytes 1 to 5: {formula}" in found.says
    assert ("byte first" in found.says) is (check.size > 1)
    assert found.check is not None
    assert frames(found.check) == frames(check)
    assert found.confidence > 0.9


def test_numbers_that_mean_something_are_no_check() -> None:
    chance = Random(1)
    assert check_of([b"\x02" + chance.randbytes(6) for _ in range(30)]) is None


def test_a_few_frames_prove_nothing() -> None:
    assert check_of(frames(Check("sum"), count=2)) is None
