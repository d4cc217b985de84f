"""Notifies systemd that the program is ready, alive or stopping, if systemd asks for it (sd_notify(3))."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Notifier:
    """Sends datagrams to `NOTIFY_SOCKET`; without that variable every call does nothing.

    Attributes:
        watchdog_s: the longest interval between calls of `alive`, half of systemd's timeout; None without a watchdog.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = _watchdog_s(environment) if address else None

    def ready(self) -> None:
        """The server accepts connections."""
        self._send(b"READY=1")

    def alive(self) -> None:
        """The engine's loop is running: reset the watchdog."""
        if self.watchdog_s is not None:
            self._send(b"WATCHDOG=1")

    def stopping(self) -> None:
        """The shutdown has begun."""
        self._send(b"STOPPING=1")

    def _send(self, message: bytes) -> None:
        """Send without blocking, and ignore errors: they must not affect driving, and systemd notices by itself."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(message, self._address)


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """Half of WATCHDOG_USEC in seconds, if it is meant for this process."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        return int(environment["WATCHDOG_USEC"]) / 2e6
    except (KeyError, ValueError):
        return None
