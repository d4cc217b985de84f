"""The addresses under which a router, cloud or container host passes packets on to us, for viewers to try."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from belvedere.ip_addresses import is_ip_address
from belvedere.stage.direct.renewed import Renewed, start_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LOOK_UP_EVERY_S = 60.0  # a home's address changes rarely, and its viewers want to be back soon
FIRST_LOOK_UP_S = 1.0  # what a first viewer waits for; later ones get the last known address
MAX_ADDRESSES = 4  # of one name


def addresses_of(name: str) -> list[str]:
    """Ask the system for a name's addresses. Blocks. Raises OSError."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
    return [str(address[0]) for *_, address in found][:MAX_ADDRESSES]


class AnnouncedAddresses:
    """The addresses that the owner named. Host names, as dynamic DNS has them, are looked up in a thread.

    Args:
        look_up: returns a name's addresses; may block. Raises OSError.
        start: runs a function in a thread.
    """

    def __init__(
        self,
        names: Sequence[str],
        clock: Callable[[], float],
        *,
        look_up: Callable[[str], list[str]] = addresses_of,
        start: Callable[[Callable[[], None]], None] = start_thread,
    ) -> None:
        def renewed(name: str) -> Renewed[list[str]]:
            what = f"looking up {name!r} of stage.announced_addresses"
            return Renewed(what, lambda: look_up(name), renew_s=LOOK_UP_EVERY_S, clock=clock, start=start)

        self._names = {name: None if is_ip_address(name) else renewed(name) for name in names}

    async def current(self) -> list[str]:
        """The addresses, in the owner's order. A name that could not be looked up yet is left out."""
        found: list[str] = []
        for name, addresses in self._names.items():
            found += [name] if addresses is None else await addresses.get(FIRST_LOOK_UP_S) or []
        return list(dict.fromkeys(found))
