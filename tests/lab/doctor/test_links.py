"""The checks of the units: virtual ones, reached with bleak's own classes, and a simulated kernel."""

from __future__ import annotations

import errno
import socket
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from belvedere.head.axes import Axis
from belvedere.head.profile import UnitProfile, shipped_profile
from belvedere.lab.adapter import Adapter
from belvedere.lab.doctor.bluez import BluezDevice, BluezSnapshot
from belvedere.lab.doctor.check import CheckResult, CheckState
from belvedere.lab.doctor.links import CheckedUnit, LinkTester, interval_result, presence
from belvedere.lab.doctor.mgmt import ConnectionParameters
from belvedere.lab.scan import ScannedDevice
from belvedere.link.adapters import BluezAdapter
from belvedere.link.connection_interval import ConnectionInterval
from belvedere.sim.head import ADDRESSES, NAMES, HeadOptions, VirtualHead

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PROFILE = shipped_profile("zeapon-pons-pt")
STOP = bytes.fromhex("020000000000000000000000")
SERVICE = CheckResult("Bluetooth service", CheckState.OK, "")
BLUEZ = BluezSnapshot(SERVICE)


def unit(axis: Axis = Axis.PAN) -> CheckedUnit:
    described = PROFILE.unit(axis)
    assert described is not None
    return CheckedUnit(axis=axis, unit=described, layout=PROFILE.frame)


def device(axis: Axis = Axis.PAN, rssi_dbm: int = -60) -> ScannedDevice:
    return ScannedDevice(
        address=ADDRESSES[axis], name=NAMES[axis], services=(), rssi_dbm=rssi_dbm, matches=(), seen_at_s=0.0
    )


def no_sockets(_channel: int) -> socket.socket:
    raise PermissionError(errno.EPERM, "Operation not permitted")


class Kernel:
    """The kernel's end of the sockets: answers a request, and reports connection parameters."""

    def __init__(self, status: int = 0) -> None:
        self.status = status
        self._ends: list[socket.socket] = []

    def socket(self, channel: int) -> socket.socket:
        ours, kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self._ends.append(kernels)
        if channel == 3:
            kernels.send(struct.pack("<HHHHB", 1, 0, 3, 0x35, self.status))
        else:
            kernels.send(bytes.fromhex("03000000 1500 3e13 01 00 4000 00 01 1e5a0000dec0 0600 0000 4800 00"))
        return ours

    def monitor_socket(self) -> bytes:
        return self._ends[0].recv(100)

    def close(self) -> None:
        for end in self._ends:
            end.close()


@asynccontextmanager
async def a_head(interval_s: float = 0.03) -> AsyncIterator[tuple[VirtualHead, Adapter]]:
    async with VirtualHead(PROFILE, HeadOptions(interval_s=interval_s)) as head:
        yield head, Adapter(client_backend=head.client_backend, scanner_backend=head.scanner_backend)


def test_a_unit_that_is_heard_is_good_and_one_that_is_hardly_heard_is_not() -> None:
    assert presence(unit(), device(), BLUEZ).state is CheckState.OK
    weak = presence(unit(), device(rssi_dbm=-90), BLUEZ)
    assert weak.state is CheckState.WARNING
    assert "closer" in weak.fix


def test_a_unit_that_is_not_seen_is_reported_with_what_keeps_the_radio_busy() -> None:
    headphones = BluezDevice("C0:DE:00:00:00:77", "Headphones", is_random=False, is_connected=True)
    result = presence(unit(Axis.TILT), None, BluezSnapshot(SERVICE, (), (headphones,)))
    assert result.state is CheckState.ERROR
    assert "Headphones" in result.message
    assert "[head.tilt]" in result.fix


def test_a_unit_that_is_connected_already_is_there() -> None:
    own = BluezDevice(ADDRESSES[Axis.PAN], NAMES[Axis.PAN], is_random=True, is_connected=True)
    result = presence(unit(), None, BluezSnapshot(SERVICE, (), (own,)))
    assert result.state is CheckState.OK
    assert "already connected" in result.message


@pytest.mark.parametrize("interval_s", [0.0075, 0.03, 0.05])
async def test_a_link_is_measured_and_its_interval_learned(interval_s: float) -> None:
    async with a_head(interval_s) as (_head, adapter):
        written, parameters = await LinkTester(adapter, BLUEZ, no_sockets).measure(unit(), device())
        assert written.state is CheckState.OK
        assert f"{2000 * interval_s:.0f} ms" in written.message
        assert "CAP_NET_RAW" in parameters.message
        told_ms = float(parameters.message.removeprefix("about ").partition(" ms")[0])
        assert told_ms / 1000 == pytest.approx(interval_s, rel=0.25)


async def test_a_unit_is_told_to_stop_and_nothing_else() -> None:
    async with a_head() as (head, adapter):
        await LinkTester(adapter, BLUEZ, no_sockets).measure(unit(), device())
        assert {received.frame for received in head.pan.frames} == {STOP}
        assert not head.tilt.frames


async def test_what_the_radio_granted_is_heard_where_the_kernel_lets_us() -> None:
    async with a_head() as (_head, adapter):
        kernel = Kernel()
        _written, parameters = await LinkTester(adapter, BLUEZ, kernel.socket).measure(unit(), device())
        assert parameters == CheckResult("pan interval", CheckState.OK, "7.5 ms, supervision timeout 720 ms")
        kernel.close()


