from typing import Any

import pytest

from belvedere.head.checks import Check, Order
from belvedere.head.layout import DirectionWords, FrameLayout, Sign, SpeedEncoding, SpeedField

WORDS = DirectionWords(none="00", positive="01", negative="02")
SPEED = SpeedField(digits=3, fastest=999)


def test_blanks_in_a_template_do_not_count() -> None:
    spaced = FrameLayout(template="02 {direction} 000 {speed} 00", direction=WORDS, speed=SPEED)
    dense = FrameLayout(template="02{direction}000{speed}00", direction=WORDS, speed=SPEED)
    assert spaced.frame(1, 436) == dense.frame(1, 436) == bytes.fromhex("020100043600")


def test_the_speed_may_stand_before_the_direction() -> None:
    layout = FrameLayout(template="{speed}a{direction}", direction=WORDS, speed=SPEED)
    assert layout.frame(-1, 7) == bytes.fromhex("007a02")


def test_a_check_is_computed_over_the_bytes_before_it() -> None:
    layout = FrameLayout(
        template="a5 {direction} 0{speed} {check} 5a", direction=WORDS, speed=SPEED, check=Check("sum")
    )
    assert layout.frame(1, 436) == bytes.fromhex("a5010436e05a")
    assert layout.fields(layout.frame(1, 436)) == {"{direction}": "01", "{speed}": "436", "{check}": "e0"}
    assert layout.fields(bytes.fromhex("a5010436e15a")) is None


def test_a_check_may_leave_the_first_bytes_out() -> None:
    check = Check("CRC-16/MODBUS", Order.LOW_FIRST, first_byte=1)
    layout = FrameLayout(template="a5 {direction} 0{speed} {check}", direction=WORDS, speed=SPEED, check=check)
    frame = layout.frame(0, 0)
    assert frame[-2:] == Check("CRC-16/MODBUS", Order.LOW_FIRST).of(frame[1:-2])


def test_a_frame_of_another_length_is_refused_with_both() -> None:
    layout = FrameLayout(template="{speed}a{direction}", direction=WORDS, speed=SPEED)
    with pytest.raises(ValueError, match="3 bytes, not 2"):
        layout.fields(b"\0\0")


@pytest.mark.parametrize(("encoding", "digits"), [(SpeedEncoding.BCD, "0436"), (SpeedEncoding.HEX, "01b4")])
def test_a_speed_is_written_as_its_encoding_says(encoding: SpeedEncoding, digits: str) -> None:
    assert SpeedField(digits=4, fastest=999, encoding=encoding).digits_of(436) == digits


@pytest.mark.parametrize(
    "template", ["02{direction}", "{speed}{speed}{direction}", "0x{direction}{speed}", "0{direction}{speed}0"]
)
def test_a_template_that_is_no_frame_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="template must"):
        FrameLayout(template=template, direction=WORDS, speed=SPEED)


@pytest.mark.parametrize(
    ("key", "template", "check"),
    [
        ("check must be set", "{direction}0{speed}{check}", None),
        ("template must contain .*check", "{direction}0{speed}", Check("sum")),
        ("at a byte boundary, after the bytes", "{direction}{check}{speed}00", Check("sum")),
        ("after the bytes that it covers", "{direction}{check}0{speed}", Check("sum", first_byte=1)),
    ],
)
def test_a_check_that_cannot_be_computed_is_refused(key: str, template: str, check: Check | None) -> None:
    words = WORDS if "byte boundary" not in key else DirectionWords(none="000", positive="001", negative="002")
    with pytest.raises(ValueError, match=key):
        FrameLayout(template=template, direction=words, speed=SPEED, check=check)


@pytest.mark.parametrize("sign", Sign)
def test_the_direction_is_given_by_words_or_by_the_speeds_sign(sign: Sign) -> None:
    speed = SpeedField(digits=4, fastest=999, encoding=SpeedEncoding.HEX, sign=sign)
    template = "02 {speed}" if sign is Sign.WORD else "02 {direction} {speed}"
    with pytest.raises(ValueError, match="direction must"):
        FrameLayout(template=template, direction=None if sign is Sign.WORD else WORDS, speed=speed)


