import pytest

from belvedere.lab.inference.fields import fields_of, size_of
from belvedere.lab.inference.readings import Encoding, Kind, Number, Stop


def test_every_digit_is_read_once() -> None:
    take = [bytes([2, at // 40 + 1, at * 3, 0]) for at in range(80)]
    readings = fields_of([take], (), None)
    assert [digit for one in readings for digit in range(one.start, one.end)] == list(range(8))
    assert [one.kind for one in readings] == [Kind.CONSTANT, Kind.DIRECTION, Kind.SPEED, Kind.CONSTANT]


def test_the_word_of_rest_is_that_of_the_stop() -> None:
    take = [bytes([way, speed]) for way in (1, 2) for speed in (*range(10, 90), 0)]
    take = [b"\0\0" if value[1] == 0 else value for value in take]
    direction = next(one for one in fields_of([take], (), Stop("0000", 0.9, "")) if one.kind is Kind.DIRECTION)
    assert direction.words is not None
    assert direction.words.none == "00"


def test_few_decimal_numbers_may_be_binary_and_the_owner_is_told_what_to_do() -> None:
    take = [bytes([2, way, int(str(speed), 16)]) for way in (1, 2) for speed in (10, 20, 30, 40, 50)]
    speed = next(one for one in fields_of([take], (), None) if one.kind is Kind.SPEED)
    assert speed.alternatives
    assert speed.advice
    assert speed.confidence < 0.9


@pytest.mark.parametrize(
    ("word", "number", "size"),
    [
        ("436", Number(Encoding.BCD), 436),
        ("4a6", Number(Encoding.BCD), 0),
        ("1b4", Number(Encoding.BINARY), 0x1B4),
        ("b401", Number(Encoding.BINARY, is_little_endian=True), 0x1B4),
        ("ff", Number(Encoding.SIGNED), 1),
        ("7e", Number(Encoding.OFFSET, rest=0x7F), 1),
        ("81", Number(Encoding.MAGNITUDE), 1),
    ],
)
def test_a_speeds_size_is_what_its_digits_say(word: str, number: Number, size: int) -> None:
    assert size_of(word, number) == size
