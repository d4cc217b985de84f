"""The link of an axis that has no unit: it does nothing, and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.errors import LinkError, LinkReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.link.port import LinkDetails


class DisabledUnit:
    """A unit that is not there on purpose."""

    async def open(self, on_lost: Callable[[], None], on_found: Callable[[], None]) -> LinkDetails:  # noqa: ARG002 - the port's
        """There is nothing to open. Raises LinkError (DISABLED)."""
        raise LinkError(LinkReason.DISABLED, "this axis has no unit")

    async def write(self, frame: bytes, *, response: bool) -> None:  # noqa: ARG002 - the port's
        """There is nothing to write to. Raises LinkError (CLOSED)."""
        raise LinkError(LinkReason.CLOSED, "this axis has no unit")

    async def keep_alive(self) -> bool:
        """There is nobody to ask. Raises LinkError (CLOSED)."""
        raise LinkError(LinkReason.CLOSED, "this axis has no unit")

    async def close(self) -> None:
        """There is nothing to close."""
