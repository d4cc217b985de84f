"""Sockets into the kernel's Bluetooth: asking for a quick interval, and hearing what was granted.

Asking needs CAP_NET_ADMIN, hearing CAP_NET_RAW; without them PermissionError or a refusal says so.
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
from belvedere.patience import within

if TYPE_CHECKING:
    from collections.abc import Iterator

PROTOCOL_HCI = 1
NO_DEVICE = 0xFFFF
MONITOR, CONTROL = 2, 3  # channels of an HCI socket
ADDRESS = struct.Struct("=HHH")  # sockaddr_hci: family, device, channel
ANSWER_S = 2.0
PACKET_BYTES = 4096


def kernel_socket(channel: int) -> socket.socket:
    """A socket on this channel. Raises OSError; PermissionError where the process may not.

    Python binds HCI sockets to devices only, hence the call into the C library.
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
    adapter: int, wanted: list[UnitAddress], control: socket.socket
) -> MgmtStatus | int:
    """Have the kernel take 7.5 to 15 ms for these units; returns its answer. Raises OSError, TimeoutError."""
    loop = asyncio.get_running_loop()
    control.send(
        load_parameters_command(adapter, wanted)
    )  # once: the kernel says 0 bytes of a request that it will refuse
    async with within(ANSWER_S):
        while True:
            status = status_of(await loop.sock_recv(control, PACKET_BYTES), LOAD_PARAMETERS)
            if status is not None:
                return status


class Monitor:
    """Hears what every connection of this computer is granted."""

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
        """What the newest connection with this unit has now, if it was heard."""
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
