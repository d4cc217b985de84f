"""The room's two devices, and the echo canceller between them. All of it blocks: it belongs to the devices' threads."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Protocol

from belvedere.errors import SoundError
from belvedere.stage.voice.devices import Device, DeviceKind
from belvedere.stage.voice.sound_server import CANCELLED_MICROPHONE, CANCELLED_SPEAKER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from belvedere.stage.voice.options import VoiceOptions

logger = logging.getLogger(__name__)


class FindsDevices(Protocol):
    """What this needs of the sound server (`sound_server.SoundServer`)."""

    def find(self, kind: DeviceKind, wanted: str) -> Device:
        """The device that is meant. Raises SoundError."""
        ...

    def load_canceller(self, microphone: Device, speaker: Device) -> None:
        """Load an echo canceller before both devices. Raises SoundError."""
        ...

    def unload_canceller(self) -> None:
        """Unload it. Raises SoundError."""
        ...


class RoomDevices:
    """Says under which name to open each device.

    Nothing echoes while the speaker is silent, and a canceller takes more of a small board than all the rest of the
    voice. So it is loaded when the speaker is opened, and stays until both devices are closed.

    Attributes:
        has_canceller: whether it is loaded.
        problem: why it is not although it should be, for the household; "" otherwise.
    """

    def __init__(self, options: VoiceOptions, server: FindsDevices) -> None:
        self._options, self._server = options, server
        self._lock = threading.Lock()
        self._opened: dict[DeviceKind, str] = {}
        self._cancelled: tuple[Device, Device] | None = None
        self._refused: tuple[Device, Device] | None = None  # no canceller works for these
        self.problem = ""

    @property
    def has_canceller(self) -> bool:
        """Whether echoes are being taken out."""
        return self._cancelled is not None

    @contextlib.contextmanager
    def opened(self, kind: DeviceKind) -> Iterator[str]:
        """The name under which to open a device, for as long as it is open. Raises SoundError."""
        with self._lock:
            name = self._name_of(kind)
            self._opened[kind] = name
        try:
            yield name
        finally:
            with self._lock:
                del self._opened[kind]
                if not self._opened:
                    self._unload()

    def has_changed(self, kind: DeviceKind) -> bool:
        """Whether another name than the one that is open would be opened now, or none."""
        with self._lock:
            used = self._opened.get(kind)
            try:
                return used is not None and self._name_of(kind) != used
            except SoundError as error:
                return error.is_missing

    def _name_of(self, kind: DeviceKind) -> str:
        wanted = self._options.microphone if kind is DeviceKind.MICROPHONE else self._options.speaker
        device = self._server.find(kind, wanted)
        if self._options.echo_cancellation and (kind is DeviceKind.SPEAKER or self._cancelled is not None):
            self._load()
        if self._cancelled is None or device not in self._cancelled:
            return device.name
        return CANCELLED_MICROPHONE if kind is DeviceKind.MICROPHONE else CANCELLED_SPEAKER

    def _load(self) -> None:
        """Load the canceller, if it is not loaded for the devices of now."""
        try:
            pair = (
                self._server.find(DeviceKind.MICROPHONE, self._options.microphone),
                self._server.find(DeviceKind.SPEAKER, self._options.speaker),
            )
        except SoundError:  # without both, nothing can echo
            self._unload()
            return
        if pair in {self._cancelled, self._refused}:
            return
        self._cancelled = None
        try:
            self._server.load_canceller(*pair)
        except SoundError as error:
            if str(error) != self.problem:
                logger.warning("there is no echo cancellation: %s", error)
            self.problem, self._refused = str(error), pair
        else:
            self._cancelled, self.problem = pair, ""

    def _unload(self) -> None:
        if self._cancelled is None:
            return
        self._cancelled = None
        try:
            self._server.unload_canceller()
        except SoundError as error:
            logger.warning("could not unload the echo canceller: %s", error)
