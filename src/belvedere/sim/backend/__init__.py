"""bleak backends for virtual Bluetooth, so that unmodified code scans, connects and writes through bleak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.sim.backend.client import VirtualClient
from belvedere.sim.backend.scanner import VirtualScanner

if TYPE_CHECKING:
    from belvedere.sim.radio import VirtualRadio


def backends(radio: VirtualRadio) -> tuple[type[VirtualClient], type[VirtualScanner]]:
    """Create the classes for bleak's argument `backend`, bound to this radio."""
    scanner = type("BoundScanner", (VirtualScanner,), {"radio": radio})
    return type("BoundClient", (VirtualClient,), {"radio": radio, "scanner_backend": scanner}), scanner
