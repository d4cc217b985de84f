"""Reads H.264 byte streams (ITU-T H.264, Annex B) as far as passing them on needs: NAL units, SPS, slice types. Pure.

Nothing that a camera sends is trusted: every function takes any bytes, does an amount of work that is bounded by their
length, and raises BitstreamError where they cannot be read. Clause numbers are those of ITU-T H.264 (08/2021).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from belvedere.errors import BitstreamError

START_CODE = b"\0\0\1"
LONG_START_CODE = b"\0" + START_CODE  # required before parameter sets and the first NAL unit (B.1.2)
MAX_NAL_UNITS = 1024  # of an access unit: one slice for each row of macroblocks makes 270 at most
MAX_SPS_BYTES = 1024  # real ones have 10 to 60 bytes; scaling lists can make it a few hundred
MAX_GOLOMB_ZEROS = 32  # 9.1: a value has at most 32 bits
MAX_MACROBLOCKS = 139_264  # level 6.2, table A-1
MAX_ROWS = 1055  # sqrt(8 * MAX_MACROBLOCKS), A.3.1
MACROBLOCK = 16  # pixels

BASELINE, MAIN, HIGH = 66, 77, 100  # profile_idc, A.2
CONSTRAINED = 0x40  # constraint_set1_flag: with BASELINE, what is common to all profiles (A.2.1.1)
# The profiles whose SPS says more about colours (7.3.2.1.1).
WITH_CHROMA = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


class NalType(enum.IntEnum):
    """Kinds of NAL units, nal_unit_type (table 7-1); others exist."""

    SLICE = 1
    IDR = 5
    SEI = 6
    SPS = 7
    PPS = 8
    ACCESS_UNIT_DELIMITER = 9
    FILLER = 12


class SliceType(enum.IntEnum):
    """Kinds of slices, slice_type modulo 5 (table 7-6)."""

    P = 0
    B = 1
    I = 2  # noqa: E741 (its name in the standard)
    SP = 3
    SI = 4


# The levels (table A-1): level_idc, macroblocks a second, macroblocks a picture, kbit/s.
LEVELS = (
    (10, 1_485, 99, 64),
    (11, 3_000, 396, 192),
    (12, 6_000, 396, 384),
    (13, 11_880, 396, 768),
    (20, 11_880, 396, 2_000),
    (21, 19_800, 792, 4_000),
    (22, 20_250, 1_620, 4_000),
    (30, 40_500, 1_620, 10_000),
    (31, 108_000, 3_600, 14_000),
    (32, 216_000, 5_120, 20_000),
    (40, 245_760, 8_192, 20_000),
    (42, 522_240, 8_704, 50_000),
    (50, 589_824, 22_080, 135_000),
    (51, 983_040, 36_864, 240_000),
    (52, 2_073_600, 36_864, 240_000),
    (60, 4_177_920, MAX_MACROBLOCKS, 240_000),
    (61, 8_355_840, MAX_MACROBLOCKS, 480_000),
    (62, 16_711_680, MAX_MACROBLOCKS, 800_000),
)


def lowest_level(width: int, height: int, fps: float, kbit_per_s: float) -> int:
    """The level_idc that a stream of this size, rate and peak bitrate needs; the highest there is if none suffices."""
    macroblocks = -(-width // MACROBLOCK) * -(-height // MACROBLOCK)
    for level, per_s, per_picture, kbits in LEVELS:
        if macroblocks * fps <= per_s and macroblocks <= per_picture and kbit_per_s <= kbits:
            return level
    return LEVELS[-1][0]


def split_nal_units(data: bytes) -> list[bytes]:
    """The NAL units of an access unit, without start codes. Raises BitstreamError if there are none, or too many."""
    before, *units = data.split(START_CODE, MAX_NAL_UNITS + 1)
    if not units or before.strip(b"\0"):
        raise BitstreamError("not H.264 in Annex B format: it does not begin with a start code")
    if len(units) > MAX_NAL_UNITS:
        raise BitstreamError(f"more than {MAX_NAL_UNITS} NAL units in one access unit")
    # What is stripped are trailing_zero_8bits and the first byte of a long start code: no NAL unit ends in a zero byte.
    stripped = [unit for unit in (unit.rstrip(b"\0") for unit in units) if unit]
    if not stripped:
        raise BitstreamError("an access unit of empty NAL units")
    return stripped


def join_nal_units(units: list[bytes]) -> bytes:
    """An access unit of these NAL units."""
    return b"".join(LONG_START_CODE + unit for unit in units)


def nal_type(unit: bytes) -> int:
    """The nal_unit_type of a NAL unit that `split_nal_units` returned: a `NalType`, or another number."""
    return unit[0] & 0x1F


def slice_type(unit: bytes) -> SliceType:
    """The kind of slice in a NAL unit of type SLICE or IDR (7.3.3). Raises BitstreamError."""
    bits = _Bits(_without_emulation_prevention(unit[1:24]))  # two numbers of at most 63 bits
    bits.golomb(MAX_MACROBLOCKS)  # first_mb_in_slice
    return SliceType(bits.golomb(9) % 5)


def parameter_set_id(unit: bytes) -> int:
    """The number by which slices refer to a NAL unit of type SPS or PPS (7.4.2.1.1, 7.4.2.2). Raises BitstreamError."""
    if nal_type(unit) == NalType.SPS:
        return _Bits(_without_emulation_prevention(unit[4:16])).golomb(31)
    return _Bits(_without_emulation_prevention(unit[1:16])).golomb(255)


@dataclass(frozen=True, slots=True)
class Sps:
    """A sequence parameter set: what a decoder needs to know of a stream (7.3.2.1.1).

    Attributes:
        profile, constraints, level: the bytes profile_idc, constraint_set flags and level_idc.
        width, height: of the picture, cropped, in pixels.
        chroma_format: 0 for grey, 1 for 4:2:0, 2 for 4:2:2, 3 for 4:4:4.
        bit_depth: the greater of luma's and chroma's.
        is_interlaced: whether pictures may consist of fields.
        fps: pictures a second, or None if the stream does not tell.
        max_reorder: how many pictures can precede one in the stream and follow it on the screen, as B-frames need it;
            None if the stream does not tell.
    """

    profile: int
    constraints: int
    level: int
    width: int
    height: int
    chroma_format: int
    bit_depth: int
    is_interlaced: bool
    fps: float | None
    max_reorder: int | None

    @property
    def codec(self) -> str:
        """The codec string of RFC 6381, as WebCodecs takes it: `avc1.42e01f`."""
        return f"avc1.{self.profile_level_id}"

    @property
    def profile_level_id(self) -> str:
        """The same three bytes as RTP's format parameter (RFC 6184, section 8.1): `42e01f`."""
        return f"{self.profile:02x}{self.constraints:02x}{self.level:02x}"

    @property
    def is_constrained_baseline(self) -> bool:
        """Whether every decoder can decode it."""
        return self.profile == BASELINE and bool(self.constraints & CONSTRAINED)


