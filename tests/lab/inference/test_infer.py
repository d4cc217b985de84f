"""Layouts are recovered from an app session, or reported as uncertain."""

from __future__ import annotations

import itertools
import time
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
from belvedere.lab.streams import Sample, ValueStream

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


def two_axes(pan: float, tilt: float) -> bytes:
    return b"\xa5\x01" + b"".join(round(500 * one).to_bytes(2, "little", signed=True) for one in (pan, tilt))


def test_two_axes_in_a_frame_are_told_from_one() -> None:
    turns = itertools.count()

    def frame(velocity: float) -> bytes:
        number = next(turns)
        return two_axes(velocity, 0) if number // 200 % 2 else two_axes(0, velocity)

    (found,) = infer([app_stream(frame, Random(1), AppUse(presses=40))])
    (numbers,) = found.of(FieldKind.NUMBERS)
    assert (numbers.start, numbers.end) == (4, 12)
    assert not found.of(FieldKind.SPEED)


def test_two_frames_that_follow_releases_alike_leave_the_stop_open() -> None:
    chance = Random(1)
    samples, now_s = [], 0.0
    for _ in range(20):
        for _ in range(20):
            now_s += 0.05
            samples.append(Sample(1, now_s, bytes([chance.choice((1, 2)), chance.randrange(1, 99)])))
        endings = [bytes([0x11, 0]), bytes([0x12, 0])]
        chance.shuffle(endings)
        samples += [Sample(1, now_s + 0.05 * (at + 1), one) for at, one in enumerate(endings)]
        now_s += 3
    (found,) = infer([ValueStream("A", "sent", 0x52, 0x17, None, tuple(samples))])
    assert found.stop is None
    assert any("no stop found" in note for note in found.notes)


def test_full_speed_to_the_end_is_no_stop() -> None:
    samples, now_s = [], 0.0
    for _ in range(12):
        for at in range(20):
            now_s += 0.05
            samples.append(Sample(1, now_s, bytes([2, 1, min(99, 9 * at + 3)])))
        now_s += 2
    (found,) = infer([ValueStream("A", "sent", 0x52, 0x17, None, tuple(samples))])
    assert found.stop is None


def test_an_hour_of_a_held_stick_is_read_in_seconds() -> None:
    stream = app_stream(lambda velocity: pack(PONS, velocity), Random(1), AppUse(presses=3600))
    assert len(stream.samples) > 60_000
    began_s = time.process_time()
    (found,) = infer([stream])
    assert time.process_time() - began_s < 60  # less than two, where nothing else runs
    assert found.stop is not None
