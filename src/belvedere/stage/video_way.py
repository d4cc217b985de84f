"""The interface between the stage and the ways to send a picture: WebRTC now, others beside it later.

A way asks `Stage.admit` for each viewer who comes, connects the viewer as it likes, tells the `Viewer` how far it got,
and sends the frames of `Viewer.subscriber`. The stage counts viewers over all ways and ends them; it knows neither SDP
nor sockets.
"""

from __future__ import annotations

from typing import Protocol


class VideoWay(Protocol):
    """One way to send the picture. All methods but `load` belong to the event loop."""

    @property
    def name(self) -> str:
        """The name of the transport, for people: `WebRTC`."""
        ...

    def load(self) -> None:
        """Import what is heavy, before the first viewer. Called in a thread, often or not at all."""
        ...


class ViewerConnection(Protocol):
    """What the stage asks of one viewer's connection, whatever the way."""

    def cut(self) -> None:
        """Forget all frames that were taken from the subscriber, sent or not.

        When it returns, none of them can be sent, and none again. Never raises; may be called at any time.
        """
        ...

    async def close(self) -> None:
        """Free all resources, within `CLOSE_TIMEOUT_S`; never raises, and may be called at any time."""
        ...
