from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.stage.sources.v4l2.negotiation import (
    PIXEL_FORMATS,
    Mode,
    NoModeError,
    PixelFormat,
    choose,
    output_size,
    rate_text,
)

Table = dict[str, dict[tuple[int, int], tuple[float, ...]]]

HD, FULL_HD, VGA = (1280, 720), (1920, 1080), (640, 480)
# What drivers list for real devices, in their order; the sizes that do not matter here are left out.
MS2109: Table = {  # the usual USB 2 capture stick
    "YUYV": {FULL_HD: (5,), (1360, 768): (8,), HD: (10,), VGA: (20,)},
    "MJPG": {FULL_HD: (30, 25, 20, 10, 5), HD: (60, 50, 30, 20, 10), VGA: (60, 50, 30, 20, 10)},
}
MS2130: Table = {  # the usual USB 3 capture stick
    "YUYV": {FULL_HD: (60, 50, 30), HD: (60, 50, 30)},
    "MJPG": {FULL_HD: (60, 50, 30), HD: (60, 50, 30)},
}
CAM_LINK_4K: Table = {"NV12": {(3840, 2160): (30,), FULL_HD: (59.94,)}, "YUYV": {FULL_HD: (59.94,)}}
C920: Table = {
    "YUYV": {VGA: (30, 24, 15), HD: (10, 7.5, 5), FULL_HD: (5,)},
    "H264": {VGA: (30, 24), HD: (30, 24), FULL_HD: (30, 24)},
    "MJPG": {VGA: (30, 24), HD: (30, 24), FULL_HD: (30, 24)},
}
OLD_WEBCAM: Table = {"YUYV": {VGA: (30, 15), (352, 288): (30,), HD: (7.5,)}}
PI_CAMERA_LEGACY: Table = {"YU12": {HD: (90,)}, "YUYV": {HD: (90,)}, "MJPG": {HD: (90,)}, "H264": {HD: (90,)}}
H264_ONLY: Table = {"H264": {FULL_HD: (30,), HD: (30,)}}
INFRARED: Table = {"GREY": {VGA: (30,)}}


def modes(table: Table) -> list[Mode]:
    return [
        Mode(code, *size, tuple((Fraction(rate).limit_denominator(1001),) * 2 for rate in rates))
        for code, sizes in table.items()
        for size, rates in sizes.items()
    ]


def chosen(table: Table, size: tuple[int, int], fps: int, pixel_format: PixelFormat | None = None) -> str:
    choice = choose(modes(table), *size, fps, pixel_format)
    return f"{choice.mode} {rate_text(choice.rate)}"


@pytest.mark.parametrize(
    ("table", "size", "fps", "expected"),
    [
        (MS2109, FULL_HD, 30, "MJPG 1920x1080 30/s"),
        (MS2109, HD, 30, "MJPG 1280x720 30/s"),
        (MS2109, HD, 60, "MJPG 1280x720 60/s"),
        (MS2109, FULL_HD, 60, "MJPG 1920x1080 30/s"),
        (MS2109, FULL_HD, 5, "YUYV 1920x1080 5/s"),
        (MS2130, FULL_HD, 60, "YUYV 1920x1080 60/s"),
        (MS2130, HD, 25, "YUYV 1280x720 30/s"),
        (CAM_LINK_4K, FULL_HD, 60, "NV12 1920x1080 59.94/s"),
        (CAM_LINK_4K, HD, 30, "NV12 1920x1080 59.94/s"),
        (C920, HD, 30, "MJPG 1280x720 30/s"),
        (C920, VGA, 30, "YUYV 640x480 30/s"),
        (C920, FULL_HD, 30, "MJPG 1920x1080 30/s"),
        (OLD_WEBCAM, HD, 30, "YUYV 640x480 30/s"),
        (OLD_WEBCAM, HD, 10, "YUYV 1280x720 7.5/s"),
        (PI_CAMERA_LEGACY, HD, 30, "YU12 1280x720 90/s"),
        (H264_ONLY, HD, 30, "H264 1280x720 30/s"),
        ({"MJPG": {HD: (15,)}, "H264": {HD: (30,)}}, HD, 30, "MJPG 1280x720 15/s"),
        ({"MJPG": {HD: (10,)}, "H264": {HD: (30,)}}, HD, 30, "H264 1280x720 30/s"),
    ],
)
def test_the_quickest_mode_of_the_wanted_size_is_chosen(
    table: Table, size: tuple[int, int], fps: int, expected: str
) -> None:
    assert chosen(table, size, fps) == expected


def test_the_format_can_be_prescribed() -> None:
    assert chosen(C920, HD, 30, PixelFormat.H264) == "H264 1280x720 30/s"
    assert chosen(MS2109, FULL_HD, 30, PixelFormat.YUYV) == "YUYV 640x480 20/s"


