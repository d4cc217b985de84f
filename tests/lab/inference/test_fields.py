from collections.abc import Callable
from random import Random

import pytest

from belvedere.lab.inference.fields import find_fields, size_of
from belvedere.lab.inference.results import Encoding, FieldKind, NumberFormat, StopFrame


def test_every_digit_is_read_once() -> None:
    sequence = [bytes([2, at // 40 + 1, at * 3, 0]) for at in range(80)]
    fields = find_fields([sequence], (), None)
    assert [digit for one in fields for digit in range(one.start, one.end)] == list(range(8))
    assert [one.kind for one in fields] == [
        FieldKind.CONSTANT,
        FieldKind.DIRECTION,
        FieldKind.SPEED,
        FieldKind.CONSTANT,
    ]


def test_the_word_of_rest_is_that_of_the_stop() -> None:
    sequence = [bytes([way, speed]) for way in (1, 2) for speed in (*range(10, 90), 0)]
    sequence = [b"\0\0" if value[1] == 0 else value for value in sequence]
    direction = next(
        one for one in find_fields([sequence], (), StopFrame("0000", 0.9, "")) if one.kind is FieldKind.DIRECTION
    )
    assert direction.direction_values is not None
    assert direction.direction_values.none == "00"


def test_a_way_whose_word_is_kept_at_rest_stays_a_way() -> None:
    sequence = [bytes([way, speed]) for way in (0, 1) for speed in (*range(10, 90), 0)]
    sequence = [b"\0\0" if value[1] == 0 else value for value in sequence]
    direction = next(
        one for one in find_fields([sequence], (), StopFrame("0000", 0.9, "")) if one.kind is FieldKind.DIRECTION
    )
    assert direction.direction_values is not None
    assert (direction.direction_values.none, direction.direction_values.moving) == (None, ("00", "01"))
    assert not direction.advice


@pytest.mark.parametrize(
    ("encode", "encoding"),
    [
        (lambda speed: speed % 256, Encoding.SIGNED),
        (lambda speed: abs(speed) + 128 * (speed < 0), Encoding.MAGNITUDE),
        (lambda speed: abs(speed) * 2, Encoding.BINARY),
    ],
)
def test_a_number_that_stands_alone_tells_how_it_is_signed(encode: Callable[[int], int], encoding: Encoding) -> None:
    ramp = [*range(60), *range(60, -60, -1), *range(-60, 1)]
    (speed,) = find_fields([[bytes([encode(value)]) for value in ramp]], (), StopFrame("00", 0.9, ""))
    assert speed.number is not None
    assert speed.number.encoding is encoding


def test_a_rest_that_is_neither_nought_nor_the_middle_is_a_reason_to_doubt() -> None:
    sequence = [bytes([2, value]) for value in (*range(10, 32), *range(31, 9, -1), 31)]
    sure, doubtful = (
        next(one for one in find_fields([sequence], (), stop) if one.kind is FieldKind.SPEED)
        for stop in (None, StopFrame("021f", 0.9, ""))
    )
    assert doubtful.confidence < 0.7 * sure.confidence


def test_two_bytes_that_change_alike_may_be_two_numbers() -> None:
    chance = Random(1)
    sequence = [bytes([2, chance.randrange(256), chance.randrange(256)]) for _ in range(200)]
    speed = next(one for one in find_fields([sequence], (), None) if one.kind is FieldKind.SPEED)
    assert any("two numbers" in other.description for other in speed.alternatives)


def test_few_decimal_numbers_may_be_binary_and_the_owner_is_reported_what_to_do() -> None:
    sequence = [bytes([2, way, int(str(speed), 16)]) for way in (1, 2) for speed in (10, 20, 30, 40, 50)]
    speed = next(one for one in find_fields([sequence], (), None) if one.kind is FieldKind.SPEED)
    assert speed.alternatives
    assert speed.advice
    assert speed.confidence < 0.9


@pytest.mark.parametrize(
    ("word", "number", "size"),
    [
        ("436", NumberFormat(Encoding.BCD), 436),
        ("4a6", NumberFormat(Encoding.BCD), 0),
        ("1b4", NumberFormat(Encoding.BINARY), 0x1B4),
        ("b401", NumberFormat(Encoding.BINARY, is_little_endian=True), 0x1B4),
        ("ff", NumberFormat(Encoding.SIGNED), 1),
        ("7e", NumberFormat(Encoding.OFFSET, rest=0x7F), 1),
        ("81", NumberFormat(Encoding.MAGNITUDE), 1),
    ],
)
def test_a_speeds_size_is_what_its_digits_say(word: str, number: NumberFormat, size: int) -> None:
    assert size_of(word, number) == size
