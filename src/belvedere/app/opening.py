"""What is told once the server accepts connections: its address, and links for those who have nobody to invite them.

A first owner, and in the demo whoever stands for the room, can be invited by nobody. Their links are secrets: they may
be shown on a terminal, and never written to a log.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

import msgspec

from belvedere.access.links import link_to
from belvedere.access.rights import Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from belvedere.access.invitations import Invitations
    from belvedere.gateway.options import GatewayOptions

NAMES: Final = {Role.OWNER: "Owner", Role.RESIDENT: "Room", Role.VISITOR: "Visitor", Role.GUEST: "Guest"}


class Opened(msgspec.Struct, frozen=True):
    """The server accepts connections.

    Attributes:
        address: where it listens, such as `http://127.0.0.1:8080`.
        links: a link for each role that nobody has taken yet.
    """

    address: str
    links: dict[Role, str]

    @property
    def link(self) -> str:
        """The owner's link; the address where there is an owner already."""
        return self.links.get(Role.OWNER, self.address)


def first_links(invitations: Invitations, roles: Iterable[Role], address: str) -> dict[Role, str]:
    """A link for each of these roles in which nobody has ever come in; makes a person for it where there is none."""
    links = {}
    for role in roles:
        holders = [person for person in invitations.people.all() if person.role is role]
        if not any(person.has_joined for person in holders):
            person = holders[0] if holders else invitations.people.add(NAMES[role], role)
            links[role] = link_to(address, invitations.invite(person.id), role)
    return links


def public_address(options: GatewayOptions, listens_at: str) -> str:
    """Where people reach the house, with its base path, as far as the settings say.

    Behind a proxy that is the first of `server.names`, by https.
    """
    if not options.names:
        return listens_at + options.base_path
    if _is_behind_proxy(options):
        return f"https://{options.names[0]}{options.base_path}"
    return f"http://{options.names[0]}:{listens_at.rpartition(':')[2]}{options.base_path}"


def _is_behind_proxy(options: GatewayOptions) -> bool:
    """Whether browsers come by a proxy: loopback has no other way in, and a proxy that is trusted is there for that."""
    is_on_loopback = options.host in {"localhost", "::1"} or options.host.startswith("127.")
    return is_on_loopback or not all(ip_network(each, strict=False).is_loopback for each in options.trusted_proxies)
