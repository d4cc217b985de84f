"""Golden frames are from the phone's log of a ZEAPON PONS PT."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.errors import FrameError
from belvedere.head.checks import Check, Order
from belvedere.head.frames import pack, stop_frame, unpack
from belvedere.head.layout import DirectionWords, FrameLayout, Sign, SpeedEncoding, SpeedField
from belvedere.head.profile import shipped_profile

PONS = shipped_profile("zeapon-pons-pt").frame
HEX = FrameLayout(
    template="a5 {speed} ff {direction} 5a",
    direction=DirectionWords(none="0", positive="a", negative="b"),
    speed=SpeedField(digits=3, fastest=0x2BC, slowest=10, encoding=SpeedEncoding.HEX),
)
WORDS = DirectionWords(none="00", positive="01", negative="02")
CHECKED = FrameLayout(
    template="a5 {direction} {speed} {check}",
    direction=WORDS,
    speed=SpeedField(digits=4, fastest=999, encoding=SpeedEncoding.HEX, order=Order.LOW_FIRST),
    check=Check("CRC-8/MAXIM", first_byte=1),
)
TWO_WORDS = FrameLayout(
    template="a5 {direction} {speed}",
    direction=DirectionWords(positive="00", negative="01"),
    speed=SpeedField(digits=2, fastest=200, encoding=SpeedEncoding.HEX),
)
SIGNED = [
    FrameLayout(template="a5 {speed} 00", speed=SpeedField(4, fastest=999, encoding=SpeedEncoding.HEX, sign=sign))
    for sign in (Sign.TWOS_COMPLEMENT, Sign.OFFSET, Sign.MAGNITUDE)
]
GOLDEN = [
    (-436 / 999, "020200043600000000000000"),
    (1.0, "020100099900000000000000"),
    (-50 / 999, "020200005000000000000000"),
    (0.0, "020000000000000000000000"),
]


@pytest.mark.parametrize(("velocity", "frame"), GOLDEN)
def test_a_velocity_becomes_the_frame_of_the_log(velocity: float, frame: str) -> None:
    assert pack(PONS, velocity).hex() == frame


@pytest.mark.parametrize(("velocity", "frame"), GOLDEN)
def test_a_frame_of_the_log_becomes_its_velocity(velocity: float, frame: str) -> None:
    assert unpack(PONS, bytes.fromhex(frame)) == pytest.approx(velocity)


@pytest.mark.parametrize("layout", [PONS, HEX, CHECKED, TWO_WORDS, *SIGNED])
@pytest.mark.parametrize("sign", [1, -1])
def test_every_speed_in_both_directions_survives_encoding_and_decoding(layout: FrameLayout, sign: int) -> None:
    for speed in range(layout.speed.slowest, layout.speed.fastest + 1):
        velocity = sign * speed / layout.speed.fastest
        frame = pack(layout, velocity)
        assert unpack(layout, frame) == velocity
        assert pack(layout, unpack(layout, frame)) == frame


@given(st.floats(-1, 1))
def test_any_velocity_is_rounded_to_the_nearest_speed_of_the_head(velocity: float) -> None:
    assert abs(unpack(PONS, pack(PONS, velocity)) - velocity) <= 0.5 / 999 + 1e-12


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_frames_keep_the_order_of_velocities(one: float, other: float) -> None:
    slow, fast = sorted((one, other))
    assert unpack(PONS, pack(PONS, slow)) <= unpack(PONS, pack(PONS, fast))


@given(st.floats(-9 / 700, 9 / 700))
def test_what_is_slower_than_the_slowest_speed_is_a_stop(velocity: float) -> None:
    assert pack(HEX, velocity) == stop_frame(HEX)


@pytest.mark.parametrize("velocity", [math.nan, math.inf, -math.inf, 1.0001, -2])
def test_a_velocity_out_of_range_is_refused(velocity: float) -> None:
    with pytest.raises(FrameError, match="not in"):
        pack(PONS, velocity)


@given(st.binary(max_size=20))
def test_any_bytes_are_a_velocity_or_a_frame_error(frame: bytes) -> None:
    try:
        velocity = unpack(PONS, frame)
    except FrameError:
        return
    assert -1 <= velocity <= 1


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        ("0202000436", "12 bytes"),
        ("030200043600000000000000", "template"),
        ("020200043600000000000001", "template"),
        ("020300043600000000000000", "direction"),
        ("02020004a600000000000000", "digits"),
    ],
)
def test_bytes_that_do_not_match_the_layout_are_refused(frame: str, problem: str) -> None:
    with pytest.raises(FrameError, match=problem):
        unpack(PONS, bytes.fromhex(frame))


@pytest.mark.parametrize(
    ("layout", "frame"), [(CHECKED, "a5000000"), *zip(SIGNED, ("a5000000", "a5800000", "a5000000"), strict=True)]
)
def test_a_stop_has_no_direction_and_speed_0(layout: FrameLayout, frame: str) -> None:
    assert stop_frame(layout).hex().startswith(frame)
    assert unpack(layout, stop_frame(layout)) == 0


def test_a_frame_with_a_wrong_check_is_refused() -> None:
    frame = pack(CHECKED, 0.5)
    with pytest.raises(FrameError, match="check"):
        unpack(CHECKED, frame[:-1] + bytes([frame[-1] ^ 1]))


def test_a_speed_above_the_fastest_is_refused() -> None:
    with pytest.raises(FrameError, match="fastest"):
        unpack(HEX, bytes.fromhex("a52bdffa5a"))


def test_a_frame_without_direction_is_a_stop_whatever_its_speed() -> None:
    assert unpack(PONS, bytes.fromhex("020000043600000000000000")) == 0


def test_a_verbatim_stop_is_what_stops_and_means_rest() -> None:
    layout = msgspec.structs.replace(HEX, stop="aa bb")
    assert stop_frame(layout) == b"\xaa\xbb"
    assert unpack(layout, b"\xaa\xbb") == 0
    assert pack(layout, 0.0) == b"\xaa\xbb"
    assert pack(layout, 1.0) == pack(HEX, 1.0)
