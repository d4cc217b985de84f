from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from belvedere.stage.sources.v4l2 import abi

if TYPE_CHECKING:
    import ctypes

IS_64_BIT = sys.maxsize > 2**32
# As a C compiler has them for <linux/videodev2.h> on 64-bit processors.
REQUESTS = {
    "QUERYCAP": 0x80685600,
    "ENUM_FMT": 0xC0405602,
    "G_FMT": 0xC0D05604,
    "S_FMT": 0xC0D05605,
    "REQBUFS": 0xC0145608,
    "QUERYBUF": 0xC0585609,
    "QBUF": 0xC058560F,
    "DQBUF": 0xC0585611,
    "STREAMON": 0x40045612,
    "STREAMOFF": 0x40045613,
    "S_PARM": 0xC0CC5616,
    "ENUMINPUT": 0xC050561A,
    "G_CTRL": 0xC008561B,
    "S_CTRL": 0xC008561C,
    "QUERYCTRL": 0xC0445624,
    "QUERYMENU": 0xC02C5625,
    "G_INPUT": 0x80045626,
    "S_INPUT": 0xC0045627,
    "ENUM_FRAMESIZES": 0xC02C564A,
    "ENUM_FRAMEINTERVALS": 0xC034564B,
    "S_DV_TIMINGS": 0xC0845657,
    "QUERY_DV_TIMINGS": 0x80845663,
}


@pytest.mark.skipif(not IS_64_BIT, reason="the figures are those of 64-bit processors")
def test_requests_have_the_numbers_of_the_kernels_header() -> None:
    assert {request.name: request.value for request in abi.Request} == REQUESTS


@pytest.mark.skipif(not IS_64_BIT, reason="the figures are those of 64-bit processors")
@pytest.mark.parametrize(
    ("structure", "field", "offset"),
    [
        (abi.Buffer, "timestamp", 24),
        (abi.Buffer, "sequence", 56),
        (abi.Buffer, "m", 64),
        (abi.Buffer, "length", 72),
        (abi.Format, "fmt", 8),
        (abi.FrameSize, "size", 12),
        (abi.FrameInterval, "interval", 20),
        (abi.Input, "std", 48),
        (abi.Input, "status", 56),
        (abi.Input, "capabilities", 60),
        (abi.QueryControl, "flags", 56),
        (abi.QueryMenu, "item", 8),
        (abi.PixFormat, "ycbcr_enc", 36),
        (abi.PixFormat, "quantization", 40),
        (abi.CaptureParameters, "timeperframe", 8),
    ],
)
def test_fields_are_where_the_kernels_header_has_them(
    structure: type[ctypes.Structure], field: str, offset: int
) -> None:
    assert getattr(structure, field).offset == offset


def test_a_four_character_code_and_its_number_are_the_same() -> None:
    assert abi.fourcc("MJPG") == 0x47504A4D
    assert abi.fourcc_text(0x47504A4D) == "MJPG"
    assert abi.fourcc_text(0x80000000 | abi.fourcc("Y16 ")) == "Y16?"


def test_names_by_drivers_are_reduced_to_one_printable_line() -> None:
    assert abi.text(b"USB Video: USB Video\0rubbish") == "USB Video: USB Video"
    assert abi.text(b"\x1b[31mred\n\xff") == "[31mred \N{REPLACEMENT CHARACTER}"
