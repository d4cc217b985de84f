"""Who watches a running server, and by which way; used from the test's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.conftest import RunningServer

    from belvedere.access.sessions import EndReason


class Watchers:
    """The viewers of a running server.

    Attributes:
        counts: every number of viewers that people were told since this was made.
    """

    def __init__(self, server: RunningServer) -> None:
        self.counts: list[int] = []
        self._server = server
        self._stage = server._belvedere.stage
        self._tell = self._stage._on_viewers
        server.wait("nobody watches", lambda: not self._stage._viewers)
        self._stage._on_viewers = self._record

    def wait(self, ways: list[str]) -> None:
        """Wait until these are the ways of all connections."""
        self._server.wait(f"{ways} watch", lambda: sorted(each.way for each in self._stage._viewers.values()) == ways)

    def end(self, way: str) -> None:
        """End all connections of this way, as if they had failed."""

        def end() -> None:
            for viewer in list(self._stage._viewers.values()):
                if viewer.way == way:
                    viewer.receive_ended()

        self._server.do(end)

    def end_sessions(self, reason: EndReason) -> None:
        """End the sessions of all who watch."""

        def end() -> None:
            for viewer in list(self._stage._viewers.values()):
                self._server._belvedere.invitations.end(viewer.owner, reason)

        self._server.do(end)

    def _record(self, viewers: int) -> None:
        self.counts.append(viewers)
        self._tell(viewers)
