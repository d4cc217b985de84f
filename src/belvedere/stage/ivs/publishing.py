"""What those who count the participants of the stage at Amazon IVS ask of the camera's publisher."""

from __future__ import annotations

from typing import Protocol


class Publishing(Protocol):
    """The publisher of the camera. All methods belong to the event loop, return at once and never raise.

    It publishes while there are participants and nothing forbids it; at first there is none, and it is permitted.
    """

    def receive_participants(self, count: int) -> None:
        """So many watch, or have a token and may join at any moment; called when the number has changed."""
        ...

    def forbid(self) -> None:
        """Send nothing from now on: when this returns, no packet with a frame leaves any more. May be called again."""
        ...

    def permit(self) -> None:
        """Publish again, if there are participants. May be called again."""
        ...
