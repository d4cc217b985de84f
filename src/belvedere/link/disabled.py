"""The link of an axis without a unit: opening and writing fail, closing does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.errors import LinkError, LinkReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.link.port import LinkDetails


class DisabledUnit:
    """An axis that has no unit in the profile (`link.port.UnitLink`)."""

    async def open(self, on_lost: Callable[[], None], on_found: Callable[[], None]) -> LinkDetails:  # noqa: ARG002 - the port's
        """Always raises LinkError (DISABLED)."""
        raise LinkError(LinkReason.DISABLED, "this axis has no unit")

    async def write(self, frame: bytes, *, response: bool) -> None:  # noqa: ARG002 - the port's
        """Always raises LinkError (CLOSED)."""
        raise LinkError(LinkReason.CLOSED, "this axis has no unit")

    async def keep_alive(self) -> bool:
        """Always raises LinkError (CLOSED)."""
        raise LinkError(LinkReason.CLOSED, "this axis has no unit")

    async def close(self) -> None:
        """Do nothing."""
