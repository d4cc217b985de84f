import pytest

from belvedere.head.checks import FORMULAS, Check, Order

DATA = bytes.fromhex("a5010436")


@pytest.mark.parametrize(
    ("formula", "check"),
    [("sum", "e0"), ("negated-sum", "20"), ("inverted-sum", "1f"), ("xor", "96"), ("sum-16", "00e0")],
)
def test_a_check_is_computed_by_its_formula(formula: str, check: str) -> None:
    assert Check(formula).of(DATA).hex() == check


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_check_has_its_size_and_the_order_is_that_of_its_bytes(formula: str) -> None:
    high, low = (Check(formula, order).of(DATA) for order in Order)
    assert len(high) == Check(formula).size
    assert low == high[::-1]


def test_the_first_bytes_may_be_left_out() -> None:
    assert Check("sum", first_byte=2).of(DATA) == Check("sum").of(DATA[2:])


def test_an_unknown_check_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown formula md5: use one of sum, .*CRC-16/MODBUS"):
        Check("md5")
