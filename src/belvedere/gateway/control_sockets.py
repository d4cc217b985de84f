"""The control sockets that are open, by the access session behind them: they end when it does."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from belvedere.access.sessions import EndedSession, EndReason

logger = logging.getLogger(__name__)


class EndableSocket(Protocol):
    """A socket that can be told that it must end (control_socket.ControlSocket)."""

    def receive_session_ended(self, reason: EndReason) -> None:
        """The access session is over: the head is told within this call, the socket closes soon after."""
        ...


class ControlSockets:
    """All of them; a visitor has one for each page that is open."""

    def __init__(self) -> None:
        self._by_session: dict[str, list[EndableSocket]] = {}

    @contextmanager
    def registered(self, session_id: str, socket: EndableSocket) -> Iterator[None]:
        """While this lasts, the socket is told when its access session ends."""
        sockets = self._by_session.setdefault(session_id, [])
        sockets.append(socket)
        try:
            yield
        finally:
            sockets.remove(socket)
            if not sockets:
                self._by_session.pop(session_id, None)

    def receive_session_ended(self, ended: EndedSession) -> None:
        """Tell each of its sockets; the failure of one is logged, and the next is told."""
        for socket in tuple(self._by_session.get(ended.session.id, ())):
            try:
                socket.receive_session_ended(ended.reason)
            except Exception:
                logger.exception("a control socket of session %s failed to end its drive", ended.session.id)
