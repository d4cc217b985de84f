from collections.abc import Callable
from random import Random

import pytest

from belvedere.lab.inference.fields import find_fields, size_of
from belvedere.lab.inference.results import Encoding, FieldKind, NumberFormat, StopFrame


def test_every_digit_is_read_once() -> None:
    fields = find_fields([[bytes([2, way, at * 3, 0]) for at in range(80)] for way in (1, 2)], (), None)
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


def test_two_bytes_that_change_alike_are_no_speed() -> None:
    chance = Random(1)
    pan, tilt = (0, 0)
    sequence = []
    for _ in range(200):
        pan, tilt = ((value + chance.randrange(0, 12)) % 200 for value in (pan, tilt))
        sequence.append(bytes([2, pan, tilt]))
    (numbers,) = (one for one in find_fields([sequence], (), None) if one.kind is not FieldKind.CONSTANT)
    assert numbers.kind is FieldKind.NUMBERS
    assert "several numbers, as in a frame for two axes" in numbers.description
    assert "drive one axis alone" in numbers.advice


def test_more_than_two_bytes_are_several_numbers() -> None:
    chance = Random(1)
    found = find_fields([[b"\x02" + chance.randbytes(5) for _ in range(50)]], (), None)
    assert [(one.kind, one.start, one.end) for one in found if one.kind is not FieldKind.CONSTANT] == [
        (FieldKind.NUMBERS, 2, 12)
    ]


def test_the_high_byte_of_a_number_low_byte_first_is_no_direction() -> None:
    ramp = [*range(10, 800, 13), *range(800, 10, -17)]
    sequences = [[bytes([2, way]) + one.to_bytes(2, "little") for one in ramp] for way in (1, 2)]
    speed = next(one for one in find_fields(sequences, (), None) if one.kind is FieldKind.SPEED)
    assert (speed.start, speed.end) == (4, 8)
    assert speed.number == NumberFormat(Encoding.BINARY, is_little_endian=True)


def test_a_byte_that_extends_the_sign_is_no_direction() -> None:
    strokes = [[(way * one) % 65536 for one in range(3, 90, 4)] for way in (1, -1) for _ in range(4)]
    sequence = [one.to_bytes(2, "little") for some in strokes for one in [*some, 0]]
    (speed,) = find_fields([sequence], (), StopFrame("0000", 0.9, ""))
    assert speed.number is not None
    assert (speed.number.encoding, speed.number.is_little_endian, speed.fastest) == (Encoding.SIGNED, True, 87)


def test_a_middle_is_one_only_between_values_on_both_sides() -> None:
    sequence = [bytes([value]) for value in (*range(10, 120, 3), 127) * 3]
    (speed,) = find_fields([sequence], (), StopFrame("7f", 0.9, ""))
    assert speed.number is not None
    assert speed.number.encoding is Encoding.BINARY


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
