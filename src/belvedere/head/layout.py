"""The layout of a head's frame: constant digits, a direction, a speed and a check, placed by the profile's template.

Example: template "02 {direction} 000 {speed} 00000000000000", direction words 01, 02 and 00, and a speed of three BCD
digits. Right at speed 436 is then 02 01 00 04 36 00 00 00 00 00 00 00. Fields may begin in the middle of a byte, so the
template is handled as hexadecimal digits, and becomes bytes last.
"""

from __future__ import annotations

import enum
import re
from functools import cache
from typing import Annotated

import msgspec

from belvedere.head.checks import Check, Order

Word = Annotated[str, msgspec.Meta(pattern="^[0-9A-Fa-f]{1,8}$", description="1 to 8 hexadecimal digits")]

DIRECTION, SPEED, CHECK = "{direction}", "{speed}", "{check}"
Frame = Annotated[
    str, msgspec.Meta(pattern=r"^ *([0-9A-Fa-f]{2} *){1,64}\Z", description="1 to 64 bytes as hexadecimal digits")
]

_FIELDS = frozenset({DIRECTION, SPEED, CHECK})
_PLACEHOLDER = re.compile(r"(\{[a-z]+\})")
_HEX = re.compile(r"[0-9a-f]*")


class SpeedEncoding(enum.StrEnum):
    """How the speed's number is encoded in hexadecimal digits: `bcd` writes 436 as 4 3 6, `hex` as 1 b 4."""

    BCD = "bcd"
    HEX = "hex"


class Sign(enum.StrEnum):
    """How the direction is encoded: in a field of its own (`word`), or as the sign of the speed's number.

    A negative number is in two's complement, or below the number of `rest` (`offset`), or has its highest bit set
    (`magnitude`).
    """

    WORD = "word"
    TWOS_COMPLEMENT = "twos-complement"
    OFFSET = "offset"
    MAGNITUDE = "magnitude"


class DirectionWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The digits for positive (right, up), for negative (left, down), and for no direction.

    Some heads have no code for "no direction": their stop is the positive direction with speed 0.
    """

    positive: Word
    negative: Word
    none: Word | None = None

    def __post_init__(self) -> None:
        if len(set(self.words)) != len(self.words) or len({len(word) for word in self.words}) != 1:
            raise ValueError("positive, negative and none must be different words of one length")

    @property
    def words(self) -> tuple[str, ...]:
        """All words in lower case; the one for no direction is last, if there is one."""
        return tuple(word.lower() for word in (self.positive, self.negative, self.none) if word is not None)

    def word(self, sign: int) -> str:
        """The word for the direction of a velocity (1, 0 or -1), in lower case."""
        positive, negative, *none = self.words
        return {1: positive, -1: negative, 0: (none or [positive])[0]}[sign]

    def sign_of(self, word: str) -> int | None:
        """The direction that a word stands for (1, -1 or 0); None for an unknown word."""
        return dict(zip(self.words, (1, -1, 0), strict=False)).get(word)


class SpeedField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The digits of the speed: 0 is rest, `slowest` the lowest speed at which the unit turns, `fastest` full speed.

    With `sign = "offset"`, `rest` is the number that stands for 0; the middle of the range by default.
    """

    digits: Annotated[int, msgspec.Meta(ge=1, le=8)]
    fastest: Annotated[int, msgspec.Meta(ge=1)]
    slowest: Annotated[int, msgspec.Meta(ge=1)] = 1
    encoding: SpeedEncoding = SpeedEncoding.BCD
    order: Order = Order.HIGH_FIRST
    sign: Sign = Sign.WORD
    rest: Annotated[int, msgspec.Meta(ge=0)] | None = None

    def __post_init__(self) -> None:
        if self.sign is not Sign.WORD and self.encoding is not SpeedEncoding.HEX:
            raise ValueError('a speed with a sign of its own must have encoding = "hex"')
        if self.rest is not None and self.sign is not Sign.OFFSET:
            raise ValueError('rest is for sign = "offset" only')
        if self.order is Order.LOW_FIRST and self.digits % 2:
            raise ValueError("a speed with its low byte first must have whole bytes: an even number of digits")
        if self.fastest > self.largest:
            raise ValueError(f"fastest must fit {self.digits} digits, at most {self.largest}")
        if self.slowest > self.fastest:
            raise ValueError(f"slowest must be at most fastest, {self.fastest}")

    @property
    def radix(self) -> int:
        """10 for binary-coded decimal, 16 for hexadecimal."""
        return 10 if self.encoding is SpeedEncoding.BCD else 16

    def digits_of(self, speed: int) -> str:
        """The field's digits for a speed of -`fastest` to `fastest`; without a sign, only its magnitude is encoded."""
        number = self._number_of(speed)
        digits = format(number, "d" if self.radix == 10 else "x").zfill(self.digits)  # noqa: PLR2004 - decimal
        return self._arranged(digits)

    def speed_of(self, digits: str) -> int:
        """The speed that these digits encode, signed if the number has a sign. Raises ValueError if it is no number."""
        number = int(self._arranged(digits), self.radix)
        match self.sign:
            case Sign.TWOS_COMPLEMENT:
                return number - self._numbers if number >= self._numbers // 2 else number
            case Sign.OFFSET:
                return number - self._rest
            case Sign.MAGNITUDE:
                return self._numbers // 2 - number if number >= self._numbers // 2 else number
            case _:
                return number

    def _number_of(self, speed: int) -> int:
        match self.sign:
            case Sign.TWOS_COMPLEMENT:
                return speed % self._numbers
            case Sign.OFFSET:
                return self._rest + speed
            case Sign.MAGNITUDE:
                return self._numbers // 2 - speed if speed < 0 else speed
            case _:
                return abs(speed)

    @property
    def _numbers(self) -> int:
        """The count of numbers that the digits can express."""
        return int(self.radix**self.digits)

    @property
    def _rest(self) -> int:
        return self._numbers // 2 if self.rest is None else self.rest

    @property
    def largest(self) -> int:
        """The highest speed that can be encoded in both directions."""
        match self.sign:
            case Sign.WORD:
                return self._numbers - 1
            case Sign.OFFSET:
                return min(self._rest, self._numbers - 1 - self._rest)
            case _:
                return self._numbers // 2 - 1

    def _arranged(self, digits: str) -> str:
        return digits if self.order is Order.HIGH_FIRST else self.order.arranged(bytes.fromhex(digits)).hex()