async def test_a_unit_that_vanished_since_it_was_seen_is_reported_and_the_next_is_measured() -> None:
    async with a_head() as (head, adapter):
        head.faults.vanish(Axis.PAN)
        links = LinkTester(adapter, BLUEZ, no_sockets)
        found = await links.measure(unit(), device())
        assert [result.state for result in found] == [CheckState.ERROR]
        found = await links.measure(unit(Axis.TILT), device(Axis.TILT))
        assert found[0].state is CheckState.OK


async def test_a_unit_that_hangs_is_left_in_time() -> None:
    async with a_head() as (head, adapter):
        head.faults.hang(Axis.PAN)
        found = await LinkTester(adapter, BLUEZ, no_sockets).measure(unit(), device())
        assert found[0].state is CheckState.ERROR


async def test_the_kernel_is_asked_for_short_intervals_and_says_yes() -> None:
    kernel = Kernel()
    result = await LinkTester(Adapter(), BLUEZ, kernel.socket).request_short_intervals([device(), device(Axis.TILT)])
    assert result.state is CheckState.OK
    assert "7.5 to 15 ms" in result.message
    kernel.close()


@pytest.mark.parametrize(
    ("wanted", "adapters", "index"),
    [
        (None, (), 0),
        ("hci3", ("hci1",), 3),
        (None, ("hci1", "hci2"), 1),
        ("c0:de:00:00:00:01", ("hci2",), 2),
    ],
)
async def test_the_adapter_that_is_asked_about_is_the_wanted_or_the_first(
    wanted: str | None, adapters: tuple[str, ...], index: int
) -> None:
    kernel = Kernel()
    present = tuple(BluezAdapter(name, "C0:DE:00:00:00:01", is_powered=True) for name in adapters)
    await LinkTester(Adapter(name=wanted), BluezSnapshot(SERVICE, present), kernel.socket).request_short_intervals(
        [device()]
    )
    assert kernel.monitor_socket()[2:4] == index.to_bytes(2, "little")
    kernel.close()


async def test_an_adapter_that_bluez_does_not_tell_of_is_not_asked_about() -> None:
    result = await LinkTester(Adapter(name="C0:DE:00:00:00:99"), BLUEZ, no_sockets).request_short_intervals([device()])
    assert result.state is CheckState.UNKNOWN
    assert "C0:DE:00:00:00:99" in result.message


@pytest.mark.parametrize(("status", "summary"), [(0x14, "CAP_NET_ADMIN"), (0x0D, "0xd")])
async def test_a_kernel_that_says_no_is_reported_with_what_to_do_instead(status: int, summary: str) -> None:
    kernel = Kernel(status)
    result = await LinkTester(Adapter(), BLUEZ, kernel.socket).request_short_intervals([device()])
    assert result.state is CheckState.UNKNOWN
    assert summary in result.message
    assert "MaxConnectionInterval=12" in result.fix
    kernel.close()


async def test_a_kernel_that_cannot_be_asked_is_reported_with_what_to_do_instead() -> None:
    result = await LinkTester(Adapter(), BLUEZ, no_sockets).request_short_intervals([device()])
    assert "not permitted" in result.message
    assert "main.conf" in result.fix


@pytest.mark.parametrize(
    ("interval_s", "supervision_s", "state", "has_fix"),
    [
        (0.0075, 0.72, CheckState.OK, False),
        (0.015, 0.72, CheckState.OK, False),
        (0.015, 0.42, CheckState.OK, True),
        (0.05, 0.72, CheckState.OK, True),
        (0.1, 0.72, CheckState.WARNING, True),
    ],
)
def test_an_interval_is_judged(interval_s: float, supervision_s: float, state: CheckState, *, has_fix: bool) -> None:
    result = interval_result(
        "pan interval", ConnectionParameters("x", 1, interval_s, supervision_s), ConnectionInterval(0.05)
    )
    assert result.state is state
    assert bool(result.fix) is has_fix


def test_a_link_that_tells_nothing_is_unknown() -> None:
    assert interval_result("pan interval", None, ConnectionInterval(0.05)).state is CheckState.UNKNOWN


async def test_a_unit_that_acknowledges_nothing_is_asked_behind_each_stop() -> None:
    """A unit of another maker, whose commands can only be written without response."""
    async with a_head() as (head, adapter):

        class Unacknowledged(head.client_backend):  # type: ignore[name-defined,misc]  # a class made at run time
            async def connect(self, *arguments: object, **options: object) -> None:
                await super().connect(*arguments, **options)
                for characteristic in self.services.characteristics.values():
                    if "write-without-response" in characteristic.properties:
                        characteristic.properties.remove("write")

        other = Adapter(client_backend=Unacknowledged, scanner_backend=adapter.scanner_backend)
        plain = CheckedUnit(axis=Axis.PAN, unit=UnitProfile(name_patterns=("PONS-PAN*",)), layout=PROFILE.frame)
        written, _parameters = await LinkTester(other, BLUEZ, no_sockets).measure(plain, device())
        assert "unacknowledged" in written.message
        assert {received.frame for received in head.pan.frames} == {STOP}
