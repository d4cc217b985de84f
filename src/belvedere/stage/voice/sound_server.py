"""The sound server, PulseAudio or PipeWire's: its devices and its echo canceller, by pactl.

Every call blocks for a bounded time, and belongs to a thread.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec

from belvedere.errors import SoundError
from belvedere.stage.voice.devices import Device, DeviceKind, choose

if TYPE_CHECKING:
    from collections.abc import Iterator

CALL_TIMEOUT_S = 5.0  # an answer takes 20 ms, and a server that is being started 2 s
CANCELLED_MICROPHONE, CANCELLED_SPEAKER = "belvedere.microphone", "belvedere.speaker"
METHODS = ("webrtc", "speex")  # the better first; some builds have only the other
GAIN = 'aec_args="analog_gain_control=0 digital_gain_control=0"'  # it would turn the household's own volume
SAFE_NAME = re.compile(r"[A-Za-z0-9._:+~-]+")  # one that needs no quotes among a module's arguments
INSTALL = "apt install pulseaudio-utils"

Kind = TypeVar("Kind")

logger = logging.getLogger(__name__)


class _Listed(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(max_length=1024)]
    description: str | None = None


class _Info(msgspec.Struct):
    default_source_name: str = ""
    default_sink_name: str = ""


class SoundServer:
    """Asks the server that this process's user has, by the program of this name."""

    def __init__(self, program: str = "pactl") -> None:
        self._program = program

    def find(self, kind: DeviceKind, wanted: str) -> Device:
        """The device that is meant (`devices.choose`). Raises SoundError."""
        listed = self._decoded(("list", f"{kind}s"), list[_Listed])
        info = self._decoded(("info",), _Info)
        default = info.default_source_name if kind is DeviceKind.MICROPHONE else info.default_sink_name
        devices = [Device(each.name, each.description or each.name) for each in listed]
        ours = {CANCELLED_MICROPHONE, CANCELLED_SPEAKER, f"{CANCELLED_SPEAKER}.monitor"}
        return choose(kind, [each for each in devices if each.name not in ours], wanted, default)

    def has(self, kind: DeviceKind, name: str) -> bool:
        """Whether this device is there. Raises SoundError."""
        return any(each.name == name for each in self._decoded(("list", f"{kind}s"), list[_Listed]))

    def load_canceller(self, microphone: Device, speaker: Device) -> None:
        """Load an echo canceller before both devices, under the names of this module; one of before is replaced.

        Raises SoundError if that cannot be done, and when it is not there afterwards.
        """
        self.unload_canceller()
        if not (SAFE_NAME.fullmatch(microphone.name) and SAFE_NAME.fullmatch(speaker.name)):
            raise SoundError(f'the echo canceller takes no device named "{microphone.name}" or "{speaker.name}"')
        for method in METHODS:
            with contextlib.suppress(SoundError):
                self._call(
                    "load-module",
                    "module-echo-cancel",
                    f"source_name={CANCELLED_MICROPHONE}",
                    f"source_master={microphone.name}",
                    f"sink_name={CANCELLED_SPEAKER}",
                    f"sink_master={speaker.name}",
                    f"aec_method={method}",
                    "rate=48000",
                    "channels=1",
                    *((GAIN,) if method == METHODS[0] else ()),
                )
                if self._has_canceller():
                    logger.info("the echo canceller (%s) is on: %s, %s", method, microphone.name, speaker.name)
                    return
        self.unload_canceller()
        raise SoundError("the sound server has no echo canceller that works here: visitors may hear themselves")

    def unload_canceller(self) -> None:
        """Unload our echo canceller, also one of a process that was killed. Raises SoundError."""
        for index in self._cancellers():
            self._call("unload-module", index)

    def _has_canceller(self) -> bool:
        return self.has(DeviceKind.MICROPHONE, CANCELLED_MICROPHONE) and self.has(DeviceKind.SPEAKER, CANCELLED_SPEAKER)

    def _cancellers(self) -> Iterator[str]:
        for line in self._call("list", "short", "modules").decode(errors="replace").splitlines():
            index, _, rest = line.partition("\t")
            if index.isdecimal() and f"source_name={CANCELLED_MICROPHONE}" in rest.split():
                yield index

    def _decoded(self, command: tuple[str, ...], kind: type[Kind]) -> Kind:
        try:
            return msgspec.json.decode(self._call("--format=json", *command), type=kind)
        except msgspec.MsgspecError as error:
            raise SoundError(f"the sound server's answer to {' '.join(command)} cannot be read: {error}") from error

    def _call(self, *arguments: str) -> bytes:
        program = shutil.which(self._program)
        if program is None:
            raise SoundError(f"there is no program {self._program}: {INSTALL}", is_missing=True)
        try:
            done = subprocess.run(  # noqa: S603 (a program of the system's, with arguments that were checked)
                [program, *arguments],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=CALL_TIMEOUT_S,
                check=False,
                env={**os.environ, "LC_ALL": "C.UTF-8"},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SoundError(f"the sound server does not answer {arguments[0]}: {error}") from error
        if done.returncode != 0:
            said = " ".join(done.stderr.decode(errors="replace").split())[:200]
            is_absent = "Connection refused" in said or "Connection failure" in said
            raise SoundError(f"the sound server refused {arguments[0]}: {said}", is_missing=is_absent)
        return done.stdout