class FrameLayout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A frame: hexadecimal digits with `{speed}`, `{direction}` and `{check}` at most once each; blanks are ignored.

    `direction` is required unless the speed's number has a sign; `check` is optional. The evidence for a shipped layout
    is in its profile.

    Attributes:
        stop: the frame that stops the unit, verbatim, where it is not the template without direction at speed 0, or
            where it was seen and need not be composed.
        stop_is_proven: whether the stop is known to stop the unit. A draft from a log says false, until a probe has
            stopped a slow turn with it.
    """

    template: str
    speed: SpeedField
    direction: DirectionWords | None = None
    check: Check | None = None
    stop: Frame | None = None
    stop_is_proven: bool = True

    def __post_init__(self) -> None:
        if (self.direction is None) is (self.speed.sign is Sign.WORD):
            raise ValueError('direction must be set with speed.sign = "word", and must not be set with any other sign')
        if self.check is None and CHECK in self.template:
            raise ValueError("check must be set, because the template contains {check}")
        if sorted(part for part in self.parts if "{" in part) != sorted(self._widths):
            raise ValueError(f"template must contain {' and '.join(self._widths)} once each")
        if not all(_HEX.fullmatch(part) for part in self.parts if part not in _FIELDS):
            raise ValueError(f"template must contain only hexadecimal digits, blanks, {' and '.join(self._widths)}")
        if self._digits_in(self.parts) % 2:
            raise ValueError("template must be whole bytes: an even number of digits")
        # A check is computed over whole bytes, so it must begin with one; and there must be bytes to check before it.
        if self.check is not None and not 2 * self.check.first_byte < self._check_at == self._check_at // 2 * 2:
            raise ValueError("{check} must begin at a byte boundary, after the bytes that it covers")
        if self.stop is not None and self._is_motion(bytes.fromhex(self.stop)):
            raise ValueError("stop is a frame that turns the unit, by the template and its directions and speeds")

    @property
    def parts(self) -> tuple[str, ...]:
        """The constant digits and the placeholders, in the order of the template."""
        return _parts_of(self.template)

    @property
    def stop_frame(self) -> bytes:
        """The frame that stops the unit: `stop`, or the template with no direction and speed 0."""
        return self.frame(0, 0) if self.stop is None else bytes.fromhex(self.stop)

    @property
    def length(self) -> int:
        """The length in bytes of a frame made from the template."""
        return self._digits_in(self.parts) // 2

    def frame(self, sign: int, speed: int) -> bytes:
        """The frame for a direction (1, 0 or -1) and a speed of 0 to `fastest`."""
        digits = {SPEED: self.speed.digits_of(sign * speed)}
        if self.direction is not None:
            digits[DIRECTION] = self.direction.word(sign)
        if self.check is not None:
            digits[CHECK] = "00" * self.check.size  # replaced below
        return self._with_check(bytes.fromhex("".join(digits.get(part, part) for part in self.parts)))

    def fields(self, frame: bytes) -> dict[str, str] | None:
        """The digits of each placeholder in a frame; None if its constant digits or its check differ.

        Raises ValueError, naming both lengths, for a frame of another length.
        """
        if len(frame) != self.length:
            raise ValueError(f"a frame must have {self.length} bytes, not {len(frame)}")
        digits, at, found = frame.hex(), 0, {}
        for part in self.parts:
            end = at + self._digits_in((part,))
            if part in _FIELDS:
                found[part] = digits[at:end]
            elif digits[at:end] != part:
                return None
            at = end
        return found if self._with_check(frame) == frame else None

    def _is_motion(self, frame: bytes) -> bool:
        """Whether the template makes this frame for a direction and a speed other than 0."""
        try:
            fields = self.fields(frame)
            speed = self.speed.speed_of(fields[SPEED]) if fields is not None else 0
        except ValueError:  # of another length, or its speed is no number
            return False
        if fields is None or not speed or self.direction is None:
            return bool(speed)
        return self.direction.sign_of(fields[DIRECTION]) in {1, -1}

    def _with_check(self, frame: bytes) -> bytes:
        if self.check is None:
            return frame
        at = self._check_at // 2
        return frame[:at] + self.check.of(frame[:at]) + frame[at + self.check.size :]

    @property
    def _check_at(self) -> int:
        """The index of the check's first digit."""
        return self._digits_in(self.parts[: self.parts.index(CHECK)])

    def _digits_in(self, parts: tuple[str, ...]) -> int:
        """The number of digits that these parts of the template stand for."""
        widths = self._widths
        return sum(widths.get(part, len(part)) for part in parts)

    @property
    def _widths(self) -> dict[str, int]:
        """The number of digits of each placeholder; the template must contain exactly these."""
        widths = {SPEED: self.speed.digits}
        if self.direction is not None:
            widths[DIRECTION] = len(self.direction.positive)
        if self.check is not None:
            widths[CHECK] = 2 * self.check.size
        return widths


@cache
def _parts_of(template: str) -> tuple[str, ...]:
    return tuple(_PLACEHOLDER.split("".join(template.split()).lower()))
