"""Watching through HTTP alone: the stage's frames over a WebSocket, one of the stage's ways to send the picture."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from belvedere.stage.stream.messages import BadMessageError, SharedMessages, Start, client_message
from belvedere.stage.stream.peer import StreamEnd, StreamPeer
from belvedere.stage.stream.socket import SocketClosedError
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.stage import Stage
    from belvedere.stage.stream.socket import FrameSocket

START_TIMEOUT_S = 60.0  # a page opens its socket while its visitor still reads the start screen


class Stream:
    """Serves viewers' sockets; implements `video_way.VideoWay`.

    Args:
        stage: admits the viewers and has the frames.
        clock: a monotonic clock in seconds.
    """

    name = "WebSocket"

    def __init__(self, stage: Stage, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stage, self._clock = stage, clock
        self._messages = SharedMessages()
        stage.add_way(self)

    def load(self) -> None:
        """Nothing here is heavy."""

    async def serve(self, socket: FrameSocket, owner: str, require_permitted: Callable[[], None]) -> StreamEnd:
        """Serve an accepted socket of the session `owner` until it ends, and return why.

        Until the client starts, nobody is counted and the camera stays off. `require_permitted` is called at the start,
        and raises where the session may not look any more; so does this. Raises StageError (TOO_MANY_VIEWERS,
        NO_PICTURE). Nothing is sent after it returned or raised.
        """
        try:
            async with timeout(START_TIMEOUT_S):
                start = client_message(await socket.receive())
        except TimeoutError:
            return StreamEnd.SILENT
        except SocketClosedError:
            return StreamEnd.LEFT
        except BadMessageError:
            return StreamEnd.BAD_MESSAGE
        if not isinstance(start, Start):
            return StreamEnd.BAD_MESSAGE
        require_permitted()
        return await self._watch(socket, owner, start.view)

    async def _watch(self, socket: FrameSocket, owner: str, view: str) -> StreamEnd:
        viewer = self._stage.admit(owner, self, view)
        try:
            peer = StreamPeer(socket, viewer, self._messages, lambda: self._stage.description, self._clock)
            viewer.connection = peer
            viewer.receive_connected()
            return await peer.run()
        finally:
            viewer.receive_ended()
