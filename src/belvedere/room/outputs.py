"""What the room's curtain cuts, besides the picture of the stage: seams for other parts."""

from __future__ import annotations

from typing import Protocol


class MediaOutput(Protocol):
    """Something that carries pictures or sound out of the room, or sound into it, beside the stage's viewers.

    A part that has such connections of its own (participants of a conference service, a voice) is given to `Room`.
    """

    @property
    def name(self) -> str:
        """What the log calls it."""
        ...

    async def cut(self) -> None:
        """End all of it, and begin nothing while the curtain is closed. It has CUT_TIMEOUT_S; a failure is shown."""
        ...


class CoveredStage(Protocol):
    """What the curtain needs of the stage (stage.stage.Stage)."""

    def cover(self) -> None:
        """Turn the source off, end all viewers and admit none, within this call."""
        ...

    def uncover(self) -> None:
        """Admit viewers again."""
        ...


class StoppableHead(Protocol):
    """What the curtain needs of the engine (engine.engine.Engine)."""

    def receive_stop(self, session: str) -> None:
        """Stop the head, whoever drives."""
        ...
