"""Resolves a configured Bluetooth adapter to its current BlueZ name: names change with every boot, addresses do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from belvedere.errors import LinkError, LinkReason

if TYPE_CHECKING:
    from collections.abc import Iterable


class BluezAdapter(msgspec.Struct, frozen=True):
    """An adapter as BlueZ lists it: its name such as `hci0`, its address, and whether it is powered."""

    name: str
    address: str
    is_powered: bool = True

    def matches(self, wanted: str) -> bool:
        """Whether `wanted` is its name or its address, in any case."""
        return wanted.upper() in {self.name.upper(), self.address.upper()}


def resolve_adapter(wanted: str, adapters: Iterable[BluezAdapter]) -> str:
    """Return the current name of the adapter with this name or address. Raises LinkError (NO_ADAPTER)."""
    present = list(adapters)
    for adapter in present:
        if adapter.matches(wanted):
            return adapter.name
    others = ", ".join(f"{adapter.name} ({adapter.address})" for adapter in present) or "none"
    raise LinkError(LinkReason.NO_ADAPTER, f"no such Bluetooth adapter: {wanted}; this computer has {others}")
