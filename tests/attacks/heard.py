"""Makes a server hear everybody who is connected, without a sound server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from belvedere.stage.voice.interface import VoicePermission

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.frames import EncodedFrame
    from belvedere.stage.voice.device_runner import DeviceRun
    from belvedere.stage.voice.devices import DeviceKind
    from belvedere.stage.voice.speaker import Programme
    from belvedere.stage.voice.voice import Voice

VOICE = "\n[voice]\nenabled = true\n"  # settings


class _SilentRoom:
    """Devices that take what is to be played at its pace, and play nothing."""

    has_canceller = False
    problem = ""

    def capture(self, run: DeviceRun, _deliver: Callable[[EncodedFrame], None]) -> None:
        run.receive_opened()
        run.wait(3600.0)

    def play(self, run: DeviceRun, programme: Programme) -> None:
        run.receive_opened()
        due_s = time.monotonic()
        while not run.wait(max(0.0, due_s - time.monotonic())):
            programme.take()
            due_s += 0.01

    def has_changed(self, _kind: DeviceKind) -> bool:
        return False


def hear_everybody(voice: Voice) -> None:
    """Let whoever is connected be heard, from now on."""

    def hear_all() -> None:
        for session in voice.status.connected - voice.status.heard:
            voice.hear(session, is_allowed=True)

    voice._hardware = _SilentRoom()
    voice.rules = _EverybodyMay()
    voice.tell = hear_all


class _EverybodyMay:
    def permission_of(self, _session: str) -> VoicePermission:
        return VoicePermission(may_listen=True, may_talk=True)
