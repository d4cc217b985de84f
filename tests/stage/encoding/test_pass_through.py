from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.h264_streams import h264_stream

from belvedere.errors import BitstreamError
from belvedere.stage.encoding.pass_through import MAX_DAMAGED, MAX_PARAMETER_SETS, PassThrough, RepairedUnit
from belvedere.stage.h264 import NalType, join_nal_units, nal_type, split_nal_units

STREAM = h264_stream(320, 192, count=6, idr_every=3)
SETS, IDR = split_nal_units(STREAM[0])[:2], split_nal_units(STREAM[0])[2]


def kinds(unit: RepairedUnit | None) -> list[int]:
    assert unit is not None
    return [nal_type(each) for each in split_nal_units(unit.data)]


@pytest.mark.parametrize("profile", ["Baseline", "Main", "High"])
def test_what_browsers_show_passes_unchanged(profile: str) -> None:
    stream = h264_stream(320, 192, profile, count=6, idr_every=3)
    passing = PassThrough()
    assert [passing.receive(data) for data in stream] == [
        RepairedUnit(data, number % 3 == 0) for number, data in enumerate(stream)
    ]
    assert passing.obstacle == ""
    assert passing.sps is not None
    assert (passing.sps.width, passing.sps.height) == (320, 192)


def test_parameter_sets_that_came_once_are_put_before_every_idr() -> None:
    passing = PassThrough()
    assert passing.receive(join_nal_units(SETS)) is None
    for _ in range(2):
        unit = passing.receive(join_nal_units([IDR]))
        assert kinds(unit) == [NalType.SPS, NalType.PPS, NalType.IDR]
        assert unit is not None
        assert unit.is_idr


def test_a_missing_set_is_added_to_the_one_that_comes() -> None:
    passing = PassThrough()
    passing.receive(STREAM[0])
    assert kinds(passing.receive(join_nal_units([SETS[0], IDR]))) == [NalType.SPS, NalType.PPS, NalType.IDR]


def test_delimiters_and_filler_are_left_out_and_comments_are_not() -> None:
    passing = PassThrough()
    units = [b"\x09\xf0", *SETS, b"\x06\x05\x01\x02\x80", IDR, b"\x0c\xff\xff\x80"]
    assert kinds(passing.receive(join_nal_units(units))) == [NalType.SPS, NalType.PPS, NalType.SEI, NalType.IDR]


def test_nothing_passes_before_the_first_idr_and_after_something_was_lost() -> None:
    passing = PassThrough()
    assert passing.receive(STREAM[1]) is None
    assert passing.receive(STREAM[0]) is not None
    assert passing.receive(STREAM[1]) is not None
    passing.skip_to_idr()
    assert passing.receive(STREAM[2]) is None
    assert passing.receive(STREAM[3]) is not None


def test_an_idr_without_any_parameter_sets_is_left_out() -> None:
    assert PassThrough().receive(join_nal_units([IDR])) is None


def test_a_stream_that_changes_its_size_is_described_anew_and_loses_the_old_sets() -> None:
    passing = PassThrough()
    passing.receive(STREAM[0])
    passing.receive(join_nal_units([b"\x68\x5a\x80"]))  # another PPS of the old stream, with the number 1
    before = passing.sps
    unit = passing.receive(h264_stream(640, 352)[0])
    assert kinds(unit) == [NalType.SPS, NalType.PPS, NalType.IDR]
    assert passing.sps is not None
    assert passing.sps is not before
    assert (passing.sps.width, passing.sps.height) == (640, 352)


@pytest.mark.parametrize(
    ("stream", "what"),
    [
        (h264_stream(320, 192, "Main", count=8, bf="2", x264_params="b-adapt=0"), "B-frames"),
        (h264_stream(320, 192, "Main", x264_params="interlaced=1"), "interlaced"),
        (h264_stream(320, 192, "High 4:4:4 Predictive", pix_fmt="yuv444p"), "profile, 244"),
        (h264_stream(320, 192, "High", pix_fmt="gray"), "4:2:0"),
    ],
)
def test_what_browsers_do_not_show_is_handed_out_with_the_reason(stream: list[bytes], what: str) -> None:
    passing = PassThrough()
    assert passing.receive(stream[0]) is not None
    assert what in passing.obstacle


def test_b_frames_are_found_in_a_stream_that_does_not_tell_of_them() -> None:
    stream = h264_stream(320, 192, "Main", count=8, bf="2", x264_params="b-adapt=0")
    passing = PassThrough()
    passing.receive(stream[0])
    passing.obstacle = ""  # as if the SPS had no bitstream_restriction
    for data in stream[1:]:
        passing.receive(data)
    assert "B-frames" in passing.obstacle


def test_a_source_of_nothing_but_damage_fails_after_a_while() -> None:
    passing = PassThrough()
    for _ in range(MAX_DAMAGED - 1):
        assert passing.receive(b"junk") is None
    with pytest.raises(BitstreamError):
        passing.receive(b"junk")


def test_damage_that_is_followed_by_an_idr_is_forgotten() -> None:
    passing = PassThrough()
    for _ in range(3 * MAX_DAMAGED):
        assert passing.receive(b"junk") is None
        assert passing.receive(STREAM[1]) is None
        assert passing.receive(STREAM[0]) is not None


def test_parameter_sets_without_number_do_not_fill_the_memory() -> None:
    passing = PassThrough()
    passing.receive(STREAM[0])
    for number in range(50):  # a PPS with each number, as ue(v)
        bits = f"{number + 1:b}"
        code = "0" * (len(bits) - 1) + bits + "1"
        passing.receive(join_nal_units([b"\x68" + int(code.ljust(24, "0"), 2).to_bytes(3)]))
    assert len(passing._sets) <= MAX_PARAMETER_SETS


@given(st.lists(st.sampled_from(STREAM) | st.binary(max_size=60), max_size=20), st.integers(0, 400))
def test_any_bytes_pass_as_a_stream_that_begins_with_an_idr_and_its_sets(units: list[bytes], cut: int) -> None:
    passing = PassThrough()
    has_begun = False
    for data in units:
        unit = passing.receive(data[: len(data) - cut % (len(data) + 1)] if cut % 3 == 0 else data)
        if unit is not None:
            has_begun = has_begun or unit.is_idr
            assert has_begun
            if unit.is_idr:
                assert kinds(unit)[:2] == [NalType.SPS, NalType.PPS]
