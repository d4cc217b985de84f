"""A simulated phone that drives a head with its app and keeps the Bluetooth log that a real head is learned from.

The log is bumble's own btsnoop, with times of the event loop.
"""

from __future__ import annotations

import asyncio
import io
import struct
from typing import TYPE_CHECKING, BinaryIO

import msgspec
from bumble import hci
from bumble.device import ConnectionParametersPreferences, Device, DeviceConfiguration, Peer
from bumble.host import Host
from bumble.snoop import BtSnooper, Snooper

from belvedere.head.axes import AXES, Axis
from belvedere.head.frames import pack, stop_frame
from belvedere.sim.controller import VirtualController, until_over
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bumble.device import Advertisement, Connection

    from belvedere.head.layout import FrameLayout
    from belvedere.sim.head import VirtualHead
    from belvedere.sim.radio_medium import RadioMedium
    from belvedere.sim.unit import VirtualUnit

ADDRESS = "C0:DE:00:00:00:02"
INTERVAL_MS = 30.0  # what an app that wants to be quick is given
SUPERVISION_MS = 2000
MTU = 247  # what fits into one packet on the air

FRAME_EVERY_S = 0.050
STOPS = 3  # after each release, because commands are not acknowledged
THINKING_S = 0.7  # between two moves
SCAN_S = 1.0
FIND_TIMEOUT_S = 10.0

RECORD_TIME = slice(16, 24)  # of a record of btsnoop: its time, the last part of its header
EPOCH_US = 62_168_256_000_000_000  # btsnoop counts from the year 0
BEGINS_S = 1_750_000_000  # the log: an afternoon in June 2025

STATE_AFTER, SUBSCRIPTION_AFTER = 2, 3
"""Handles: what a unit tells, and where that is asked for, come so far behind what takes its commands."""


class Move(msgspec.Struct, frozen=True):
    """Somebody holds the app's stick: this axis, at this share of full speed, for so long."""

    axis: Axis
    velocity: float
    for_s: float = 1.0


MOVES = (
    *(Move(Axis.PAN, share / 20) for share in (2, 5, 9, 14, 20)),
    *(Move(Axis.PAN, -share / 20) for share in (3, 10, 17)),
    *(Move(Axis.TILT, share / 10) for share in (4, -4, 10, -10, 1, -1)),
)
"""Both axes, both directions, slow and fast: what the tutorial asks an owner to do."""