@pytest.mark.parametrize(
    ("sign", "rest", "digits", "largest"),
    [
        (Sign.TWOS_COMPLEMENT, None, {-2: "fffe", 0: "0000", 2: "0002"}, 0x7FFF),
        (Sign.MAGNITUDE, None, {-2: "8002", 0: "0000", 2: "0002"}, 0x7FFF),
        (Sign.OFFSET, None, {-2: "7ffe", 0: "8000", 2: "8002"}, 0x7FFF),
        (Sign.OFFSET, 100, {-2: "0062", 0: "0064", 2: "0066"}, 100),
    ],
)
@pytest.mark.parametrize("order", Order)
def test_a_signed_number_encodes_both_directions(
    sign: Sign, rest: int | None, digits: dict[int, str], largest: int, order: Order
) -> None:
    field = SpeedField(digits=4, fastest=2, encoding=SpeedEncoding.HEX, order=order, sign=sign, rest=rest)
    assert field.largest == largest
    for speed, high_first in digits.items():
        expected = high_first if order is Order.HIGH_FIRST else high_first[2:] + high_first[:2]
        assert field.digits_of(speed) == expected
        assert field.speed_of(expected) == speed


@pytest.mark.parametrize(
    ("problem", "field"),
    [
        ("whole bytes", {"digits": 3, "order": Order.LOW_FIRST}),
        ("encoding", {"digits": 2, "sign": Sign.OFFSET}),
        ("rest is for", {"digits": 2, "rest": 5}),
        ("at most 127", {"digits": 2, "fastest": 128, "sign": Sign.TWOS_COMPLEMENT, "encoding": SpeedEncoding.HEX}),
        ("at most 100", {"digits": 2, "fastest": 101, "sign": Sign.OFFSET, "rest": 100, "encoding": SpeedEncoding.HEX}),
    ],
)
def test_a_speed_that_cannot_be_encoded_is_refused(problem: str, field: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=problem):
        SpeedField(**{"fastest": 50, **field})


@pytest.mark.parametrize("words", [("01", "01", "00"), ("1", "02", "00"), ("AA", "bb", "aa"), ("01", "01", None)])
def test_direction_words_must_differ_and_be_of_one_length(words: tuple[str, str, str | None]) -> None:
    with pytest.raises(ValueError, match="different words"):
        DirectionWords(*words)


def test_without_a_word_for_no_direction_a_stop_has_the_positive_one() -> None:
    words = DirectionWords(positive="0A", negative="0b")
    assert [words.word(sign) for sign in (1, 0, -1)] == ["0a", "0a", "0b"]
    assert [words.sign_of(word) for word in ("0a", "0b", "00")] == [1, -1, None]
    layout = FrameLayout(template="{direction}0{speed}", direction=words, speed=SPEED)
    assert layout.frame(0, 0) == bytes.fromhex("0a0000")


@pytest.mark.parametrize(("fastest", "slowest"), [(1000, 1), (10, 11)])
def test_a_speed_range_must_fit_its_digits_and_be_a_range(fastest: int, slowest: int) -> None:
    with pytest.raises(ValueError, match="at most"):
        SpeedField(digits=3, fastest=fastest, slowest=slowest)


WORDS = DirectionWords(positive="01", negative="02", none="00")


def test_a_stop_may_be_said_verbatim_and_have_a_length_of_its_own() -> None:
    plain = FrameLayout(template="02{direction}0{speed}", direction=WORDS, speed=SPEED)
    assert (plain.stop_frame, plain.length, plain.stop_is_proven) == (bytes.fromhex("02000000"), 4, True)
    for stop in ("02 00 00 32", "3F"):
        layout = FrameLayout(template="02{direction}0{speed}", direction=WORDS, speed=SPEED, stop=stop)
        assert layout.stop_frame == bytes.fromhex(stop)
        assert layout.length == 4


@pytest.mark.parametrize("stop", ["02 01 00 01", "02 02 09 99"])
def test_a_stop_that_turns_the_unit_is_refused(stop: str) -> None:
    with pytest.raises(ValueError, match="stop is a frame that turns the unit"):
        FrameLayout(template="02{direction}0{speed}", direction=WORDS, speed=SPEED, stop=stop)
    signed = SpeedField(digits=2, fastest=9, encoding=SpeedEncoding.HEX, sign=Sign.TWOS_COMPLEMENT)
    with pytest.raises(ValueError, match="stop is a frame that turns the unit"):
        FrameLayout(template="02{speed}", speed=signed, stop="02 ff")
    assert FrameLayout(template="02{speed}", speed=signed, stop="02 00").stop_frame == b"\2\0"
