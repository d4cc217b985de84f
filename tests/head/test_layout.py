import pytest

from belvedere.head.layout import DirectionWords, FrameLayout, SpeedEncoding, SpeedField

WORDS = DirectionWords(none="00", positive="01", negative="02")
SPEED = SpeedField(digits=3, fastest=999)


def test_blanks_in_a_template_do_not_count() -> None:
    spaced = FrameLayout(template="02 {direction} 000 {speed} 00", direction=WORDS, speed=SPEED)
    dense = FrameLayout(template="02{direction}000{speed}00", direction=WORDS, speed=SPEED)
    assert spaced.digits("positive", 436) == dense.digits("positive", 436) == "0201000436" + "00"


def test_the_speed_may_stand_before_the_direction() -> None:
    layout = FrameLayout(template="{speed}a{direction}", direction=WORDS, speed=SPEED)
    assert not layout.is_direction_first
    assert layout.digits("negative", 7) == "007a02"


@pytest.mark.parametrize(("encoding", "digits"), [(SpeedEncoding.BCD, "0436"), (SpeedEncoding.HEX, "01b4")])
def test_a_speed_is_written_as_its_encoding_says(encoding: SpeedEncoding, digits: str) -> None:
    assert SpeedField(digits=4, fastest=999, encoding=encoding).digits_of(436) == digits


@pytest.mark.parametrize(
    "template", ["02{direction}", "{speed}{speed}{direction}", "0x{direction}{speed}", "0{direction}{speed}0"]
)
def test_a_template_that_is_no_frame_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="template must"):
        FrameLayout(template=template, direction=WORDS, speed=SPEED)


@pytest.mark.parametrize("words", [("00", "01", "01"), ("00", "1", "02"), ("aa", "AA", "bb")])
def test_direction_words_must_differ_and_be_of_one_length(words: tuple[str, str, str]) -> None:
    with pytest.raises(ValueError, match="three different words"):
        DirectionWords(*words)


@pytest.mark.parametrize(("fastest", "slowest"), [(1000, 1), (10, 11)])
def test_a_speed_range_must_fit_its_digits_and_be_a_range(fastest: int, slowest: int) -> None:
    with pytest.raises(ValueError, match="at most"):
        SpeedField(digits=3, fastest=fastest, slowest=slowest)
