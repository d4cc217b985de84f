"""The list of rooms in the settings: what each is called and where it is. Pure."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import msgspec

from belvedere.gateway.base_path import BASE_PATH

if TYPE_CHECKING:
    from collections.abc import Iterable

RoomName = Annotated[
    str, msgspec.Meta(pattern=r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?\Z", max_length=64)
]
RoomUrl = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{{1,5}})?{BASE_PATH}\Z",
        max_length=512,
        description="https://home.example.org/kitchen, the host in small letters, without a slash at its end",
    ),
]


class ListedRoom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A room that people may want to look into.

    Attributes:
        name: what people call it.
        url: its address, with the base path if it lives below one; by https, or on this computer by http.
    """

    name: RoomName
    url: RoomUrl

    def __post_init__(self) -> None:
        """Raise ValueError for an address that browsers would reach unencrypted over a network."""
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
            raise ValueError(f"the url of {self.name!r} must begin with https://")

    @property
    def origin(self) -> str:
        """The scheme, host and port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


Rooms = Annotated[tuple[ListedRoom, ...], msgspec.Meta(max_length=64)]


def check_rooms(rooms: Iterable[ListedRoom]) -> None:
    """Raise ValueError where two rooms have the same name or address."""
    known: set[str] = set()
    for room in rooms:
        for each in (room.name.casefold(), room.url):
            if each in known:
                raise ValueError(f"rooms: two rooms have the name or url {each!r}")
            known.add(each)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
