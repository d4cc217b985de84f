from random import Random

import pytest

from belvedere.lab.inference.checks import FORMULAS, check_of
from belvedere.lab.inference.readings import Kind


def frames(formula_name: str, *, start: int = 0, count: int = 30) -> list[bytes]:
    formula = next(one for one in FORMULAS if one.name == formula_name)
    chance = Random(1)
    bodies = [b"\x02" + chance.randbytes(5) for _ in range(count)]
    return [body + formula.value(body[start:]) for body in bodies]


@pytest.mark.parametrize("name", ["sum", "exclusive or", "CRC-8/MAXIM", "CRC-16/MODBUS, low byte first"])
def test_a_check_is_named_with_what_it_covers(name: str) -> None:
    found = check_of(frames(name, start=1))
    assert found is not None
    assert (found.kind, found.start) == (Kind.CHECK, 12)
    assert name.split(",", maxsplit=1)[0] in found.says
    assert "bytes 1 to 5" in found.says
    assert found.confidence > 0.9


def test_numbers_that_mean_something_are_no_check() -> None:
    chance = Random(1)
    assert check_of([b"\x02" + chance.randbytes(6) for _ in range(30)]) is None


def test_a_few_frames_prove_nothing() -> None:
    assert check_of(frames("sum", count=2)) is None
