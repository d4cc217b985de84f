"""Messages for the owner: why a unit or the adapter cannot be reached, and what to do about it, in one line each."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from belvedere.errors import LinkError, LinkReason, OwnerError

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGES = {
    LinkReason.ADAPTER_OFF: "no Bluetooth adapter is switched on; run `belvedere doctor` to see what is missing",
    LinkReason.DISCOVERY_STUCK: (
        "BlueZ refuses to scan, as if another scan never ended; if that stays so: sudo systemctl restart bluetooth,"
        " or else unplug the adapter, or switch the computer off and on again"
    ),
    LinkReason.NO_PERMISSION: "this user may not use Bluetooth: sudo usermod -aG bluetooth $USER, then log in again",
    LinkReason.NOT_FOUND: "not found: switch it on, bring it close, and close the phone's app",
    LinkReason.CONNECT_FAILED: "found, but could not connect: close the phone's app, or switch the unit off and on",
    LinkReason.UNANSWERED: "it does not answer: switch it off and on, and move closer",
    LinkReason.LOST: "the connection was lost: move closer, and try again",
    LinkReason.REFUSED: "it refused: pair it first, or check the characteristic in the profile",
}


@contextlib.contextmanager
def as_owner_error(what: str) -> Iterator[None]:
    """Turn a LinkError into an OwnerError of one line; `what` is what could not be done, or to whom."""
    try:
        yield
    except LinkError as error:
        raise OwnerError(f"{what}: {message_for(error)}") from error


def message_for(error: LinkError) -> str:
    """Why the link failed, and what to do."""
    return MESSAGES.get(error.reason, " ".join(str(error).split()))
