from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.h264_streams import h264_stream

from belvedere.errors import BitstreamError
from belvedere.stage.h264 import (
    HIGH,
    LEVELS,
    MAX_NAL_UNITS,
    NalType,
    SliceType,
    join_nal_units,
    lowest_level,
    nal_type,
    read_sps,
    slice_type,
    split_nal_units,
)

SIZES = [(1280, 720), (1920, 1080), (960, 540), (640, 360), (322, 182), (64, 48), (3840, 2160)]
ANY_BYTES = st.binary(max_size=200) | st.lists(
    st.sampled_from([b"\0\0\1", b"\0\0\0\1", b"\0", b"\x67", b"\x68\xce", b"\x65\x88", b"\xff", b"\0\0\3"]), max_size=40
).map(b"".join)


def unit_of(data: bytes, kind: NalType) -> bytes:
    return next(unit for unit in split_nal_units(data) if nal_type(unit) == kind)


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("profile", ["Baseline", "Main", "High"])
def test_an_sps_of_x264_is_read_as_x264_was_told(width: int, height: int, profile: str) -> None:
    sps = read_sps(unit_of(h264_stream(width, height, profile, level="5.1")[0], NalType.SPS))
    assert (sps.width, sps.height) == (width, height)
    assert (sps.chroma_format, sps.bit_depth, sps.is_interlaced, sps.fps) == (1, 8, False, 25.0)
    assert sps.level == 51
    assert sps.max_reorder == 0
    assert sps.is_constrained_baseline is (profile == "Baseline" or sps.profile == 66)


def test_the_codec_string_and_rtps_parameter_are_the_three_bytes_of_the_sps() -> None:
    sps = read_sps(unit_of(h264_stream(1280, 720, level="3.1")[0], NalType.SPS))
    assert (sps.codec, sps.profile_level_id) == ("avc1.42c01f", "42c01f")


def test_an_sps_says_that_b_frames_reorder_pictures_and_slices_say_which_they_are() -> None:
    units = h264_stream(320, 192, "Main", count=12, bf="2", x264_params="b-adapt=0")
    sps = read_sps(unit_of(units[0], NalType.SPS))
    assert sps.max_reorder is not None
    assert sps.max_reorder > 0
    slices = [unit for data in units for unit in split_nal_units(data) if nal_type(unit) in {1, 5}]
    assert {slice_type(unit) for unit in slices} == {SliceType.I, SliceType.P, SliceType.B}
    assert slice_type(slices[0]) is SliceType.I


@pytest.mark.parametrize(
    ("profile", "order", "max_reorder"),
    [(66, "1" + "1", 0), (66, "011", 0), (77, "011", 0), (77, "1" + "1", None), (77, "010" + "0" + "1" * 3, None)],
)
def test_without_vui_only_the_profile_and_the_order_of_pictures_tell_that_none_is_shown_later(
    profile: int, order: str, max_reorder: int | None
) -> None:
    bits = "1" + "1" + order + "010" + "0" + "0000001010000" + "00000101101" + "1" + "1" + "0" + "0" + "1"
    size = -(-len(bits) // 8)
    unit = bytes([0x67, profile, 0x40, 31]) + int(bits.ljust(size * 8, "0"), 2).to_bytes(size)
    sps = read_sps(unit)
    assert (sps.width, sps.height, sps.fps, sps.max_reorder) == (1280, 720, None, max_reorder)


def test_interlaced_pictures_are_known_and_have_all_their_rows() -> None:
    sps = read_sps(unit_of(h264_stream(720, 576, "Main", x264_params="interlaced=1")[0], NalType.SPS))
    assert (sps.width, sps.height, sps.is_interlaced) == (720, 576, True)


def test_scaling_matrices_and_other_chroma_formats_are_read_over() -> None:
    stream = h264_stream(320, 192, "High 4:4:4 Predictive", pix_fmt="yuv444p", x264_params="cqm=jvt")
    sps = read_sps(unit_of(stream[0], NalType.SPS))
    assert (sps.width, sps.height, sps.chroma_format, sps.profile) == (320, 192, 3, 244)
    sps = read_sps(unit_of(h264_stream(320, 192, "High", x264_params="cqm=jvt")[0], NalType.SPS))
    assert (sps.width, sps.height, sps.profile, sps.max_reorder) == (320, 192, HIGH, 0)


def test_the_hypothetical_decoder_of_an_sps_is_read_over() -> None:
    hrd = "nal-hrd=cbr:bitrate=500:vbv-maxrate=500:vbv-bufsize=50"
    sps = read_sps(unit_of(h264_stream(320, 192, "Main", x264_params=hrd)[0], NalType.SPS))
    assert (sps.fps, sps.max_reorder) == (25.0, 0)


def test_an_access_unit_is_split_at_start_codes_of_both_lengths() -> None:
    data = b"\0\0\0\1\x09\xf0\0\0\1\x67\x42\0\0\0\0\1\x68\xce\0\0\0\1\x65\x88\x80\0\0"
    units = split_nal_units(data)
    assert units == [b"\x09\xf0", b"\x67\x42", b"\x68\xce", b"\x65\x88\x80"]
    assert [nal_type(unit) for unit in units] == [
        NalType.ACCESS_UNIT_DELIMITER,
        NalType.SPS,
        NalType.PPS,
        NalType.IDR,
    ]
    assert split_nal_units(join_nal_units(units)) == units


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "start code"),
        (b"\x65\x88", "start code"),
        (b"\0\0\0\x05\x65\0\0\1\x65", "start code"),
        (b"\0\0\1\0\0\0\1", "empty"),
        (b"\0\0\1\x65" * (MAX_NAL_UNITS + 1), "more than"),
    ],
)
def test_what_is_no_access_unit_is_refused_with_the_reason(data: bytes, what: str) -> None:
    with pytest.raises(BitstreamError, match=what):
        split_nal_units(data)


