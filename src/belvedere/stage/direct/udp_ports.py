"""Opens a viewer's UDP sockets: on any free port, or on one of a range that a router or container passes on."""

from __future__ import annotations

import errno
import logging
import socket
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING

from belvedere.errors import StageError, StageReason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_TRIES = 256  # four times as many as there can be viewers; a try takes some microseconds

logger = logging.getLogger(__name__)


class UdpPorts:
    """The ports that viewers may have. A port is free when the sockets of the viewer who had it are closed.

    Args:
        ports: one for each viewer, on all addresses; empty for any that are free.
    """

    def __init__(self, ports: range = range(0)) -> None:
        self._ports = ports
        self._next = 0
        self._is_exhausted = False

    def open(self, addresses: Sequence[str]) -> list[socket.socket]:
        """Open a socket for each of these addresses that is this computer's, in a range all on the same port.

        Raises StageError (TOO_MANY_VIEWERS) if every port of the range is taken.
        """
        if not self._ports:
            return [opened for address in addresses if (opened := _open(address, 0)) is not None]
        for port in islice(self._rotated(), MAX_TRIES):
            try:
                sockets = _open_all(addresses, port)
            except _PortTakenError:
                continue
            self._next = port - self._ports.start + 1  # so that a port rests for as long as possible
            self._is_exhausted = False
            return sockets
        span = f"{self._ports.start}-{self._ports.stop - 1}"
        level = logging.DEBUG if self._is_exhausted else logging.WARNING
        logger.log(level, "refused a viewer: all UDP ports of stage.udp_ports (%s) are taken", span)
        self._is_exhausted = True
        raise StageError(StageReason.TOO_MANY_VIEWERS, "all UDP ports are taken")

    def _rotated(self) -> Iterator[int]:
        count = len(self._ports)
        return (self._ports[(self._next + offset) % count] for offset in range(count))


class _PortTakenError(Exception):
    """Somebody has this port on one of the addresses."""


def _open_all(addresses: Sequence[str], port: int) -> list[socket.socket]:
    with ExitStack() as opened:
        sockets = [opened.enter_context(found) for address in addresses if (found := _open(address, port)) is not None]
        opened.pop_all()  # all are open, and stay so
    return sockets


def _open(address: str, port: int) -> socket.socket | None:
    """Bind a socket; None if the address is not, or no longer, this computer's."""
    opened = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        opened.bind((address, port))
    except OSError as error:
        opened.close()
        if port and error.errno == errno.EADDRINUSE:
            raise _PortTakenError from error
        logger.debug("could not open a socket on %s for a viewer: %s", address, error)
        return None
    return opened
