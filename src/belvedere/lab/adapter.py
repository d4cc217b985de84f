"""Which Bluetooth adapter a command of the lab uses: this computer's, or that of a head that does not exist."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from belvedere.link.adapters import chosen
from belvedere.link.options import LinkOptions
from belvedere.link.radio import Radio

if TYPE_CHECKING:
    from bleak.backends.client import BaseBleakClient
    from bleak.backends.scanner import BaseBleakScanner

INTERACTIVE = LinkOptions(search_s=8.0, connect_timeout_s=10.0, open_timeout_s=30.0)
"""Somebody is watching, and would rather wait than try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """Classes for bleak to use instead of the system's own, where given; and its `name` (`hci1`) or address."""

    client_backend: type[BaseBleakClient] | None = None
    scanner_backend: type[BaseBleakScanner] | None = None
    name: str | None = None

    async def bluez_name(self) -> str | None:
        """BlueZ's name of it now, or None for the first that is on. Raises LinkError (NO_ADAPTER, ADAPTER_OFF)."""
        if self.name is None or self.scanner_backend is not None or sys.platform != "linux":
            return self.name
        from belvedere.link.bluez_adapters import ask_adapters  # noqa: PLC0415 - there is no D-Bus but on Linux

        return chosen(self.name, await ask_adapters())

    def radio(self, options: LinkOptions = INTERACTIVE) -> Radio:
        """The adapter as one radio that finds and connects."""
        return Radio(self.client_backend, self.scanner_backend, self.name, options)
