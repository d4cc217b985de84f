"""The devices of the room as the voice uses them, in threads of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from belvedere.stage.voice.devices import DeviceKind
from belvedere.stage.voice.microphone import PAREC, capture, capture_command
from belvedere.stage.voice.room_devices import RoomDevices
from belvedere.stage.voice.sound_server import SoundServer
from belvedere.stage.voice.speaker import PACAT, play, play_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.frames import EncodedFrame
    from belvedere.stage.voice.device_runner import DeviceRun
    from belvedere.stage.voice.options import VoiceOptions
    from belvedere.stage.voice.speaker import Programme


class Hardware(Protocol):
    """A microphone and a speaker. All methods block, and belong to threads."""

    def capture(self, run: DeviceRun, deliver: Callable[[EncodedFrame], None]) -> None:
        """Capture until the run is stopped; `deliver` is called in this thread. Raises SoundError, OwnerError."""
        ...

    def play(self, run: DeviceRun, programme: Programme) -> None:
        """Play until the run is stopped. Raises SoundError, OwnerError."""
        ...

    def has_changed(self, kind: DeviceKind) -> bool:
        """Whether another device is meant by now than the one that is open: then open it anew."""
        ...

    @property
    def has_canceller(self) -> bool:
        """Whether echoes are being taken out."""
        ...

    @property
    def problem(self) -> str:
        """Why they are not although they should be; "" otherwise."""
        ...


class SoundServerHardware:
    """The devices of PulseAudio or PipeWire; implements `Hardware`."""

    def __init__(self, options: VoiceOptions, server: SoundServer | None = None) -> None:
        self._devices = RoomDevices(options, server or SoundServer())

    def capture(self, run: DeviceRun, deliver: Callable[[EncodedFrame], None]) -> None:
        """Capture the microphone."""
        with self._devices.opened(DeviceKind.MICROPHONE) as name:
            if not run.is_stopped:  # it may have been while the sound server did not answer
                capture(capture_command(PAREC, name), run, deliver)

    def play(self, run: DeviceRun, programme: Programme) -> None:
        """Play on the speaker."""
        with self._devices.opened(DeviceKind.SPEAKER) as name:
            if not run.is_stopped:
                play(play_command(PACAT, name), run, programme)

    def has_changed(self, kind: DeviceKind) -> bool:
        """Whether a device was unplugged, plugged in, or is behind the echo canceller by now."""
        return self._devices.has_changed(kind)

    @property
    def has_canceller(self) -> bool:
        """Whether echoes are being taken out."""
        return self._devices.has_canceller

    @property
    def problem(self) -> str:
        """Why they are not although they should be."""
        return self._devices.problem
