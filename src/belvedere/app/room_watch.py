"""What the room is told of its visitors: the visit book, the chime and the light, as one listener of all events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.room.room_signals import RoomSignals
from belvedere.room.visit_recorder import VisitRecorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.app.settings import RoomSettings
    from belvedere.events import Event
    from belvedere.store.database import Database


class RoomWatch:
    """Receives every event. `name_of` gives the name of a person by id.

    Attributes:
        visits: the visit book.
        signals: the chime and the light.
    """

    def __init__(
        self,
        settings: RoomSettings,
        database: Database | None,
        *,
        name_of: Callable[[str], str],
        clock: Callable[[], float],
    ) -> None:
        self.signals = RoomSignals(settings.chime, settings.light)
        self.visits = VisitRecorder(
            database,
            settings.keep_visits_days,
            name_of=name_of,
            clock=clock,
            on_arrival=self.signals.receive_arrival,
        )

    def receive(self, event: Event) -> None:
        """Take note of an event, which happens now. Never blocks."""
        self.visits.receive(event)
        self.signals.receive(event)

    def faults(self) -> frozenset[str]:
        """What does not work, by the values of `privacy.words.Fault`."""
        return self.signals.faults if self.visits.is_saving else self.signals.faults | {"store"}

    async def run(self) -> None:
        """Follow the visits until cancelled."""
        self.signals.begin()
        await self.visits.run()

    async def close(self) -> None:
        """Save the visits that still go on, and end the signals; call it when no picture is sent any more."""
        self.visits.save_running()
        await self.signals.close()
