from __future__ import annotations

import asyncio
from array import array
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from tests.stage.voice.sound_programs import Run, program
from tests.stage.voice.tones import strength, tone

from belvedere.errors import SoundError
from belvedere.stage.frames import MediaKind
from belvedere.stage.voice.microphone import LEAST_LATENCY_S, TICKS_PER_FRAME, capture, capture_command
from belvedere.stage.voice.opus import OpusDecoder

if TYPE_CHECKING:
    from pathlib import Path

    from belvedere.stage.frames import EncodedFrame

pytestmark = pytest.mark.realtime


async def test_what_the_program_captures_is_encoded_with_its_time(tmp_path: Path) -> None:
    (tmp_path / "sound").write_bytes(tone(440, 48_000).tobytes())
    run, frames = Run(), []

    def deliver(frame: EncodedFrame) -> None:
        frames.append(frame)
        if len(frames) == 50:
            run.stop()

    command = program(tmp_path, f"cat {tmp_path}/sound; exec sleep 60")
    await asyncio.to_thread(capture, command, run, deliver, lambda: 5.0)
    decoder = OpusDecoder()
    sound = array("h", [sample for frame in frames for sample in decoder.decode(frame.data)])
    assert strength(sound[9600:], 440) == pytest.approx(8000, rel=0.1)
    assert {frame.kind for frame in frames} == {MediaKind.AUDIO}
    assert {later.ticks - one.ticks for one, later in pairwise(frames)} == {TICKS_PER_FRAME}
    assert frames[-1].captured_s == pytest.approx(5.0 - 0.02 - LEAST_LATENCY_S)
    await asyncio.sleep(0)
    assert run.opened == 1


async def test_a_program_that_ends_is_a_fault_in_its_own_words(tmp_path: Path) -> None:
    command = program(tmp_path, "echo 'Stream error: No such entity' >&2; exit 1")
    with pytest.raises(SoundError, match="No such entity"):
        await asyncio.to_thread(capture, command, Run(), lambda _frame: None)


async def test_a_microphone_that_delivers_nothing_is_a_fault(tmp_path: Path) -> None:
    at_s = 0.0

    def clock() -> float:
        nonlocal at_s
        at_s += 1.0
        return at_s

    command = program(tmp_path, "exec sleep 60")
    with pytest.raises(SoundError, match="delivers nothing"):
        await asyncio.to_thread(capture, command, Run(), lambda _frame: None, clock)


async def test_a_microphone_that_delivers_without_end_is_a_fault(tmp_path: Path) -> None:
    run, frames = Run(), []

    def deliver(frame: EncodedFrame) -> None:
        frames.append(frame)
        if len(frames) == 2000:
            run.stop()

    command = program(tmp_path, "exec cat /dev/zero")
    with pytest.raises(SoundError, match="faster than there is sound"):
        await asyncio.to_thread(capture, command, run, deliver)


async def test_a_missing_program_is_a_fault() -> None:
    with pytest.raises(SoundError, match="there is no such program"):
        await asyncio.to_thread(capture, ["parec-that-is-not-there"], Run(), lambda _frame: None)


def test_the_device_is_one_argument_whatever_its_name() -> None:
    assert "--device=--help me" in capture_command(("parec",), "--help me")
