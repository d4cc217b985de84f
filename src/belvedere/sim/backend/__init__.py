"""bleak's backend classes over virtual Bluetooth, so that unchanged code scans, connects and writes through bleak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.sim.backend.client import VirtualClient
from belvedere.sim.backend.scanner import VirtualScanner

if TYPE_CHECKING:
    from belvedere.sim.radio import VirtualRadio


def backends(radio: VirtualRadio) -> tuple[type[VirtualClient], type[VirtualScanner]]:
    """The classes to hand to bleak as `backend=`, bound to this radio."""
    scanner = type("BoundScanner", (VirtualScanner,), {"radio": radio})
    return type("BoundClient", (VirtualClient,), {"radio": radio, "scanner_backend": scanner}), scanner
