"""Why a unit or the adapter cannot be reached, and what the owner can do about it, in one line."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from belvedere.errors import LinkError, LinkReason, OwnerError

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGES = {
    LinkReason.ADAPTER_OFF: "there is no Bluetooth adapter that is on; `belvedere doctor` says what is missing",
    LinkReason.NO_PERMISSION: "this user may not use Bluetooth: sudo usermod -aG bluetooth $USER, and log in anew",
    LinkReason.NOT_FOUND: "it was not seen: is it switched on, near, and not connected to a phone?",
    LinkReason.CONNECT_FAILED: "it was seen, but no connection came about: is it connected to a phone?",
    LinkReason.UNANSWERED: "it does not answer: switch it off and on, and come nearer",
    LinkReason.LOST: "the connection was lost: come nearer, and try again",
    LinkReason.REFUSED: "it refused: pair it first, or the profile's characteristic is not the one that takes commands",
}


@contextlib.contextmanager
def as_owner_error(what: str) -> Iterator[None]:
    """Raise an OwnerError of one line instead of a LinkError; `what` is what could not be done."""
    try:
        yield
    except LinkError as error:
        raise OwnerError(f"{what}: {message_for(error)}") from error


def message_for(error: LinkError) -> str:
    """Why, and what to do."""
    return MESSAGES.get(error.reason, " ".join(str(error).split()))
