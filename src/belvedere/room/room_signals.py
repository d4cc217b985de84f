"""Decides when the room's chime rings and its light is on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from belvedere.events import Event, Knocked, ViewerJoined, ViewerLeft

if TYPE_CHECKING:
    from belvedere.room.signal_sender import SignalSender

ARRIVAL: Final = "arrival"
KNOCK: Final = "knock"
ON: Final = "on"
OFF: Final = "off"
CHIME_PAUSE_S: Final = 3.0  # nobody can make it ring without end
LIGHT_PAUSE_S: Final = 1.0


class RoomSignals:
    """Receives every event. The chime rings when somebody comes or knocks; the light is on while anybody looks.

    Without a chime or a light (None) that part does nothing.
    """

    def __init__(self, chime: SignalSender | None, light: SignalSender | None) -> None:
        self._chime = chime
        self._light = light
        self._viewers: set[str] = set()

    @property
    def faults(self) -> frozenset[str]:
        """Which of `chime` and `light` failed last."""
        senders = {"chime": self._chime, "light": self._light}
        return frozenset(name for name, sender in senders.items() if sender is not None and sender.has_fault)

    def begin(self) -> None:
        """Switch the light off: an earlier run may have been killed while it was on."""
        self._show(OFF)

    def receive(self, event: Event) -> None:
        """Follow who looks, and ring for a knock. Never blocks."""
        match event:
            case Knocked():
                self._ring(KNOCK)
            case ViewerJoined(viewer=viewer):
                self._viewers.add(viewer)
                if len(self._viewers) == 1:
                    self._show(ON)
            case ViewerLeft(viewer=viewer) if viewer in self._viewers:
                self._viewers.discard(viewer)
                if not self._viewers:
                    self._show(OFF)
            case _:
                pass

    def receive_arrival(self) -> None:
        """Somebody has come who was not here before."""
        self._ring(ARRIVAL)

    async def close(self) -> None:
        """Let the last signals out, for a short time, and end what still runs."""
        await asyncio.gather(*(each.close() for each in (self._chime, self._light) if each is not None))

    def _ring(self, word: str) -> None:
        if self._chime is not None:
            self._chime.send(word)

    def _show(self, word: str) -> None:
        if self._light is not None:
            self._light.send(word)
