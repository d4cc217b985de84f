"""Which Bluetooth adapter a command of the lab uses: this computer's, or that of a head that does not exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from belvedere.link.options import LinkOptions
from belvedere.link.radio import Radio

if TYPE_CHECKING:
    from bleak.backends.client import BaseBleakClient
    from bleak.backends.scanner import BaseBleakScanner

PATIENT = LinkOptions(search_s=8.0, connect_timeout_s=10.0, open_timeout_s=30.0)
"""Somebody is watching, and would rather wait than try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """Classes for bleak to use instead of the system's own, where given, and BlueZ's `name` of it (`hci1`)."""

    client_backend: type[BaseBleakClient] | None = None
    scanner_backend: type[BaseBleakScanner] | None = None
    name: str | None = None

    def radio(self, options: LinkOptions = PATIENT) -> Radio:
        """The adapter as one radio that finds and connects."""
        return Radio(self.client_backend, self.scanner_backend, self.name, options)
