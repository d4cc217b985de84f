from __future__ import annotations

import asyncio
from array import array
from typing import TYPE_CHECKING

import pytest
from tests.stage.voice.sound_programs import Run, program
from tests.stage.voice.test_talker import packets
from tests.stage.voice.tones import strength

from belvedere.errors import SoundError
from belvedere.stage.voice.mixer import chime
from belvedere.stage.voice.speaker import PIECE, Programme, play, play_command
from belvedere.stage.voice.talker import Talker

if TYPE_CHECKING:
    from pathlib import Path


def taken(programme: Programme, pieces: int) -> array[int]:
    return array("h", [sample for _ in range(pieces) for sample in programme.take()])


def test_silence_is_played_while_nobody_talks() -> None:
    assert taken(Programme(), 3) == array("h", [0] * 3 * PIECE)


def test_it_rings_once() -> None:
    programme = Programme()
    programme.ring()
    rung = taken(programme, 100)
    assert strength(rung[:4800], 659.3) > 1000
    assert not any(rung[-PIECE:])
    assert not any(taken(programme, 10))


def test_only_those_who_are_heard_are_played() -> None:
    programme, talker = Programme(), Talker()
    for number, packet in enumerate(packets(20)):
        talker.receive(number * 960, packet)
    assert not any(taken(programme, 2))
    programme.set_talkers([talker])
    assert strength(taken(programme, 20)[-4800:], 440) > 3000
    programme.set_talkers([])
    assert not any(taken(programme, 2))


@pytest.mark.realtime
async def test_what_is_played_reaches_the_program_which_is_told_when_it_ends(tmp_path: Path) -> None:
    programme, run = Programme(), Run()
    programme.ring()
    command = program(tmp_path, f"dd bs=500 count=192 iflag=fullblock of={tmp_path}/sound; exit 0")
    with pytest.raises(SoundError, match="ended by itself"):
        await asyncio.to_thread(play, command, run, programme)
    sound = array("h", (tmp_path / "sound").read_bytes())
    assert len(sound) == 48_000
    assert sound[: len(chime())] == chime()  # all of it, whatever pieces the program reads
    await asyncio.sleep(0)
    assert run.opened == 1


@pytest.mark.realtime
async def test_a_speaker_that_takes_nothing_is_a_fault(tmp_path: Path) -> None:
    at_s = 0.0

    def clock() -> float:
        nonlocal at_s
        at_s += 0.5
        return at_s

    with pytest.raises(SoundError, match="takes no sound"):
        await asyncio.to_thread(play, program(tmp_path, "exec sleep 60"), Run(), Programme(), clock)


@pytest.mark.realtime
async def test_it_ends_when_it_is_stopped(tmp_path: Path) -> None:
    run = Run()
    playing = asyncio.create_task(asyncio.to_thread(play, program(tmp_path, "exec sleep 60"), run, Programme()))
    await asyncio.sleep(0)
    run.stop()
    await playing


def test_the_device_is_one_argument_whatever_its_name() -> None:
    assert "--device=--help me" in play_command(("pacat",), "--help me")
