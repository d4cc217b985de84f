from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.stage.voice.fake_pactl import FakePactl
from tests.stage.voice.sound_programs import Run

from belvedere.errors import SoundError
from belvedere.stage.voice.devices import DeviceKind
from belvedere.stage.voice.hardware import SoundServerHardware
from belvedere.stage.voice.options import VoiceOptions
from belvedere.stage.voice.sound_server import SoundServer
from belvedere.stage.voice.speaker import Programme

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.realtime


@pytest.fixture
def pactl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePactl:
    """With a parec and a pacat that show which device they were given."""
    for name in ("parec", "pacat"):
        (tmp_path / name).write_text('#!/bin/sh\necho "$@" >&2\nexit 1\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return FakePactl(tmp_path)


async def test_both_devices_are_opened_by_their_names_and_the_speaker_behind_the_canceller(pactl: FakePactl) -> None:
    hardware = SoundServerHardware(VoiceOptions(), SoundServer(str(pactl.program)))
    with pytest.raises(SoundError, match="--device=mic "):
        await asyncio.to_thread(hardware.capture, Run(), lambda _frame: None)
    with pytest.raises(SoundError, match=r"--device=belvedere\.speaker "):
        await asyncio.to_thread(hardware.play, Run(), Programme())
    assert not hardware.has_changed(DeviceKind.MICROPHONE)
    assert (hardware.has_canceller, hardware.problem) == (False, "")


async def test_nothing_is_opened_once_it_is_not_wanted_any_more(
    pactl: FakePactl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The curtain may close while the sound server takes its time to say which devices there are."""
    for name in ("PAREC", "PACAT"):
        monkeypatch.setattr(f"belvedere.stage.voice.hardware.{name}", ("no-such-program",))  # starting it would raise
    hardware, run = SoundServerHardware(VoiceOptions(), SoundServer(str(pactl.program))), Run()
    run.stop()
    await asyncio.to_thread(hardware.capture, run, lambda _frame: None)
    await asyncio.to_thread(hardware.play, run, Programme())
