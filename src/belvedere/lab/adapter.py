"""The Bluetooth adapter that a command uses: this computer's, or the one of a simulated head."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from belvedere.link.adapters import resolve_adapter
from belvedere.link.options import LinkOptions
from belvedere.link.radio import Radio

if TYPE_CHECKING:
    from bleak.backends.client import BaseBleakClient
    from bleak.backends.scanner import BaseBleakScanner

INTERACTIVE = LinkOptions(search_s=8.0, connect_timeout_s=10.0, open_timeout_s=30.0)
"""Longer than the server's: a person who ran a command would rather wait for it than run it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """Which adapter to use.

    Attributes:
        client_backend, scanner_backend: bleak backends to use in place of the system's; None for the system's.
        name: BlueZ's name (`hci1`) or the adapter's address; None for the first that is on.
    """

    client_backend: type[BaseBleakClient] | None = None
    scanner_backend: type[BaseBleakScanner] | None = None
    name: str | None = None

    async def bluez_name(self) -> str | None:
        """Its current name in BlueZ, or None for the first that is on. Raises LinkError (NO_ADAPTER, ADAPTER_OFF)."""
        if self.name is None or self.scanner_backend is not None or sys.platform != "linux":
            return self.name
        from belvedere.link.bluez_adapters import ask_adapters  # noqa: PLC0415 - D-Bus exists on Linux only

        return resolve_adapter(self.name, await ask_adapters())

    def radio(self, options: LinkOptions = INTERACTIVE) -> Radio:
        """The radio that finds and connects units through this adapter."""
        return Radio(self.client_backend, self.scanner_backend, self.name, options)
