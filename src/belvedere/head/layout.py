"""How a head's frame is laid out: constant digits, a direction, a speed and a check, as the profile's template says."""

from __future__ import annotations

import enum
import re
from functools import cache
from typing import Annotated

import msgspec

from belvedere.head.checks import Check, Order

Word = Annotated[str, msgspec.Meta(pattern="^[0-9A-Fa-f]{1,8}$", description="1 to 8 hexadecimal digits")]

DIRECTION, SPEED, CHECK = "{direction}", "{speed}", "{check}"
_FIELDS = frozenset({DIRECTION, SPEED, CHECK})
_PLACEHOLDER = re.compile(r"(\{[a-z]+\})")
_HEX = re.compile(r"[0-9a-f]*")


class SpeedEncoding(enum.StrEnum):
    """How the speed's number becomes digits: `bcd` writes 436 as 4 3 6, `hex` as 1 b 4."""

    BCD = "bcd"
    HEX = "hex"


class Sign(enum.StrEnum):
    """What says the direction: a word of its own, or the speed's number.

    That is negative in two's complement, or less than the number of `rest` (`offset`), or has its first bit set
    (`magnitude`).
    """

    WORD = "word"
    TWOS_COMPLEMENT = "twos-complement"
    OFFSET = "offset"
    MAGNITUDE = "magnitude"


class DirectionWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The digits for positive (right, up), for negative (left, down), and for no direction.

    Some heads know no word for no direction: at rest they are told the positive one, with the speed 0.
    """

    positive: Word
    negative: Word
    none: Word | None = None

    def __post_init__(self) -> None:
        if len(set(self.words)) != len(self.words) or len({len(word) for word in self.words}) != 1:
            raise ValueError("positive, negative and none must be different words of one length")

    @property
    def words(self) -> tuple[str, ...]:
        """All words in lower case, that for no direction last, if there is one."""
        return tuple(word.lower() for word in (self.positive, self.negative, self.none) if word is not None)

    def word(self, sign: int) -> str:
        """The word for the direction of a velocity (1, 0 or -1), in lower case."""
        positive, negative, *none = self.words
        return {1: positive, -1: negative, 0: (none or [positive])[0]}[sign]

    def sign_of(self, word: str) -> int | None:
        """The direction that a word says, None for one that is none of them."""
        return dict(zip(self.words, (1, -1, 0), strict=False)).get(word)


class SpeedField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The digits of the speed: 0 is rest, `slowest` the least that turns, `fastest` full speed.

    With `sign = "offset"`, `rest` is the number that stands for 0: the middle, where nothing else is said.
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
        """The field's digits for a speed of -`fastest` to `fastest`; its sign counts where the number has one."""
        number = self._number_of(speed)
        digits = format(number, "d" if self.radix == 10 else "x").zfill(self.digits)  # noqa: PLR2004 - decimal
        return self._arranged(digits)

    def speed_of(self, digits: str) -> int:
        """The speed that digits say, with its sign where the number has one. Raises ValueError for no number."""
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
        """How many numbers there are."""
        return int(self.radix**self.digits)

    @property
    def _rest(self) -> int:
        return self._numbers // 2 if self.rest is None else self.rest

    @property
    def largest(self) -> int:
        """The fastest speed that can be said both ways."""
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
    """A frame: hexadecimal digits with `{speed}`, `{direction}` and `{check}` at most once each; blanks do not count.

    A direction is there unless the speed's number has a sign; a check where the frame has one. Evidence for the
    shipped layout is in the profile that holds it.
    """

    template: str
    speed: SpeedField
    direction: DirectionWords | None = None
    check: Check | None = None

    def __post_init__(self) -> None:
        if (self.direction is None) is (self.speed.sign is Sign.WORD):
            raise ValueError('direction must hold its words, unless the speed has a sign other than "word"')
        if self.check is None and CHECK in self.template:
            raise ValueError("check must say how {check} is made")
        if sorted(part for part in self.parts if "{" in part) != sorted(self._widths):
            raise ValueError(f"template must hold {' and '.join(self._widths)} once each")
        if not all(_HEX.fullmatch(part) for part in self.parts if part not in _FIELDS):
            raise ValueError(f"template must hold hexadecimal digits, blanks, {' and '.join(self._widths)} only")
        if self._digits_in(self.parts) % 2:
            raise ValueError("template must come to whole bytes: an even number of digits")
        if self.check is not None and not 2 * self.check.first_byte < self._check_at == self._check_at // 2 * 2:
            raise ValueError("check must begin with a byte, behind those that it checks")

    @property
    def parts(self) -> tuple[str, ...]:
        """The constant digits and the placeholders, in their order."""
        return _parts_of(self.template)

    def frame(self, sign: int, speed: int) -> bytes:
        """The frame for a direction (1, 0 or -1) and a speed of 0 to `fastest`."""
        said = {SPEED: self.speed.digits_of(sign * speed)}
        if self.direction is not None:
            said[DIRECTION] = self.direction.word(sign)
        if self.check is not None:
            said[CHECK] = "00" * self.check.size
        return self._with_check(bytes.fromhex("".join(said.get(part, part) for part in self.parts)))

    def fields(self, frame: bytes) -> dict[str, str] | None:
        """The digits of each placeholder in a frame; None where its constant digits or its check are others.

        Raises ValueError, naming both lengths, for a frame of another length.
        """
        length = self._digits_in(self.parts) // 2
        if len(frame) != length:
            raise ValueError(f"a frame has {length} bytes, not {len(frame)}")
        digits, at, found = frame.hex(), 0, {}
        for part in self.parts:
            end = at + self._digits_in((part,))
            if part in _FIELDS:
                found[part] = digits[at:end]
            elif digits[at:end] != part:
                return None
            at = end
        return found if self._with_check(frame) == frame else None

    def _with_check(self, frame: bytes) -> bytes:
        if self.check is None:
            return frame
        at = self._check_at // 2
        return frame[:at] + self.check.of(frame[:at]) + frame[at + self.check.size :]

    @property
    def _check_at(self) -> int:
        """The digit that the check begins with."""
        return self._digits_in(self.parts[: self.parts.index(CHECK)])

    def _digits_in(self, parts: tuple[str, ...]) -> int:
        """How many digits these parts of the template stand for."""
        widths = self._widths
        return sum(widths.get(part, len(part)) for part in parts)

    @property
    def _widths(self) -> dict[str, int]:
        """How many digits each placeholder stands for; the template has these and no others."""
        widths = {SPEED: self.speed.digits}
        if self.direction is not None:
            widths[DIRECTION] = len(self.direction.positive)
        if self.check is not None:
            widths[CHECK] = 2 * self.check.size
        return widths


@cache
def _parts_of(template: str) -> tuple[str, ...]:
    return tuple(_PLACEHOLDER.split("".join(template.split()).lower()))
