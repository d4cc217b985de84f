from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from belvedere.stage.sources.jpeg_stream import MAX_PICTURE_BYTES, JpegSplitter

SCAN = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
SOI, EOI = b"\xff\xd8", b"\xff\xd9"


def segment(code: int, content: bytes) -> bytes:
    return bytes([0xFF, code]) + (len(content) + 2).to_bytes(2, "big") + content


def jpeg(scan: bytes = b"\x01\xff\x00\x02\xff\xd0\x03", thumbnail: bytes = b"", scans: int = 1) -> bytes:
    """The skeleton of a JPEG picture: what a splitter sees of it."""
    head = SOI + segment(0xE1, b"Exif\0\0" + thumbnail) + b"\xff" + segment(0xC4, b"\x00" * 20)
    return head + (SCAN + scan) * scans + EOI


SMALL = jpeg()
WITH_THUMBNAIL = jpeg(thumbnail=SMALL)
PROGRESSIVE = jpeg(scans=3)
LONG = jpeg(scan=b"\x55" * 70_000)


def split(data: bytes, size: int | None = None) -> list[bytes]:
    splitter, pictures = JpegSplitter(), []
    for start in range(0, len(data), size or len(data)):
        pictures += splitter.receive(data[start : start + (size or len(data))])
    return pictures


@given(
    st.lists(st.sampled_from([SMALL, WITH_THUMBNAIL, PROGRESSIVE]), max_size=6),
    st.sampled_from([b"", b"\r\n--boundary\r\nContent-Length: 12\r\n\r\n", b"\xff", b"\x00\xff\xd9"]),
    st.integers(1, 50),
)
def test_pictures_come_out_as_they_are_however_the_bytes_arrive(
    pictures: list[bytes], between: bytes, size: int
) -> None:
    assert split(b"".join(between + picture for picture in pictures), size) == pictures


def test_a_picture_is_whole_with_its_last_byte() -> None:
    splitter = JpegSplitter()
    assert splitter.receive(SMALL[:-1]) == []
    assert splitter.receive(SMALL[-1:]) == [SMALL]


def test_a_picture_that_was_cut_off_is_dropped_and_the_next_is_not() -> None:
    for cut in range(2, len(SMALL) - 1):
        found = split(SMALL[:cut] + LONG + SMALL)
        assert found[-1] == SMALL
        assert LONG in found or cut < SMALL.index(SCAN) + len(SCAN)  # a damaged length may lead into the next picture


def test_a_picture_with_a_damaged_marker_is_dropped() -> None:
    damaged = bytearray(SMALL)
    damaged[2] = 0x12
    assert split(bytes(damaged) + SMALL) == [SMALL]


def test_what_belongs_to_no_picture_is_counted_until_the_next_one() -> None:
    splitter = JpegSplitter()
    splitter.receive(b"no picture at all")
    assert splitter.skipped == len("no picture at all") - 1
    splitter.receive(SMALL)
    assert splitter.skipped == 0


def test_a_picture_without_end_takes_no_more_memory_than_the_longest() -> None:
    splitter = JpegSplitter()
    splitter.receive(SMALL[: SMALL.index(SCAN)] + SCAN)
    for _ in range(2 * MAX_PICTURE_BYTES // 2**20):
        assert splitter.receive(b"\x55" * 2**20) == []
        assert len(splitter._buffer) <= MAX_PICTURE_BYTES
    assert splitter.receive(SMALL) == [SMALL]


@given(st.binary(max_size=400), st.integers(1, 40))
def test_garbage_is_survived_and_only_what_begins_and_ends_as_a_picture_comes_out(garbage: bytes, size: int) -> None:
    for picture in split(garbage.replace(b"\x00", b"\xff") + SMALL * 2, size):
        assert picture.startswith(SOI)
        assert picture.endswith(EOI)
