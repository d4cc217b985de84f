"""The guardian's own D-Bus connection to BlueZ: calls never block, replies are read when they arrive."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from jeepney import DBusAddress, HeaderFields, MessageFlag, MessageType, Parser, new_method_call
from jeepney.auth import BEGIN, AuthenticationError, Authenticator
from jeepney.bus import find_system_bus

from belvedere.guardian.core import StopMethod

if TYPE_CHECKING:
    from jeepney import Message

    from belvedere.guardian.memory import GuardedUnit

BLUEZ = "org.bluez"
BUS = DBusAddress("/org/freedesktop/DBus", bus_name="org.freedesktop.DBus", interface="org.freedesktop.DBus")
CONNECT_S = 1.0  # a local D-Bus answers within milliseconds, or hangs
READ_BYTES = 4096
UNSENT_BYTES = 64 * 1024  # some hundred unsent calls: D-Bus hangs
TYPES = {StopMethod.COMMAND: "command", StopMethod.REQUEST: "request"}


class BluezError(Exception):
    """D-Bus cannot be reached, or the connection to it has failed."""


class BluezConnection:
    """A connection to the system D-Bus; `stop` is the only frame that it can write. Raises BluezError."""

    def __init__(self, stop: bytes) -> None:
        self._stop = stop
        self._parser = Parser()
        self._unsent = b""
        self._serial = 0
        self._calls: dict[int, int] = {}
        self.socket = socket.socket(socket.AF_UNIX)
        try:
            self._open(find_system_bus())
        except BluezError:
            self.close()
            raise
        except (OSError, AuthenticationError, RuntimeError, ValueError) as error:
            self.close()
            raise BluezError(f"could not connect to D-Bus: {error}") from error

    @property
    def wants_to_send(self) -> bool:
        """Whether there are unsent bytes: call `send` when the socket is writable."""
        return bool(self._unsent)

    def close(self) -> None:
        """Close the connection; BlueZ still executes the calls already sent."""
        self.socket.close()

    def call(self, number: int, unit: GuardedUnit, method: StopMethod) -> None:
        """Write a stop to the unit, or disconnect it; `answers` returns the reply by `number`. Raises BluezError."""
        if method is StopMethod.DISCONNECT:
            device = DBusAddress(unit.device, bus_name=BLUEZ, interface="org.bluez.Device1")
            message = new_method_call(device, "Disconnect")
        else:
            characteristic = DBusAddress(unit.characteristic, BLUEZ, "org.bluez.GattCharacteristic1")
            body = (self._stop, {"type": ("s", TYPES[method])})
            message = new_method_call(characteristic, "WriteValue", "aya{sv}", body)
        message.header.flags |= MessageFlag.no_auto_start
        self._calls[self._put(message)] = number
        self.send()

    def send(self) -> None:
        """Send what is unsent, as far as the socket takes it. Raises BluezError."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
        except BlockingIOError as error:
            if len(self._unsent) > UNSENT_BYTES:
                raise BluezError("D-Bus has stopped reading") from error
        except OSError as error:
            raise BluezError(f"the D-Bus connection failed: {error}") from error

    def answers(self) -> list[tuple[int, str | None]]:
        """Return the replies received: the number of each call and the name of its error, if any. Raises BluezError."""
        try:
            data = self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return []
        except OSError as error:
            raise BluezError(f"the D-Bus connection failed: {error}") from error
        if not data:
            raise BluezError("D-Bus closed the connection")
        answered = [(self._calls.pop(reply, None), error) for reply, error in map(_reply, self._parsed(data))]
        return [(number, error) for number, error in answered if number is not None]

    def _open(self, address: str) -> None:
        deadline_at = time.monotonic() + CONNECT_S
        self.socket.settimeout(CONNECT_S)
        self.socket.connect(address)
        authenticator = Authenticator()
        for line in authenticator:
            self.socket.sendall(line)
            authenticator.feed(self._received(deadline_at))
        self._put(new_method_call(BUS, "Hello"))
        self.socket.sendall(BEGIN + self._unsent)
        self._unsent = b""
        self._parsed(self._received(deadline_at))
        self.socket.setblocking(False)

    def _parsed(self, data: bytes) -> list[Message]:
        try:
            return list(self._parser.feed(data))
        except Exception as error:  # jeepney raises many types on bad input, and none may end the guardian
            raise BluezError(f"could not parse what D-Bus sent: {error!r}") from error

    def _received(self, deadline_at: float) -> bytes:
        self.socket.settimeout(max(0.001, deadline_at - time.monotonic()))
        data = self.socket.recv(READ_BYTES)
        if not data:
            raise ConnectionError("D-Bus closed the connection")
        return data

    def _put(self, message: Message) -> int:
        self._serial += 1
        self._unsent += message.serialise(serial=self._serial)
        return self._serial


def _reply(message: Message) -> tuple[int, str | None]:
    """Return the serial of the call that this answers (0 for none), and the name of its error or None."""
    fields = message.header.fields
    kind = message.header.message_type
    if kind not in (MessageType.method_return, MessageType.error):
        return 0, None
    error = fields.get(HeaderFields.error_name, "") if kind is MessageType.error else None
    return int(fields.get(HeaderFields.reply_serial, 0)), error