class LoopSnooper(Snooper):
    """bumble's writer, but with times of the event loop, so that virtual time makes a log of true pace."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._record = io.BytesIO()
        self._writer = BtSnooper(self._record)
        self._pass_on()

    def snoop(self, hci_packet: bytes, direction: Snooper.Direction) -> None:
        """Keep one packet."""
        self._writer.snoop(hci_packet, direction)
        time_us = round((BEGINS_S + asyncio.get_running_loop().time()) * 1e6) + EPOCH_US
        self._record.getbuffer()[RECORD_TIME] = struct.pack(">Q", time_us)
        self._pass_on()

    def _pass_on(self) -> None:
        self._output.write(self._record.getvalue())
        self._record.seek(0)
        self._record.truncate()


class Phone:
    """One phone on the air. Needs the running event loop; `close` ends all its connections."""

    def __init__(self, medium: RadioMedium, log: BinaryIO) -> None:
        self._medium = medium
        self._log = log
        self._heard: dict[str, Advertisement] = {}
        parameters = ConnectionParametersPreferences(
            INTERVAL_MS, INTERVAL_MS, supervision_timeout=SUPERVISION_MS, min_ce_length=0, max_ce_length=0
        )
        self._preferences = {hci.Phy.LE_1M: parameters}

    async def start(self) -> None:
        """Switch Bluetooth on, with its log."""
        self._controller = VirtualController("phone", link=self._medium)
        configuration = DeviceConfiguration(name="phone", address=hci.Address(ADDRESS))
        self._device = Device(config=configuration, host=Host(self._controller, self._controller))
        self._device.host.snooper = LoopSnooper(self._log)
        await self._device.power_on()

    async def close(self) -> None:
        """Switch Bluetooth off."""
        for connection in list(self._device.connections.values()):
            await self.leave(connection)
        self._medium.remove_controller(self._controller)

    async def scan(self) -> None:
        """Listen for who is there."""
        self._device.on(Device.EVENT_ADVERTISEMENT, self._hear)
        await self._device.start_scanning(active=True)
        await asyncio.sleep(SCAN_S)
        await self._device.stop_scanning()
        self._device.remove_listener(Device.EVENT_ADVERTISEMENT, self._hear)

    async def connect(self, unit: VirtualUnit) -> Connection:
        """Connect to a unit that was heard. Raises TimeoutError."""
        async with timeout(FIND_TIMEOUT_S):
            address = self._heard[unit.address].address
            return await self._device.connect_le(
                address, connection_parameters_preferences=self._preferences, timeout=None
            )

    async def discover(self, connection: Connection) -> None:
        """Ask for everything that the unit has, as a phone does that does not know it yet."""
        peer = Peer(connection)
        await peer.request_mtu(MTU)
        for service in await peer.discover_services():
            for one in await service.discover_characteristics():
                await one.discover_descriptors()

    async def encrypt(self, connection: Connection) -> None:
        """Pair, and encrypt the link."""
        await connection.pair()

    async def write(self, connection: Connection, handle: int, value: bytes, *, is_answered: bool = False) -> None:
        """Write a value, as a command or as a request."""
        await connection.gatt_client.write_value(handle, value, is_answered)

    async def subscribe(self, connection: Connection, unit: VirtualUnit) -> None:
        """Let the unit tell what it does."""
        listeners = connection.gatt_client.notification_subscribers
        listeners.setdefault(unit.command_handle + STATE_AFTER, set()).add(lambda _state: None)
        await self.write(connection, unit.command_handle + SUBSCRIPTION_AFTER, b"\1\0", is_answered=True)

    async def leave(self, connection: Connection) -> None:
        """End a connection."""
        self._controller.end_connection(connection.handle, hci.HCI_ErrorCode.REMOTE_USER_TERMINATED_CONNECTION_ERROR)
        await until_over(connection)

    def _hear(self, advertisement: Advertisement) -> None:
        self._heard[advertisement.address.to_string(with_type_qualifier=False)] = advertisement


async def use_app(
    head: VirtualHead,
    log: BinaryIO,
    layout: FrameLayout,
    *,
    moves: Sequence[Move] = MOVES,
    is_known: bool = False,
    is_paired: bool = False,
) -> None:
    """Drive a running head with the app once, from finding its units to leaving them, and keep the log.

    A phone that knows the units (`is_known`) asks them for nothing, so that the log holds no UUIDs. Half-way the pan
    unit's link drops, and the app connects again.
    """
    phone = Phone(head.medium, log)
    await phone.start()
    await phone.scan()
    connections: dict[Axis, Connection] = {}

    async def greet(axis: Axis) -> None:
        connections[axis] = await phone.connect(head.unit(axis))
        if is_paired:
            await phone.encrypt(connections[axis])
        if not is_known:
            await phone.discover(connections[axis])
        await phone.subscribe(connections[axis], head.unit(axis))

    for axis in AXES:
        await greet(axis)
    for number, move in enumerate(moves):
        if number == len(moves) // 2:
            head.unit(Axis.PAN).drop()
            await until_over(connections[Axis.PAN])
            await greet(Axis.PAN)
        await _hold(phone, connections[move.axis], head.unit(move.axis).command_handle, layout, move)
    await phone.close()


async def _hold(phone: Phone, connection: Connection, handle: int, layout: FrameLayout, move: Move) -> None:
    """Frames as long as the stick is held, stops when it is let go, and a pause."""
    held = [pack(layout, move.velocity)] * max(1, round(move.for_s / FRAME_EVERY_S))
    for frame in (*held, *[stop_frame(layout)] * STOPS):
        await phone.write(connection, handle, frame)
        await asyncio.sleep(FRAME_EVERY_S)
    await asyncio.sleep(THINKING_S)
