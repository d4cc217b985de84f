"""One viewer's picture over a socket: from the subscriber's frames to its messages, and back to requests for an IDR.

Three tasks: one takes frames and drops what must not wait, one sends, one reads. The first never waits for the socket,
so a viewer that reads nothing fills neither its queue nor memory, and costs the others no IDR.
"""

from __future__ import annotations

import asyncio
import enum
import itertools
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from belvedere.stage.stream.backlog import Backlog, UnknownFrameError
from belvedere.stage.stream.messages import (
    Acknowledgement,
    BadMessageError,
    Description,
    IdrRequest,
    client_message,
    description_of,
)
from belvedere.stage.stream.socket import SocketClosedError
from belvedere.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.frames import EncodedFrame
    from belvedere.stage.sources.source import VideoDescription
    from belvedere.stage.stream.messages import SharedMessages
    from belvedere.stage.stream.socket import FrameSocket
    from belvedere.stage.viewer import Viewer

MESSAGES_PER_S = 120.0  # an acknowledgement of each of 60 frames a second, twice over
MESSAGES_BURST = 240.0  # what a network held back for two seconds
YIELD_EVERY = 32  # messages; during a flood `receive` returns without suspending, and other tasks would starve


class StreamEnd(enum.StrEnum):
    """Why a viewer's stream ended."""

    LEFT = "left"
    SILENT = "silent"
    BAD_MESSAGE = "bad message"
    TOO_MUCH = "too much"
    STOPPED = "stopped"  # by the stage, or from outside


class _EndError(Exception):
    """Ends the tasks."""

    def __init__(self, end: StreamEnd) -> None:
        self.end = end
        super().__init__(end)


class StreamPeer:
    """Sends one viewer's frames; implements `video_way.ViewerConnection`.

    Args:
        describe: what the source delivers now.
        clock: a monotonic clock in seconds.
    """

    def __init__(
        self,
        socket: FrameSocket,
        viewer: Viewer,
        messages: SharedMessages,
        describe: Callable[[], VideoDescription | None],
        clock: Callable[[], float],
    ) -> None:
        self._socket, self._viewer, self._messages = socket, viewer, messages
        self._describe, self._clock = describe, clock
        self._backlog = Backlog()
        self._unsent: deque[EncodedFrame | str] = deque()
        self._has_unsent = asyncio.Event()
        self._is_blocked = False  # while the socket takes nothing
        self._description: Description | None = None  # as it was sent last
        self._bucket = TokenBucket(MESSAGES_PER_S, MESSAGES_BURST)

    async def run(self) -> StreamEnd:
        """Send until the stage ends the viewer or the viewer leaves; nothing more is sent after it returned."""
        end = StreamEnd.STOPPED
        try:
            async with asyncio.TaskGroup() as tasks:
                for task in (self._take, self._send, self._read):
                    tasks.create_task(task())
        except* _EndError as errors:
            end = next(each.end for each in errors.exceptions if isinstance(each, _EndError))
        except* SocketClosedError:
            end = StreamEnd.LEFT
        finally:
            self.cut()
        return end

    def cut(self) -> None:
        """Forget what is not in the kernel's hands; the picture goes on with the next IDR."""
        self._drop_unsent()
        self._socket.discard()

    async def close(self) -> None:
        """Send nothing more. `run` returns soon after, because the stage has closed the subscriber."""
        self.cut()

    async def _take(self) -> None:
        while (frame := await self._viewer.subscriber.next_frame()) is not None:
            self._receive_frame(frame)
            if self._backlog.is_silent(self._clock()):
                raise _EndError(StreamEnd.SILENT)
        raise _EndError(StreamEnd.STOPPED)

    def _receive_frame(self, frame: EncodedFrame) -> None:
        if self._is_blocked and self._backlog.is_skipping:
            return  # an IDR would only wait here
        was_sending = not self._backlog.is_skipping
        if self._backlog.receive_frame(self._clock(), frame.ticks, len(frame.data), is_idr=frame.is_idr):
            if frame.is_idr:
                self._queue_description(frame)
            self._unsent.append(frame)
            self._has_unsent.set()
            return
        if was_sending:
            self._viewer.report_capacity(self._backlog.delivered_bits_per_s)
        self._drop_unsent()
        if self._backlog.needs_idr and not self._is_blocked:
            self._viewer.request_idr()

    def _queue_description(self, idr: EncodedFrame) -> None:
        source = self._describe()
        description = None if source is None else description_of(idr.data, source.fps)
        if description is not None and description != self._description:
            self._description = description
            self._unsent.append(msgspec.json.encode(description).decode())

    def _drop_unsent(self) -> None:
        """Drop what has not reached the socket; a description among it is sent again, before the next IDR."""
        frames = [each.ticks for each in self._unsent if not isinstance(each, str)]
        if len(frames) < len(self._unsent):
            self._description = None
        self._unsent.clear()
        if frames:
            self._backlog.receive_dropped(frames[0])

    async def _send(self) -> None:
        while True:
            await self._has_unsent.wait()
            self._is_blocked = True
            await self._socket.writable()
            self._is_blocked = False
            if not self._unsent:  # dropped meanwhile
                self._has_unsent.clear()
                continue
            message = self._unsent.popleft()
            self._socket.send(message if isinstance(message, str) else self._messages.of(message))

    async def _read(self) -> None:
        for number in itertools.count(1):
            data = await self._socket.receive()
            if not self._bucket.take(self._clock()):
                raise _EndError(StreamEnd.TOO_MUCH)
            try:
                self._receive_message(data)
            except (BadMessageError, UnknownFrameError) as error:
                raise _EndError(StreamEnd.BAD_MESSAGE) from error
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)

    def _receive_message(self, data: bytes | None) -> None:
        match client_message(data):
            case Acknowledgement(ticks):
                if self._has_unsent_up_to(ticks):  # else a viewer who reads nothing could have us queue without end
                    raise UnknownFrameError
                took_s = self._backlog.receive_acknowledgement(self._clock(), ticks)
                if took_s is not None:
                    self._viewer.report_round_trip(took_s)
            case IdrRequest():
                self._viewer.request_idr()
            case _:  # a second start
                raise BadMessageError

    def _has_unsent_up_to(self, ticks: int) -> bool:
        """Whether the viewer cannot have this frame, because it or one before has not left the queue."""
        return any(not isinstance(each, str) and each.ticks <= ticks for each in self._unsent)
