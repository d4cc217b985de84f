"""Decides when the room's chime rings and its light is on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from belvedere.events import Event, Knocked, TalkChimed, ViewerJoined, ViewerLeft
from belvedere.room.signal_sender import SignalSender, start_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.room.signal_outputs import SignalOutput

CHIME: Final = "chime"
LIGHT: Final = "light"
ARRIVAL: Final = "arrival"
KNOCK: Final = "knock"
TALK: Final = "talk"
ON: Final = "on"
OFF: Final = "off"
CHIME_PAUSE_S: Final = 3.0  # nobody can make it ring without end
LIGHT_PAUSE_S: Final = 1.0


class RoomSignals:
    """Receives every event. The chime rings for who comes, knocks or begins to talk; the light is on while one looks.

    Without a chime or a light (None) that part does nothing.

    Args:
        chime, light: what is told.
        start: runs a function in a thread.
    """

    def __init__(
        self,
        chime: SignalOutput | None,
        light: SignalOutput | None,
        start: Callable[[Callable[[], None]], None] = start_thread,
    ) -> None:
        self._senders: dict[str, SignalSender] = {}
        for name, output, pause_s in ((CHIME, chime, CHIME_PAUSE_S), (LIGHT, light, LIGHT_PAUSE_S)):
            if output is not None:
                self._senders[name] = SignalSender(
                    name, output, pause_s=pause_s, is_repeated=name == LIGHT, on_changed=self._tell, start=start
                )
        self._viewers: set[str] = set()
        self._on_faults: Callable[[], None] = lambda: None

    def watch(self, on_faults: Callable[[], None]) -> None:
        """Call this whenever `faults` has changed."""
        self._on_faults = on_faults

    @property
    def faults(self) -> frozenset[str]:
        """Which of `chime` and `light` failed last."""
        return frozenset(name for name, sender in self._senders.items() if sender.has_fault)

    def begin(self) -> None:
        """Switch the light off: an earlier run may have been killed while it was on."""
        self._show(OFF)

    def receive(self, event: Event) -> None:
        """Follow who looks, and ring for a knock and for first words. Never blocks."""
        match event:
            case Knocked():
                self._ring(KNOCK)
            case TalkChimed():
                self._ring(TALK)
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
        await asyncio.gather(*(sender.close() for sender in self._senders.values()))

    def _tell(self) -> None:
        self._on_faults()

    def _ring(self, word: str) -> None:
        if CHIME in self._senders:
            self._senders[CHIME].send(word)

    def _show(self, word: str) -> None:
        if LIGHT in self._senders:
            self._senders[LIGHT].send(word)
