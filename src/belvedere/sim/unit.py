"""A virtual PONS unit: a Bluetooth peripheral that receives frames, turns, and notifies its state.

The UUIDs are invented, because those of the real units are not published.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from bumble import att, data_types, hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Device, DeviceConfiguration
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.host import Host

from belvedere.errors import FrameError
from belvedere.head.frames import stop_frame, unpack
from belvedere.sim.controller import VirtualController, until_over

if TYPE_CHECKING:
    from bumble.device import Connection

    from belvedere.head.layout import FrameLayout
    from belvedere.sim.physics import Motor
    from belvedere.sim.radio_medium import RadioMedium

SERVICE = "0000fff0-0000-1000-8000-00805f9b34fb"
COMMAND = "0000fff1-0000-1000-8000-00805f9b34fb"
STATE = "0000fff2-0000-1000-8000-00805f9b34fb"

ADVERTISING_INTERVAL_MS = 100
"""A usual interval for devices that should be found quickly."""

NOTIFY_GAP_S = 0.2
"""At most five notifications a second, so that they do not delay the answers to requests."""

UNREAD_PACKETS = 8
"""How many packets the radio chip buffers while the firmware hangs. More wait in the central, and end with the link."""

KEPT_FRAMES = 4096
"""More than a minute of frames at the maximum rate of a link with an interval of 15 ms."""


class ReceivedFrame(msgspec.Struct, frozen=True):
    """A frame written to the command characteristic, the event loop's time, and whether the unit obeyed it.

    `came_s` is when the radio received it, which is earlier if the firmware hung.
    """

    at_s: float
    frame: bytes
    is_obeyed: bool
    came_s: float


class UnreadPacket(NamedTuple):
    """An attribute packet that the radio received, its connection, and the time."""

    connection: int
    pdu: bytes
    came_s: float


class VirtualUnit:
    """One unit of a head, with its true angle.

    It turns until another command comes, even without a link, unless `stops_when_link_drops`. With `is_inverted` it is
    mounted the other way round: its "right" is the real left.

    Attributes:
        frames: the last `KEPT_FRAMES` frames that it received, oldest first.
        connected_at_s: when a central connected, oldest first, as many as of `frames`.
        is_refusing: whether it answers each command with an error, and obeys none.
    """

    def __init__(
        self,
        medium: RadioMedium,
        name: str,
        address: str,
        layout: FrameLayout,
        motor: Motor,
        *,
        is_inverted: bool = False,
        stops_when_link_drops: bool = False,
    ) -> None:
        self.name = name
        self.address = address
        self.frames: deque[ReceivedFrame] = deque(maxlen=KEPT_FRAMES)
        self.connected_at_s: deque[float] = deque(maxlen=KEPT_FRAMES)
        self.is_refusing = False
        self._medium = medium
        self._layout = layout
        self._motor = motor
        self._sign = -1 if is_inverted else 1
        self._stops_when_link_drops = stops_when_link_drops
        self._state = stop_frame(layout)
        self._notified_state: bytes | None = None
        self._notify_timer: asyncio.TimerHandle | None = None
        self._advertising: asyncio.Task[None] | None = None
        self._is_hung = False
        self._has_lost_link = False
        self._unread: list[UnreadPacket] = []
        self._came_s = 0.0  # of the newest request; ATT allows one at a time
        self._is_closed = False

    async def start(self) -> None:
        """Switch on and advertise."""
        self._loop = asyncio.get_running_loop()
        self._controller = VirtualController(self.name, link=self._medium)
        self._device = Device(
            config=DeviceConfiguration(
                name=self.name,
                address=hci.Address(self.address),
                advertising_data=self._advertisement(),
                advertising_interval_min=ADVERTISING_INTERVAL_MS,
                advertising_interval_max=ADVERTISING_INTERVAL_MS,
            ),
            host=Host(self._controller, self._controller),
        )
        self._command, self._notified = self._add_services()
        channels = self._device.l2cap_channel_manager
        channels.register_fixed_channel(att.ATT_CID, self._receive_att)
        self._device.on(Device.EVENT_CONNECTION, self._receive_connection)
        await self._device.power_on()
        await self._device.start_advertising()

    async def close(self) -> None:
        """Switch off; it cannot be started again."""
        self._is_closed = True
        if self._notify_timer is not None:
            self._notify_timer.cancel()
        if self._advertising is not None:
            await self._advertising
        connections = self.connections
        self.drop()
        await asyncio.gather(*map(until_over, connections))
        await self._device.stop_advertising()
        self._medium.remove_controller(self._controller)

    @property
    def angle_deg(self) -> float:
        """The true angle now; positive is right or up."""
        return self.angle_at(self._loop.time())

    def angle_at(self, at_s: float) -> float:
        """The true angle at a time of the event loop, not before the last command; callable from any thread."""
        return self._sign * self._motor.angle_at(at_s)

    def speed_at(self, at_s: float) -> float:
        """The true speed in degrees per second at that time."""
        return self._sign * self._motor.speed_at(at_s)

    @property
    def is_connected(self) -> bool:
        """Whether the unit believes that a central is connected."""
        return bool(self._controller.le_connections)

    @property
    def unread(self) -> int:
        """How many attribute packets have come since its firmware hung."""
        return len(self._unread)

    @property
    def connections(self) -> list[Connection]:
        """The connections as the unit's own host sees them; there is one at most."""
        return list(self._device.connections.values())

    @property
    def command_handle(self) -> int:
        """The attribute handle that takes frames."""
        return self._command.handle

    def apply_frame(self, frame: bytes) -> None:
        """Obey a frame as if it had been received. Raises FrameError."""
        self._motor.command(unpack(self._layout, frame), self._loop.time())
        self._state = frame
        if self._notify_timer is None and frame != self._notified_state:
            self._notify()

    def drop(self) -> None:
        """End the connection from the unit's side, if there is one."""
        for connection in list(self._controller.le_connections.values()):
            self._controller.end_connection(
                connection.handle, hci.HCI_ErrorCode.REMOTE_USER_TERMINATED_CONNECTION_ERROR
            )

    def hang(self) -> None:
        """The firmware hangs while the radio chip works on: the link stays up, and packets are received and buffered.

        Nothing is processed, answered or notified. Motion continues, and so does advertising without a link.
        """
        self._is_hung = True

    def resume(self) -> None:
        """The firmware continues: it processes the buffered packets, and then the end of the link, if it has ended.

        Commands are processed in order, and the request, of which there is at most one, after them. Does nothing if the
        firmware does not hang.
        """
        if not self._is_hung:
            return
        self._is_hung = False
        unread, self._unread = self._unread, []
        for packet in unread:
            self._read(packet)
        if self._has_lost_link:
            self._finish_link()
        elif self._notify_timer is None:
            self._notify()

    def _advertisement(self) -> bytes:
        return bytes(
            AdvertisingData(
                [
                    data_types.Flags(
                        AdvertisingData.Flags.LE_GENERAL_DISCOVERABLE_MODE | AdvertisingData.Flags.BR_EDR_NOT_SUPPORTED
                    ),
                    data_types.CompleteLocalName(self.name),
                    data_types.IncompleteListOf16BitServiceUUIDs([UUID.from_16_bits(0xFFF0)]),
                ]
            )
        )

    def _add_services(self) -> tuple[Characteristic[bytes], Characteristic[bytes]]:
        properties = Characteristic.Properties
        command = Characteristic[bytes](
            COMMAND,
            properties.WRITE | properties.WRITE_WITHOUT_RESPONSE,
            Characteristic.WRITEABLE,
            CharacteristicValue(read=_refuse_read, write=self._receive_request),
        )
        state = Characteristic[bytes](
            STATE,
            properties.NOTIFY,
            Characteristic.READABLE,
            CharacteristicValue(read=_refuse_read, write=_refuse_write),
        )
        texts = {"2a29": "Belvedere", "2a24": "PONS PT, virtual", "2a26": "1.0", "2a25": self.address.replace(":", "")}
        about = [_readable(uuid, text.encode()) for uuid, text in texts.items()]
        self._device.add_services(
            [
                Service("180a", about),
                Service("180f", [_readable("2a19", bytes([87]))]),
                Service(SERVICE, [command, state]),
            ]
        )
        return command, state

    def _receive_connection(self, connection: Connection) -> None:
        self.connected_at_s.append(self._loop.time())
        connection.once(connection.EVENT_DISCONNECTION, self._receive_disconnection)

    def _receive_disconnection(self, _reason: int) -> None:
        self._has_lost_link = True
        if self._is_hung:
            del self._unread[UNREAD_PACKETS:]
        else:
            self._finish_link()

    def _finish_link(self) -> None:
        """Process the end of a link: stop if configured, and advertise again."""
        self._has_lost_link = False
        self._notified_state = None
        if self._stops_when_link_drops:
            self.apply_frame(stop_frame(self._layout))
        if not self._is_closed:
            self._advertising = asyncio.create_task(self._device.start_advertising())

    def _receive_att(self, connection: int, pdu: bytes) -> None:
        packet = UnreadPacket(connection, pdu, self._loop.time())
        if self._is_hung:
            self._unread.append(packet)
        else:
            self._read(packet)

    def _read(self, packet: UnreadPacket) -> None:
        """Process a packet: commands, and packets of ended links, ourselves; all others by bumble.

        bumble would log a refused command as an error of its own.
        """
        parsed = att.ATT_PDU.from_bytes(packet.pdu)
        is_answerable = packet.connection in self._device.connections
        if is_answerable and not isinstance(parsed, att.ATT_Write_Command):
            self._came_s = packet.came_s
            self._device.on_gatt_pdu(packet.connection, packet.pdu)
            return
        match parsed:
            case att.ATT_Write_Command() | att.ATT_Write_Request() if parsed.attribute_handle == self._command.handle:
                self._receive_frame(parsed.attribute_value, packet.came_s)

    def _receive_request(self, _connection: Connection, frame: bytes) -> None:
        error = self._receive_frame(frame, self._came_s)
        if error is not None:
            raise att.ATT_Error(error)

    def _receive_frame(self, frame: bytes, came_s: float) -> att.ErrorCode | None:
        """Obey a frame, or return the error."""
        error = self._rejection(frame)
        self.frames.append(ReceivedFrame(self._loop.time(), frame, error is None, came_s))
        if error is None:
            self.apply_frame(frame)
        return error

    def _rejection(self, frame: bytes) -> att.ErrorCode | None:
        if self.is_refusing:
            return att.ErrorCode.WRITE_REQUEST_REJECTED
        if len(frame) not in {self._layout.length, len(stop_frame(self._layout))}:
            return att.ErrorCode.INVALID_ATTRIBUTE_LENGTH
        try:
            unpack(self._layout, frame)
        except FrameError:
            return att.ErrorCode.VALUE_NOT_ALLOWED
        return None

    def _notify(self) -> None:
        """Notify the state if it has changed, and then not again for NOTIFY_GAP_S."""
        self._notify_timer = None
        if self._state == self._notified_state or self._is_hung or self._is_closed:
            return
        self._notified_state = self._state
        value = bytes([self._state[0] | 0x80]) + self._state[1:]
        server = self._device.gatt_server
        for bearer, subscriptions in server.subscribers.items():
            if subscriptions.get(self._notified.handle, b"\0")[0] & 1:
                notification = att.ATT_Handle_Value_Notification(self._notified.handle, value)
                server.send_gatt_pdu(bearer, bytes(notification))
        self._notify_timer = self._loop.call_later(NOTIFY_GAP_S, self._notify)


def _readable(uuid: str, value: bytes) -> Characteristic[bytes]:
    return Characteristic(
        uuid,
        Characteristic.Properties.READ,
        Characteristic.READABLE,
        CharacteristicValue(read=lambda _connection: value, write=_refuse_write),
    )


def _refuse_read(_connection: Connection) -> bytes:
    raise att.ATT_Error(att.ErrorCode.READ_NOT_PERMITTED)


def _refuse_write(_connection: Connection, _value: bytes) -> None:
    raise att.ATT_Error(att.ErrorCode.WRITE_NOT_PERMITTED)
