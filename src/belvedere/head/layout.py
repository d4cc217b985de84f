"""How a head's frame is laid out: constant digits, a direction word and a speed, as the profile's template says."""

from __future__ import annotations

import enum
import re
from typing import Annotated

import msgspec

Word = Annotated[str, msgspec.Meta(pattern="^[0-9A-Fa-f]{1,8}$", description="1 to 8 hexadecimal digits")]

_PLACEHOLDER = re.compile(r"\{(direction|speed)\}")
_HEX = re.compile(r"[0-9a-f]*")


class SpeedEncoding(enum.StrEnum):
    """How the speed's number becomes digits: `bcd` writes 436 as 4 3 6, `hex` as 1 b 4."""

    BCD = "bcd"
    HEX = "hex"


class DirectionWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The digits for no direction, for positive (right, up) and for negative (left, down)."""

    none: Word
    positive: Word
    negative: Word

    def __post_init__(self) -> None:
        words = {self.none.lower(), self.positive.lower(), self.negative.lower()}
        if len(words) != 3 or len({len(word) for word in words}) != 1:  # noqa: PLR2004 - there are three words
            raise ValueError("none, positive and negative must be three different words of one length")


class SpeedField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The digits of the speed: 0 is rest, `slowest` the least that turns, `fastest` full speed."""

    digits: Annotated[int, msgspec.Meta(ge=1, le=8)]
    fastest: Annotated[int, msgspec.Meta(ge=1)]
    slowest: Annotated[int, msgspec.Meta(ge=1)] = 1
    encoding: SpeedEncoding = SpeedEncoding.BCD

    def __post_init__(self) -> None:
        largest = int(("9" if self.encoding is SpeedEncoding.BCD else "f") * self.digits, self.radix)
        if self.fastest > largest:
            raise ValueError(f"fastest must fit {self.digits} digits, at most {largest}")
        if self.slowest > self.fastest:
            raise ValueError(f"slowest must be at most fastest, {self.fastest}")

    @property
    def radix(self) -> int:
        """10 for binary-coded decimal, 16 for hexadecimal."""
        return 10 if self.encoding is SpeedEncoding.BCD else 16

    def digits_of(self, speed: int) -> str:
        """The field's digits for a speed of 0 to `fastest`."""
        return format(speed, "d" if self.radix == 10 else "x").zfill(self.digits)  # noqa: PLR2004 - decimal


class FrameLayout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A frame: hexadecimal digits with `{direction}` and `{speed}` once each; blanks do not count.

    Evidence for the shipped layout is in the profile that holds it.
    """

    template: str
    direction: DirectionWords
    speed: SpeedField

    def __post_init__(self) -> None:
        names = sorted(_PLACEHOLDER.findall(self.template))
        if names != ["direction", "speed"]:
            raise ValueError("template must hold {direction} and {speed} once each")
        if not all(_HEX.fullmatch(part) for part in self.constants):
            raise ValueError("template must hold hexadecimal digits, blanks, {direction} and {speed} only")
        if len(self.digits("none", 0)) % 2:
            raise ValueError("template must come to whole bytes: an even number of digits")

    @property
    def constants(self) -> tuple[str, str, str]:
        """The constant digits before, between and after the two fields."""
        parts = _PLACEHOLDER.sub("|", "".join(self.template.split()).lower()).split("|")
        return parts[0], parts[1], parts[2]

    @property
    def is_direction_first(self) -> bool:
        """Whether the direction stands before the speed."""
        return self.template.index("{direction}") < self.template.index("{speed}")

    def digits(self, direction: str, speed: int) -> str:
        """The whole frame's digits for a direction's name (`none`, `positive`, `negative`) and a speed."""
        fields = [str(getattr(self.direction, direction)).lower(), self.speed.digits_of(speed)]
        if not self.is_direction_first:
            fields.reverse()
        head, middle, tail = self.constants
        return head + fields[0] + middle + fields[1] + tail