@pytest.mark.parametrize(
    ("unit", "what"),
    [
        (b"", "not a sequence parameter set"),
        (b"\x68\xce", "not a sequence parameter set"),
        (b"\x67\x42\xc0\x1f", "too early"),
        (b"\x67" + b"\1" * 2000, "2001 bytes"),
        (b"\x67\x42\xc0\x1f" + b"\0" * 30, "32 bits"),
        (b"\x67\x42\xc0\x1f\0\0\4\0\0\0", "at most 31"),
    ],
)
def test_what_is_no_sps_is_refused_with_the_reason(unit: bytes, what: str) -> None:
    with pytest.raises(BitstreamError, match=what):
        read_sps(unit)


@pytest.mark.parametrize("cut", range(1, 20))
def test_a_truncated_sps_is_refused_or_has_its_size(cut: int) -> None:
    unit = unit_of(h264_stream(1280, 720)[0], NalType.SPS)
    try:
        sps = read_sps(unit[:-cut])
    except BitstreamError:
        return
    assert (sps.width, sps.height) == (1280, 720)


@given(ANY_BYTES)
def test_any_bytes_are_split_or_refused(data: bytes) -> None:
    try:
        units = split_nal_units(data)
    except BitstreamError:
        return
    assert all(units)
    assert not any(b"\0\0\1" in unit for unit in units)
    assert split_nal_units(join_nal_units(units)) == units


@given(ANY_BYTES)
def test_any_bytes_are_an_sps_with_possible_values_or_refused(data: bytes) -> None:
    for unit in (data, b"\x67" + data, b"\x67\x64\0\x1f" + data):
        try:
            sps = read_sps(unit)
        except BitstreamError:
            continue
        assert 0 < sps.width <= 16_880
        assert 0 < sps.height <= 33_760
        assert len(sps.codec) == 11


@given(st.binary(min_size=1, max_size=60))
def test_any_bytes_are_a_slice_or_refused(data: bytes) -> None:
    try:
        kind = slice_type(data)
    except BitstreamError:
        return
    assert kind in SliceType


@given(st.integers(0, 500))
def test_a_damaged_sps_is_read_or_refused(bit: int) -> None:
    unit = bytearray(unit_of(SPS_720P, NalType.SPS))
    unit[bit // 8 % len(unit)] ^= 1 << bit % 8
    try:
        sps = read_sps(bytes(unit))
    except BitstreamError:
        return
    assert sps.width > 0


SPS_720P = h264_stream(1280, 720, "High")[0]


@pytest.mark.parametrize(
    ("width", "height", "fps", "kbit_per_s", "level"),
    [
        (1280, 720, 30, 3000, 31),
        (1280, 720, 60, 3000, 32),
        (1920, 1080, 30, 5000, 40),
        (1920, 1080, 60, 5000, 42),
        (640, 360, 30, 1000, 30),
        (640, 360, 30, 12_000, 31),
        (3840, 2160, 30, 20_000, 51),
        (160, 96, 1, 50, 10),
        (8192, 8192, 300, 1000, 62),
    ],
)
def test_the_level_is_the_lowest_that_allows_size_rate_and_bitrate(
    width: int, height: int, fps: int, kbit_per_s: int, level: int
) -> None:
    assert lowest_level(width, height, fps, kbit_per_s) == level


def test_levels_rise_in_all_their_limits() -> None:
    for low, high in itertools.pairwise(LEVELS):
        assert low[0] < high[0]
        assert all(below <= above for below, above in zip(low, high, strict=True))
