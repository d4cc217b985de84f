"""The kernel's Bluetooth sockets: requesting short connection intervals, and monitoring those in use.

Requests need CAP_NET_ADMIN, monitoring CAP_NET_RAW; without them the kernel answers with a status or PermissionError.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import struct
from typing import TYPE_CHECKING

from belvedere.lab.doctor.mgmt import (
    LOAD_PARAMETERS,
    ConnectionParameters,
    MgmtStatus,
    UnitAddress,
    load_parameters_command,
    parse_connection_parameters,
    status_of,
)
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Iterator

PROTOCOL_HCI = 1
NO_DEVICE = 0xFFFF
MONITOR, CONTROL = 2, 3  # channels of an HCI socket
ADDRESS = struct.Struct("=HHH")  # sockaddr_hci: family, device, channel
REPLY_TIMEOUT_S = 2.0
PACKET_BYTES = 4096


def kernel_socket(channel: int) -> socket.socket:
    """A socket on this channel. Raises OSError; PermissionError where a capability is missing.

    Python can bind HCI sockets to devices only, not to channels; hence the call into the C library.
    """
    family = getattr(socket, "AF_BLUETOOTH", 31)
    opened = socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, PROTOCOL_HCI)
    address = ADDRESS.pack(family, NO_DEVICE, channel)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.bind(opened.fileno(), address, len(address)) != 0:
        number = ctypes.get_errno()
        opened.close()
        raise OSError(number, os.strerror(number))
    return opened


async def load_connection_parameters(
    adapter: int, units: list[UnitAddress], control: socket.socket
) -> MgmtStatus | int:
    """Request 7.5 to 15 ms for these units; returns the kernel's status. Raises OSError, TimeoutError."""
    loop = asyncio.get_running_loop()
    # send, not sendall: of a request that it will refuse, the kernel reports 0 bytes sent, and sendall would loop.
    control.send(load_parameters_command(adapter, units))
    async with timeout(REPLY_TIMEOUT_S):
        while True:
            status = status_of(await loop.sock_recv(control, PACKET_BYTES), LOAD_PARAMETERS)
            if status is not None:
                return status


class Monitor:
    """Collects the parameters of every connection of this computer from the monitor channel."""

    def __init__(self, monitor_socket: socket.socket) -> None:
        self._heard = monitor_socket
        self._parameters: list[ConnectionParameters] = []

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Listen, and close the socket at the end."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._heard, self._receive)
        try:
            yield
        finally:
            loop.remove_reader(self._heard)
            self._heard.close()

    def parameters(self, address: str) -> ConnectionParameters | None:
        """The current parameters of the newest connection to this unit, if the monitor saw it.

        An update carries only the handle, so it counts if it follows a connection to this unit with the same handle.
        """
        found: ConnectionParameters | None = None
        for one in self._parameters:
            if one.address == address.upper() or (found is not None and not one.address and one.handle == found.handle):
                found = one
        return found

    def _receive(self) -> None:
        with contextlib.suppress(BlockingIOError):
            parameters = parse_connection_parameters(self._heard.recv(PACKET_BYTES))
            if parameters is not None:
                self._parameters.append(parameters)
