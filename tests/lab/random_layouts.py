"""Random but plausible frame layouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from belvedere.head.checks import Check, Order
from belvedere.lab.inference.results import Encoding

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

WORDS = (b"\1\2\0", b"\1\2\0", b"\0\1\0", b"\2\1\1", b"LRS")
WITH_WORD = Encoding.BCD, Encoding.BINARY
WITH_SIGN = Encoding.SIGNED, Encoding.OFFSET, Encoding.MAGNITUDE
CHECKSUMS = Check("sum"), Check("xor"), Check("CRC-8"), Check("CRC-16/MODBUS", Order.LOW_FIRST)


class Layout(NamedTuple):
    """A plausible frame layout."""

    header: bytes
    words: bytes  # of the positive way, the negative one, and rest; none where the speed has a sign
    encoding: Encoding
    size: int
    is_little_endian: bool
    has_counter: bool
    checksum: Check | None

    @property
    def has_word(self) -> bool:
        """Whether the direction has a byte of its own."""
        return bool(self.words)

    @property
    def speed_at(self) -> tuple[int, int]:
        """The speed's digits, as start and end."""
        start = 2 * (len(self.header) + self.has_word)
        return start, start + 2 * self.size

    def packer(self) -> Callable[[float], bytes]:
        """A function that makes frames, with a running counter."""
        count = -1

        def frame(velocity: float) -> bytes:
            nonlocal count
            count += 1
            word = self.words[:1] if velocity > 0 else self.words[1:2] if velocity < 0 else self.words[2:]
            body = self.header + word + self._speed(velocity) + b"\0" + bytes([count % 256] * self.has_counter)
            return body + (self.checksum.of(body) if self.checksum else b"")

        return frame

    def _speed(self, velocity: float) -> bytes:
        top: int = 256**self.size
        order: Literal["little", "big"] = "little" if self.is_little_endian else "big"
        most: int = top - 1
        match self.encoding:
            case Encoding.BCD:
                return bytes.fromhex(str(round(abs(velocity) * (10 ** (2 * self.size) - 1))).zfill(2 * self.size))
            case Encoding.SIGNED:
                return (round(velocity * (top // 2 - 1)) % top).to_bytes(self.size, order)
            case Encoding.MAGNITUDE:
                size = round(abs(velocity) * (top // 2 - 1))
                return (size + top // 2 * (velocity < 0)).to_bytes(self.size, order)
            case Encoding.OFFSET:
                return (top // 2 + round(velocity * (top // 2 - 1))).to_bytes(self.size, order)
            case _:
                return round(abs(velocity) * most).to_bytes(self.size, order)


def random_layout(chance: Random) -> Layout:
    has_word = chance.random() < 0.7
    encoding = chance.choice(WITH_WORD if has_word else WITH_SIGN)
    size = 1 if encoding is Encoding.MAGNITUDE else chance.choice([1, 2])
    return Layout(
        header=bytes([chance.randrange(1, 256) for _ in range(chance.randrange(1, 3))]),
        words=chance.choice(WORDS) if has_word else b"",
        encoding=encoding,
        size=size,
        is_little_endian=encoding is not Encoding.BCD and size > 1 and chance.random() < 0.5,
        has_counter=chance.random() < 0.3,
        checksum=chance.choice([None, None, *CHECKSUMS]),
    )
