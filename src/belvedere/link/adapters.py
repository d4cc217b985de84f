"""Which Bluetooth adapter is meant: BlueZ numbers them anew with every boot and plug, their addresses stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from belvedere.errors import LinkError, LinkReason

if TYPE_CHECKING:
    from collections.abc import Iterable


class BluezAdapter(msgspec.Struct, frozen=True):
    """An adapter as BlueZ shows it: `hci0`, its address, and whether it is on."""

    name: str
    address: str
    is_powered: bool = True

    def matches(self, wanted: str) -> bool:
        """Whether this is its name or its address."""
        return wanted.upper() in {self.name.upper(), self.address.upper()}


def resolve_adapter(wanted: str, adapters: Iterable[BluezAdapter]) -> str:
    """BlueZ's name, now, of the adapter that goes by this name or address. Raises LinkError (NO_ADAPTER)."""
    there = list(adapters)
    for one in there:
        if one.matches(wanted):
            return one.name
    others = ", ".join(f"{one.name} ({one.address})" for one in there) or "none"
    raise LinkError(LinkReason.NO_ADAPTER, f"no such Bluetooth adapter: {wanted}; this computer has {others}")
