"""Layouts are recovered from an app's use, or said to be unsure."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
import pytest
from tests.lab.app_use import Use, used

from belvedere.head.frames import pack
from belvedere.head.profile import shipped_profile
from belvedere.lab.inference.checks import FORMULAS
from belvedere.lab.inference.infer import infer
from belvedere.lab.inference.readings import Encoding, Inference, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

PONS = shipped_profile("zeapon-pons-pt").frame
LAYOUTS = 150


@pytest.mark.parametrize(
    "use",
    [Use(), Use(lost=0.1), Use(is_one_way=True), Use(speeds=(0.1, 0.436, 0.999))],
    ids=["all", "lost", "one way", "few"],
)
def test_the_layout_of_this_head_is_recovered(use: Use) -> None:
    (found,) = infer([used(lambda velocity: pack(PONS, velocity), Random(1), use)])
    kinds = [(one.kind, one.start, one.end) for one in found.readings]
    assert kinds == [
        (Kind.CONSTANT, 0, 2),
        (Kind.DIRECTION, 2, 4),
        (Kind.CONSTANT, 4, 7),
        (Kind.SPEED, 7, 10),
        (Kind.CONSTANT, 10, 24),
    ]
    (speed,) = found.of(Kind.SPEED)
    assert speed.number is not None
    assert speed.number.encoding is Encoding.BCD
    assert found.stop is not None
    assert found.stop.digits == "02" + "0" * 22


def test_devices_that_speak_alike_are_understood_together_and_reads_are_not_commands() -> None:
    pan = used(lambda velocity: pack(PONS, velocity), Random(1))
    tilt = msgspec.structs.replace(used(lambda velocity: pack(PONS, velocity), Random(2)), device="tilt")
    told = msgspec.structs.replace(pan, opcode=0x1B, direction="received")
    (found,) = infer([pan, tilt, told])
    assert found.device == f"{pan.device}, tilt"


def test_a_handful_of_writes_means_nothing() -> None:
    few = used(lambda velocity: pack(PONS, velocity), Random(1))
    assert infer([msgspec.structs.replace(few, samples=few.samples[:5])]) == []


class Layout(NamedTuple):
    """A layout that somebody might have made up, in bytes."""

    header: bytes
    has_word: bool
    encoding: Encoding
    size: int
    is_little: bool
    has_counter: bool
    check: str | None

    @property
    def speed_at(self) -> tuple[int, int]:
        """The speed's digits."""
        start = 2 * (len(self.header) + self.has_word)
        return start, start + 2 * self.size

    def packer(self) -> Callable[[float], bytes]:
        """What makes frames, one after the other."""
        count = -1
        formula = next((one for one in FORMULAS if one.name == self.check), None)

        def frame(velocity: float) -> bytes:
            nonlocal count
            count += 1
            word = bytes([(velocity > 0) + 2 * (velocity < 0)]) if self.has_word else b""
            body = self.header + word + self._speed(velocity) + b"\0" + bytes([count % 256] * self.has_counter)
            return body + (formula.value(body) if formula else b"")

        return frame

    def _speed(self, velocity: float) -> bytes:
        top: int = 256**self.size
        order: Literal["little", "big"] = "little" if self.is_little else "big"
        most: int = top - 1
        match self.encoding:
            case Encoding.BCD:
                return bytes.fromhex(str(round(abs(velocity) * (10 ** (2 * self.size) - 1))).zfill(2 * self.size))
            case Encoding.SIGNED:
                return (round(velocity * (top // 2 - 1)) % top).to_bytes(self.size, order)
            case Encoding.OFFSET:
                return (top // 2 + round(velocity * (top // 2 - 1))).to_bytes(self.size, order)
            case _:
                return round(abs(velocity) * most).to_bytes(self.size, order)


def made_up(chance: Random) -> Layout:
    has_word = chance.random() < 0.7
    encoding = chance.choice([Encoding.BCD, Encoding.BINARY] if has_word else [Encoding.SIGNED, Encoding.OFFSET])
    size = chance.choice([1, 2])
    return Layout(
        header=bytes([chance.randrange(1, 256) for _ in range(chance.randrange(1, 3))]),
        has_word=has_word,
        encoding=encoding,
        size=size,
        is_little=encoding is Encoding.BINARY and size > 1 and chance.random() < 0.5,
        has_counter=chance.random() < 0.3,
        check=chance.choice([None, None, "sum", "exclusive or", "CRC-8", "CRC-16/MODBUS, low byte first"]),
    )


def claims(layout: Layout, found: Inference) -> list[tuple[float, bool]]:
    """How sure inference is of what it says, and whether that is true."""
    told = []
    for one in found.readings:
        if one.kind is Kind.SPEED and one.number is not None:
            is_place = (one.start, one.end) == layout.speed_at
            is_number = (one.number.encoding, one.number.is_little_endian) == (layout.encoding, layout.is_little)
            told.append((one.confidence, is_place and is_number))
        elif one.kind is Kind.DIRECTION:
            told.append((one.confidence, layout.has_word and one.end == 2 * len(layout.header) + 2))
        elif one.kind is Kind.COUNTER:
            told.append((one.confidence, layout.has_counter))
        elif one.kind is Kind.CHECK:
            told.append((one.confidence, layout.check is not None and layout.check.split(",")[0] in one.says))
    return told


def test_of_made_up_layouts_what_is_said_surely_is_true_and_most_is_found() -> None:
    chance = Random(1)
    all_claims: list[tuple[float, bool]] = []
    wanted = 0
    for _ in range(LAYOUTS):
        layout = made_up(chance)
        use = Use(presses=chance.choice([4, 8, 16]), lost=chance.choice([0.0, 0.0, 0.05]))
        inferences = infer([used(layout.packer(), chance, use)])
        wanted += 1 + layout.has_word + layout.has_counter + (layout.check is not None)
        all_claims += [claim for found in inferences for claim in claims(layout, found)]
    sure = [is_true for confidence, is_true in all_claims if confidence >= 0.9]
    true = sum(is_true for _confidence, is_true in all_claims)
    assert sum(sure) >= 0.9 * len(sure)
    assert true >= 0.8 * wanted