def test_a_camera_without_a_usable_format_is_refused_with_those_that_it_has() -> None:
    with pytest.raises(NoModeError, match="its formats are: GREY"):
        choose(modes(INFRARED), *HD, 30)
    with pytest.raises(NoModeError, match="does not offer h264; its formats are: YUYV, MJPG"):
        choose(modes(MS2109), *HD, 30, PixelFormat.H264)
    with pytest.raises(NoModeError, match="its formats are: none"):
        choose([], *HD, 30)


def test_a_rate_that_a_driver_lists_as_a_range_is_taken_from_within_it() -> None:
    choice = choose([Mode("YUYV", *HD, ((Fraction(5), Fraction(120)),))], *HD, 30)
    assert choice.rate == 30
    assert choose([Mode("YUYV", *HD, ((Fraction(5), Fraction(20)),))], *HD, 30).rate == 20


def test_a_mode_of_unknown_rate_comes_after_one_that_is_known_to_be_fast_enough() -> None:
    unknown, known = Mode("YUYV", *HD), Mode("MJPG", *HD, ((Fraction(30), Fraction(30)),))
    assert choose([unknown, known], *HD, 30).mode is known
    assert choose([unknown], *HD, 30).rate is None


@pytest.mark.parametrize(
    ("table", "size", "expected"),
    [
        (MS2109, FULL_HD, "MJPG 1920x1080 at 30/s: as wanted (in this size also YUYV 5/s)"),
        (CAM_LINK_4K, HD, "the nearest to 1280x720 at 30/s"),
        (OLD_WEBCAM, HD, "smaller than 1280x720 at 30/s, since no mode of that size has half of that rate"),
        ({"YUYV": {HD: (5,)}}, HD, "slower than 1280x720 at 30/s, but nothing here is faster"),
    ],
)
def test_the_reason_says_what_was_wanted_and_what_else_there_was(
    table: Table, size: tuple[int, int], expected: str
) -> None:
    assert expected in choose(modes(table), *size, 30).reason


@pytest.mark.parametrize(
    ("camera", "wanted", "expected"),
    [
        (FULL_HD, HD, HD),
        (HD, HD, HD),
        ((1360, 768), HD, HD),
        (VGA, HD, VGA),
        ((1024, 768), HD, (960, 720)),
        ((720, 576), HD, (704, 564)),
        ((16, 16), HD, (32, 32)),
        ((2160, 3840), HD, (416, 720)),
    ],
)
def test_pictures_are_scaled_down_in_their_shape_and_never_up(
    camera: tuple[int, int], wanted: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert output_size(*camera, *wanted) == expected


SIDES = st.integers(16, 8192)


@given(SIDES, SIDES, st.integers(5, 120).map(lambda n: n * 32), st.integers(48, 1080).map(lambda n: n * 2))
def test_every_size_is_one_that_the_encoder_takes(
    width: int, height: int, wanted_width: int, wanted_height: int
) -> None:
    scaled_width, scaled_height = output_size(width, height, wanted_width, wanted_height)
    assert scaled_width % 32 == 0
    assert scaled_height % 2 == 0
    assert 0 < scaled_width <= wanted_width
    assert 0 < scaled_height <= wanted_height


RATES = st.sampled_from(
    [Fraction(1, 100), Fraction(5), Fraction(15, 2), Fraction(30_000, 1001), Fraction(30), Fraction(60)]
)
MODES = st.builds(
    Mode,
    st.sampled_from([*PIXEL_FORMATS, "GREY"]),
    SIDES,
    SIDES,
    st.lists(st.tuples(RATES, RATES).map(lambda pair: (min(pair), max(pair))), max_size=4).map(tuple),
)


@given(st.lists(MODES, max_size=12), st.integers(1, 60))
def test_whatever_a_driver_lists_the_choice_is_one_of_it_and_none_is_better_in_all_respects(
    listed: list[Mode], fps: int
) -> None:
    usable = [mode for mode in listed if mode.pixel_format is not None]
    if not usable:
        with pytest.raises(NoModeError):
            choose(listed, *HD, fps)
        return
    choice = choose(listed, *HD, fps)
    assert choice.mode in usable
    if choice.rate is not None:
        assert any(slowest <= choice.rate <= fastest for slowest, fastest in choice.mode.rates)
    same = [mode for mode in usable if (mode.width, mode.height) == (choice.mode.width, choice.mode.height)]
    rates = [rate for mode in same if (rate := mode.rate_for(fps)) is not None and mode.pixel_format != "h264"]
    assert (
        choice.rate is None or choice.pixel_format == "h264" or choice.rate >= min(max(rates), fps * Fraction(95, 100))
    )
