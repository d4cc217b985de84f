"""What all viewers' connections share of the network: ports, addresses, and STUN and TURN servers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from belvedere.stage.direct.announced_addresses import AnnouncedAddresses
from belvedere.stage.direct.ice_servers import IceServers, ice_servers
from belvedere.stage.direct.server_outages import ServerOutages
from belvedere.stage.direct.udp_ports import UdpPorts

if TYPE_CHECKING:
    from collections.abc import Callable

    from belvedere.stage.options import StageOptions


@dataclass(frozen=True, slots=True)
class ViewerNetwork:
    """By default any port, no announced address, and no server."""

    clock: Callable[[], float]
    ports: UdpPorts = field(default_factory=UdpPorts)
    announced: AnnouncedAddresses | None = None
    servers: IceServers = field(default_factory=IceServers)
    outages: ServerOutages = field(default_factory=ServerOutages)

    @classmethod
    def of(cls, options: StageOptions, clock: Callable[[], float]) -> ViewerNetwork:
        """The network that the settings describe."""
        announced = AnnouncedAddresses(options.announced_addresses, clock) if options.announced_addresses else None
        return cls(clock, UdpPorts(options.udp_port_range), announced, ice_servers(options, clock))

    async def announced_now(self) -> list[str]:
        """The announced addresses."""
        return await self.announced.current() if self.announced is not None else []