def read_sps(unit: bytes) -> Sps:
    """Read a NAL unit of type SPS. Raises BitstreamError."""
    if not unit or nal_type(unit) != NalType.SPS:
        raise BitstreamError("not a sequence parameter set")
    if len(unit) > MAX_SPS_BYTES:
        raise BitstreamError(f"a sequence parameter set of {len(unit)} bytes")
    bits = _Bits(_without_emulation_prevention(unit[1:]))
    profile, constraints, level = bits.number(8), bits.number(8), bits.number(8)
    bits.golomb(31)  # seq_parameter_set_id
    chroma_format, bit_depth = _read_chroma(bits) if profile in WITH_CHROMA else (1, 8)
    bits.golomb(12)  # log2_max_frame_num_minus4
    is_in_order = _read_picture_order(bits)
    bits.golomb(16)  # max_num_ref_frames
    bits.number(1)  # gaps_in_frame_num_value_allowed_flag
    width, height, is_interlaced = _read_size(bits, chroma_format)
    fps, max_reorder = _read_vui(bits) if bits.number(1) else (None, None)
    if is_in_order or profile == BASELINE:
        max_reorder = 0
    return Sps(profile, constraints, level, width, height, chroma_format, bit_depth, is_interlaced, fps, max_reorder)


class _Bits:
    """Reads numbers from bytes, most significant bit first (7.2 and 9.1)."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data)
        self._left = len(data) * 8

    def number(self, count: int) -> int:
        """u(count)."""
        if count > self._left:
            raise BitstreamError("it ends too early")
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def golomb(self, most: int) -> int:
        """ue(v): at most `most`."""
        zeros = 0
        while not self.number(1):
            zeros += 1
            if zeros > MAX_GOLOMB_ZEROS:
                raise BitstreamError("a number of more than 32 bits")
        value = (1 << zeros) - 1 + self.number(zeros)
        if value > most:
            raise BitstreamError(f"{value} where at most {most} is allowed")
        return value

    def signed_golomb(self) -> int:
        """se(v): of at most 32 bits."""
        value = self.golomb((1 << 32) - 1)
        return (value + 1) // 2 if value & 1 else -(value // 2)


def _without_emulation_prevention(data: bytes) -> bytes:
    return data.replace(b"\0\0\3", b"\0\0")  # 7.4.1


def _read_chroma(bits: _Bits) -> tuple[int, int]:
    """Returns chroma_format and bit_depth."""
    chroma_format = bits.golomb(3)
    if chroma_format == 3:  # noqa: PLR2004 (4:4:4)
        bits.number(1)  # separate_colour_plane_flag
    bit_depth = 8 + max(bits.golomb(6), bits.golomb(6))
    bits.number(1)  # qpprime_y_zero_transform_bypass_flag
    if bits.number(1):  # seq_scaling_matrix_present_flag
        for index in range(12 if chroma_format == 3 else 8):  # noqa: PLR2004 (4:4:4)
            if bits.number(1):
                _skip_scaling_list(bits, 16 if index < 6 else 64)  # noqa: PLR2004 (six lists of 4x4 come first)
    return chroma_format, bit_depth


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    """7.3.2.1.1.1."""
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed_golomb()) % 256
            last = following or last


def _read_picture_order(bits: _Bits) -> bool:
    """Returns whether pictures are shown in the order in which they are sent."""
    kind = bits.golomb(2)  # pic_order_cnt_type
    if kind == 0:
        bits.golomb(12)  # log2_max_pic_order_cnt_lsb_minus4
    elif kind == 1:
        bits.number(1)
        bits.signed_golomb()
        bits.signed_golomb()
        for _ in range(bits.golomb(255)):
            bits.signed_golomb()
    return kind == 2  # noqa: PLR2004 (8.2.1.3)


def _read_size(bits: _Bits, chroma_format: int) -> tuple[int, int, bool]:
    """Returns width and height without the cropped margins, and whether there may be fields."""
    columns = bits.golomb(MAX_ROWS - 1) + 1
    rows = bits.golomb(MAX_ROWS - 1) + 1
    fields = 1 if bits.number(1) else 2  # frame_mbs_only_flag
    if fields > 1:
        rows *= 2
        bits.number(1)  # mb_adaptive_frame_field_flag
    if columns * rows > MAX_MACROBLOCKS:
        raise BitstreamError(f"a picture of {columns * MACROBLOCK}x{rows * MACROBLOCK} pixels")
    bits.number(1)  # direct_8x8_inference_flag
    width, height = columns * MACROBLOCK, rows * MACROBLOCK
    if bits.number(1):  # frame_cropping_flag
        left, right, top, bottom = (bits.golomb(MAX_ROWS * MACROBLOCK) for _ in range(4))
        width -= (left + right) * (2 if chroma_format in {1, 2} else 1)
        height -= (top + bottom) * (2 if chroma_format == 1 else 1) * fields
        if width <= 0 or height <= 0:
            raise BitstreamError("a picture that is cropped to nothing")
    return width, height, fields > 1


def _read_vui(bits: _Bits) -> tuple[float | None, int | None]:
    """Returns fps and max_reorder (E.1.1)."""
    _skip_picture_properties(bits)
    fps = _read_timing(bits) if bits.number(1) else None
    has_hrds = [_skip_hrd(bits) for _ in range(2)]  # of NAL units, of slices
    if any(has_hrds):
        bits.number(1)  # low_delay_hrd_flag
    bits.number(1)  # pic_struct_present_flag
    if not bits.number(1):  # bitstream_restriction_flag
        return fps, None
    bits.number(1)
    for _ in range(4):
        bits.golomb(16)
    return fps, bits.golomb(16)


def _skip_picture_properties(bits: _Bits) -> None:
    """Shape of the pixels, overscan, colours and where chroma lies."""
    if bits.number(1) and bits.number(8) == 255:  # noqa: PLR2004 (Extended_SAR: numerator and denominator follow)
        bits.number(32)
    if bits.number(1):  # overscan_info_present_flag
        bits.number(1)
    if bits.number(1):  # video_signal_type_present_flag
        bits.number(4)
        if bits.number(1):  # colour_description_present_flag
            bits.number(24)
    if bits.number(1):  # chroma_loc_info_present_flag
        bits.golomb(5)
        bits.golomb(5)


def _read_timing(bits: _Bits) -> float | None:
    """A tick is a field, so a picture has two (E.2.1)."""
    units_in_tick, time_scale = bits.number(32), bits.number(32)
    bits.number(1)  # fixed_frame_rate_flag
    return time_scale / units_in_tick / 2 if units_in_tick and time_scale else None


def _skip_hrd(bits: _Bits) -> bool:
    """Returns whether there is one (E.1.2)."""
    if not bits.number(1):
        return False
    count = bits.golomb(31) + 1
    bits.number(8)
    for _ in range(count):
        bits.golomb((1 << 32) - 2)
        bits.golomb((1 << 32) - 2)
        bits.number(1)
    bits.number(20)
    return True
