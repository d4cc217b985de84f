"""The kernel's sockets, with the test at the kernel's end."""

from __future__ import annotations

import asyncio
import errno
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from belvedere.lab.doctor.kernel import CONTROL, REPLY_TIMEOUT_S, Monitor, kernel_socket, load_connection_parameters
from belvedere.lab.doctor.mgmt import MgmtStatus, UnitAddress, load_parameters_command

if TYPE_CHECKING:
    from collections.abc import Iterator

WANTED = [UnitAddress("C0:DE:00:00:5A:1E", is_random=True)]
OTHER = bytes.fromhex("060000000400d10a0000")
CONNECTED = bytes.fromhex("03000000 1500 3e13 01 00 4000 00 01 1e5a0000dec0 1800 0000 2a00 00")
LE_UPDATE = bytes.fromhex("03000000 0c00 3e0a 03 00 4000 0600 0000 4800")


@contextmanager
def a_pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    kernels.setblocking(False)
    with ours, kernels:
        yield ours, kernels


async def test_the_kernel_is_asked_and_its_answer_found_among_what_else_it_says() -> None:
    with a_pair() as (ours, kernels):
        kernels.send(OTHER)
        kernels.send(bytes.fromhex("010000000300350000"))
        assert await load_connection_parameters(0, WANTED, ours) == MgmtStatus.SUCCESS
        assert kernels.recv(100) == load_parameters_command(0, WANTED)


async def test_a_kernel_that_says_nothing_is_not_waited_for() -> None:
    with a_pair() as (ours, _kernels):
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            await load_connection_parameters(0, WANTED, ours)
        assert asyncio.get_running_loop().time() - began == pytest.approx(REPLY_TIMEOUT_S)


class RefusedSocket(socket.socket):
    """A socket without permission: the kernel answers a request, and reports 0 bytes sent."""

    def send(self, data: bytes, *flags: int) -> int:  # type: ignore[override]  # only bytes are sent here
        super().send(data, *flags)
        return 0


async def test_a_request_is_sent_once_even_where_the_kernel_claims_to_have_taken_none_of_it() -> None:
    with a_pair() as (ours, kernels):
        kernels.send(bytes.fromhex("020000000300350014"))
        with RefusedSocket(fileno=ours.detach()) as refused:
            refused.setblocking(False)
            assert await load_connection_parameters(0, WANTED, refused) == MgmtStatus.PERMISSION_DENIED
        assert kernels.recv(100) == load_parameters_command(0, WANTED)
        assert kernels.recv(100) == b""


async def test_what_a_connection_is_granted_is_heard_and_what_it_is_granted_later() -> None:
    with a_pair() as (ours, kernels):
        monitor = Monitor(ours)
        with monitor.listening():
            for packet in (OTHER, CONNECTED):
                kernels.send(packet)
            await asyncio.sleep(0.1)
            parameters = monitor.parameters("c0:de:00:00:5a:1e")
            assert parameters is not None
            assert parameters.interval_s == pytest.approx(0.03)
            kernels.send(LE_UPDATE)
            await asyncio.sleep(0.1)
            parameters = monitor.parameters("C0:DE:00:00:5A:1E")
            assert parameters is not None
            assert parameters.interval_s == pytest.approx(0.0075)
            assert monitor.parameters("C0:DE:00:00:5A:1F") is None
        assert ours.fileno() == -1


def test_a_kernel_without_bluetooth_says_so() -> None:
    """The outcome depends on the machine; no socket may be left open in any case."""
    number = None
    try:
        kernel_socket(CONTROL).close()
    except OSError as error:
        number = error.errno
    assert number in {
        None,
        errno.EAFNOSUPPORT,
        errno.EPERM,
        errno.EACCES,
        errno.EPROTONOSUPPORT,
        errno.ESOCKTNOSUPPORT,
    }
