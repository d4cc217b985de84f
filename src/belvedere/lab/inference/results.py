"""What inference says of a stream: readings of its digits, each with a confidence from 0 to 1 and its evidence."""

from __future__ import annotations

import enum

import msgspec

from belvedere.head.checks import Check, Order
from belvedere.head.layout import Sign, SpeedEncoding, SpeedField


class FieldKind(enum.StrEnum):
    """What digits of a frame are for."""

    CONSTANT = "constant"
    DIRECTION = "direction"
    SPEED = "speed"
    COUNTER = "counter"
    CHECKSUM = "checksum"
    LENGTH = "length"
    UNEXPLAINED = "unexplained"


class Encoding(enum.StrEnum):
    """How a number stands in its digits; `offset` rests in the middle, `magnitude` keeps its sign in the top bit."""

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
    """A speed's way of being written; `rest` is what stands for rest where that is not 0."""

    encoding: Encoding
    is_little_endian: bool = False
    rest: int = 0

    @property
    def has_sign(self) -> bool:
        """Whether it says the direction itself."""
        return self.encoding in SIGNS

    def speed_field(self, digits: int) -> SpeedField:
        """The same as a profile says it, for a number of so many digits; its range is left open."""
        return SpeedField(
            digits=digits,
            fastest=1,
            encoding=SpeedEncoding.BCD if self.encoding is Encoding.BCD else SpeedEncoding.HEX,
            order=Order.LOW_FIRST if self.is_little_endian else Order.HIGH_FIRST,
            sign=SIGNS.get(self.encoding, Sign.WORD),
            rest=self.rest if self.encoding is Encoding.OFFSET else None,
        )


class DirectionValues(msgspec.Struct, frozen=True):
    """A direction's words as digits: of rest where it has one of its own, and of motion, the commonest first."""

    none: str | None
    moving: tuple[str, ...]


class Alternative(msgspec.Struct, frozen=True):
    """What else it may be."""

    description: str
    confidence: float


class FrameField(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a frame.

    Attributes:
        start, end: hexadecimal digits from the frame's beginning, the end not included.
        description: what it is, in words.
        evidence: why, with counts.
        advice: what the owner can do in the app to be surer, or "".
        direction_values: of a direction.
        number, slowest, fastest: of a speed, as seen; sizes, without sign.
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
    """The frame that ends motion; `digits` has a `?` for each digit that counts or checks."""

    digits: str
    confidence: float
    evidence: str


class OtherTraffic(msgspec.Struct, frozen=True):
    """Values that are no commands: a heartbeat, or something rare."""

    description: str
    example: bytes
    count: int


class Inference(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was inferred of one stream, or of several that carry the same frames.

    Attributes:
        count: commands that it stands on.
        distinct: of those, different ones.
        length: of a command in bytes; 0 where there are none.
        fields: of all digits, in their order.
        stop: None where nothing looks like it.
        notes: what else has to be said, a line each.
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
    other_traffic: tuple[OtherTraffic, ...]
    notes: tuple[str, ...]

    def of(self, kind: FieldKind) -> tuple[FrameField, ...]:
        """The readings of one kind."""
        return tuple(frame_field for frame_field in self.fields if frame_field.kind is kind)


def round_confidence(confidence: float) -> float:
    """Never certain, and without digits that mean nothing."""
    return round(min(max(confidence, 0.0), 0.99), 2)
