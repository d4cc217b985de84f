"""What an owner may set about the server.

Commands read the settings, too, so this imports nothing of the server.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

import msgspec

from belvedere.gateway.base_path import BasePath, check_base_path

HostName = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9.:_%-]+\Z", max_length=253, description="127.0.0.1, ::, or a name")
]
OwnName = Annotated[
    str,
    msgspec.Meta(pattern=r"^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])\Z", max_length=253, description="home.example.org"),
]
ClientAddressHeader = Literal["x-forwarded-for", "cf-connecting-ip"]
TrustedProxy = Annotated[str, msgspec.Meta(max_length=64, description="an address, or a network such as 10.42.0.0/16")]


class GatewayOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the server listens, and under which names it may be reached.

    Attributes:
        host: the address to listen on, by default loopback.
        port: 0 for any that is free.
        names: further names that `Host` may have, such as a tunnel's (`home.example.org`), without a port.
        trusted_proxies: addresses, or networks such as `10.42.0.0/16`, of proxies whose forwarded headers are trusted
            and whose connections serve many clients; see docs/how-to/put-a-proxy-in-front.md.
        client_address_header: the header in which they say the client's address. With `cf-connecting-ip` every request
            must come through Cloudflare, or a client could choose its address.
        base_path: the path that the house lives below where it shares its host with others, as `/kitchen` in
            `https://home.example.org/kitchen`; see docs/how-to/several-rooms.md.
    """

    host: HostName = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8080
    names: Annotated[tuple[OwnName, ...], msgspec.Meta(max_length=64)] = ()
    trusted_proxies: Annotated[tuple[TrustedProxy, ...], msgspec.Meta(max_length=64)] = ("127.0.0.1", "::1")
    client_address_header: ClientAddressHeader = "x-forwarded-for"
    base_path: BasePath = ""

    def __post_init__(self) -> None:
        """Raise ValueError for what is no address, and for a path that we need; msgspec adds the key to the message."""
        check_base_path(self.base_path)
        for each in self.trusted_proxies:
            try:
                ipaddress.ip_network(each, strict=False)
            except ValueError:
                problem = f"{each!r} in trusted_proxies is neither an address nor a network such as 10.42.0.0/16"
                raise ValueError(problem) from None
