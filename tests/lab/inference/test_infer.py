"""Layouts are recovered from an app session, or reported as uncertain."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.lab.app_stream import AppUse, app_stream
from tests.lab.random_layouts import random_layout

from belvedere.head.frames import pack
from belvedere.head.profile import shipped_profile
from belvedere.lab.inference.infer import infer
from belvedere.lab.inference.results import Encoding, FieldKind

if TYPE_CHECKING:
    from tests.lab.random_layouts import Layout

    from belvedere.lab.inference.results import Inference

PONS = shipped_profile("zeapon-pons-pt").frame
LAYOUTS = 150


@pytest.mark.parametrize(
    "use",
    [
        AppUse(),
        AppUse(lost=0.1),
        AppUse(is_one_way=True),
        AppUse(speeds=(0.1, 0.436, 0.999)),
        AppUse(is_never_silent=True),
    ],
    ids=["all", "lost", "one way", "few", "never silent"],
)
def test_the_layout_of_this_head_is_recovered(use: AppUse) -> None:
    (found,) = infer([app_stream(lambda velocity: pack(PONS, velocity), Random(1), use)])
    kinds = [(one.kind, one.start, one.end) for one in found.fields]
    assert kinds == [
        (FieldKind.CONSTANT, 0, 2),
        (FieldKind.DIRECTION, 2, 4),
        (FieldKind.CONSTANT, 4, 7),
        (FieldKind.SPEED, 7, 10),
        (FieldKind.CONSTANT, 10, 24),
    ]
    (speed,) = found.of(FieldKind.SPEED)
    assert speed.number is not None
    assert speed.number.encoding is Encoding.BCD
    assert found.stop is not None
    assert found.stop.digits == "02" + "0" * 22


def test_devices_that_speak_alike_are_understood_together_and_reads_are_not_commands() -> None:
    pan = app_stream(lambda velocity: pack(PONS, velocity), Random(1))
    tilt = msgspec.structs.replace(app_stream(lambda velocity: pack(PONS, velocity), Random(2)), device="tilt")
    notification = msgspec.structs.replace(pan, opcode=0x1B, direction="received")
    (found,) = infer([pan, tilt, notification])
    assert found.device == f"{pan.device}, tilt"


def test_a_handful_of_writes_means_nothing() -> None:
    few = app_stream(lambda velocity: pack(PONS, velocity), Random(1))
    assert infer([msgspec.structs.replace(few, samples=few.samples[:5])]) == []


def claims(layout: Layout, found: Inference) -> list[tuple[float, bool]]:
    """The confidence of each inferred field, and whether it is right."""
    claimed = []
    for one in found.fields:
        if one.kind is FieldKind.SPEED and one.number is not None:
            is_place = (one.start, one.end) == layout.speed_at
            is_number = (one.number.encoding, one.number.is_little_endian) == (layout.encoding, layout.is_little_endian)
            claimed.append((one.confidence, is_place and is_number))
        elif one.kind is FieldKind.DIRECTION:
            claimed.append((one.confidence, layout.has_word and one.end == 2 * len(layout.header) + 2))
        elif one.kind is FieldKind.COUNTER:
            claimed.append((one.confidence, layout.has_counter))
        elif one.kind is FieldKind.CHECKSUM:
            claimed.append((one.confidence, one.checksum is not None and one.checksum == layout.checksum))
    return claimed


def test_of_random_layouts_what_is_said_surely_is_true_and_most_is_found() -> None:
    chance = Random(1)
    all_claims: list[tuple[float, bool]] = []
    wanted = 0
    for _ in range(LAYOUTS):
        layout = random_layout(chance)
        use = AppUse(
            presses=chance.choice([4, 8, 16]),
            lost=chance.choice([0.0, 0.0, 0.05]),
            is_never_silent=chance.random() < 0.2,
        )
        inferences = infer([app_stream(layout.packer(), chance, use)])
        wanted += 1 + layout.has_word + layout.has_counter + (layout.checksum is not None)
        all_claims += [claim for found in inferences for claim in claims(layout, found)]
    sure = [is_true for confidence, is_true in all_claims if confidence >= 0.9]
    true = sum(is_true for _confidence, is_true in all_claims)
    assert sum(sure) >= 0.9 * len(sure)
    assert true >= 0.8 * wanted
