"""What inference gives: the fields of a stream's frames, each with a confidence from 0 to 1 and its evidence."""

from __future__ import annotations

import enum

import msgspec

from belvedere.head.checks import Check, Order
from belvedere.head.layout import Sign, SpeedEncoding, SpeedField


class FieldKind(enum.StrEnum):
    """What a field is for."""

    CONSTANT = "constant"
    DIRECTION = "direction"
    SPEED = "speed"
    COUNTER = "counter"
    CHECKSUM = "checksum"
    NUMBERS = "numbers"
    UNEXPLAINED = "unexplained"


class Encoding(enum.StrEnum):
    """How a number is encoded; OFFSET is at rest in the middle of its range, MAGNITUDE has its sign in the top bit."""

    BCD = "bcd"
    BINARY = "binary"
    SIGNED = "signed"
    OFFSET = "offset"
    MAGNITUDE = "magnitude"


SIGNS = {
    Encoding.SIGNED: Sign.TWOS_COMPLEMENT,
    Encoding.OFFSET: Sign.OFFSET,
    Encoding.MAGNITUDE: Sign.MAGNITUDE,
}


class NumberFormat(msgspec.Struct, frozen=True):
    """The format of a speed; `rest` is its value at rest, if that is not 0."""

    encoding: Encoding
    is_little_endian: bool = False
    rest: int = 0

    @property
    def has_sign(self) -> bool:
        """Whether its sign is the direction."""
        return self.encoding in SIGNS

    def speed_field(self, digits: int) -> SpeedField:
        """The format as a profile's speed field, for a number with this many digits; its range is left open."""
        return SpeedField(
            digits=digits,
            fastest=1,
            encoding=SpeedEncoding.BCD if self.encoding is Encoding.BCD else SpeedEncoding.HEX,
            order=Order.LOW_FIRST if self.is_little_endian else Order.HIGH_FIRST,
            sign=SIGNS.get(self.encoding, Sign.WORD),
            rest=self.rest if self.encoding is Encoding.OFFSET else None,
        )


class DirectionValues(msgspec.Struct, frozen=True):
    """The values of a direction field as digits: at rest (None if it has none), and in motion, by frequency."""

    none: str | None
    moving: tuple[str, ...]


class Alternative(msgspec.Struct, frozen=True):
    """Another possible meaning of a field."""

    description: str
    confidence: float


class FrameField(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a frame.

    Attributes:
        start, end: hexadecimal digits, counted from the frame's beginning; the end is not included.
        description: its meaning, in words.
        evidence: the reasons, with counts.
        advice: what to do in the app to raise the confidence, or "".
        direction_values: of a direction.
        number, slowest, fastest: of a speed, as observed; absolute values.
        checksum: of a checksum.
    """

    kind: FieldKind
    start: int
    end: int
    confidence: float
    description: str
    evidence: str
    advice: str = ""
    alternatives: tuple[Alternative, ...] = ()
    direction_values: DirectionValues | None = None
    number: NumberFormat | None = None
    slowest: int = 0
    fastest: int = 0
    checksum: Check | None = None


class StopFrame(msgspec.Struct, frozen=True):
    """The frame that ends motion.

    Attributes:
        digits: with `?` for those of counters and checksums.
        releases: how many it follows.
    """

    digits: str
    confidence: float
    evidence: str
    releases: int = 0


class OtherTraffic(msgspec.Struct, frozen=True):
    """Values other than commands: a heartbeat, another length, or a rare outlier."""

    description: str
    example: bytes
    count: int


class Inference(msgspec.Struct, frozen=True, kw_only=True):
    """Everything inferred from one stream, or from several that carry the same frames.

    Attributes:
        count: how many commands it is based on.
        distinct: how many of them differ.
        length: of a command in bytes.
        fields: of all digits, in their order.
        stop: None where no frame follows releases as a stop does.
        stop_value: the stop as it was sent; None without one, or where no two stops are equal because they are counted.
        commands: each distinct command with its count, the stop among them if it has their length.
        notes: anything else the reader must know, a line each.
        is_split: whether a command is sent in two writes.
    """

    device: str
    direction: str
    opcode: int
    handle: int
    uuid: str | None
    count: int
    distinct: int
    length: int
    fields: tuple[FrameField, ...]
    stop: StopFrame | None
    stop_value: bytes | None
    commands: tuple[tuple[bytes, int], ...]
    other_traffic: tuple[OtherTraffic, ...]
    notes: tuple[str, ...]
    is_split: bool = False

    def of(self, kind: FieldKind) -> tuple[FrameField, ...]:
        """The fields of one kind."""
        return tuple(frame_field for frame_field in self.fields if frame_field.kind is kind)


def round_confidence(confidence: float) -> float:
    """At most 0.99, because a log proves nothing; two decimals, because more would feign precision."""
    return round(min(max(confidence, 0.0), 0.99), 2)
