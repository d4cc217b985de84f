"""Resets a Bluetooth adapter by having BlueZ switch it off and on: that ends every connection of its chip."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from belvedere.errors import LinkError, LinkReason
from belvedere.link.bleak_errors import link_errors, reason_of_dbus
from belvedere.link.bluez_adapters import ADAPTER, adapters_of, ask_objects
from belvedere.timeouts import timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

DEVICE = "org.bluez.Device1"
BUSY = frozenset({"org.bluez.Error.Busy", "org.bluez.Error.Failed", "org.bluez.Error.InProgress"})
TRIES = 15  # BlueZ refuses to switch an adapter that it is busy with; less than a second is usual
TRY_EVERY_S = 0.2
SWITCH_S = 5.0  # both ways together are in time for whoever waits for the adapter


async def reset(
    adapter: str, ours: Collection[str], cancel: Callable[[], bool], bus_address: str | None = None
) -> None:
    """Switch an adapter off and on again.

    `adapter` is BlueZ's object of it, "" for the only one that is on. `cancel` is called at the last moment, and says
    whether those at the addresses `ours` may be disconnected; otherwise nothing is done. `bus_address` is the D-Bus's,
    the system's own by default.
    Raises LinkError: REFUSED where others are connected by the adapter, NO_ADAPTER where "" is not one, NO_PERMISSION,
    ADAPTER_OFF.
    """
    objects = await ask_objects(bus_address)
    adapter = adapter or _only_one(objects)
    others = connected_by(adapter, objects) - set(ours)
    if others:
        raise LinkError(LinkReason.REFUSED, f"others are connected by it: {', '.join(sorted(others))}")
    with link_errors(LinkReason.ADAPTER_OFF):
        bus = MessageBus(bus_address=bus_address, bus_type=BusType.SYSTEM)
        try:
            async with timeout(SWITCH_S):
                await bus.connect()
            if not cancel():
                return
            try:
                await _switch(bus, adapter, on=False)
            finally:  # whatever happens: an adapter that stays off is worse than what this is to mend
                await _switch(bus, adapter, on=True)
        finally:
            with contextlib.suppress(Exception):  # closing what never opened fails in many ways, and none matters
                bus.disconnect()


def connected_by(adapter: str, objects: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> set[str]:
    """The addresses of those among BlueZ's objects that are connected by this adapter."""
    devices = [found[DEVICE] for path, found in objects.items() if path.startswith(f"{adapter}/") and DEVICE in found]
    plain = [{key: variant.value for key, variant in device.items()} for device in devices]
    return {str(device["Address"]) for device in plain if device.get("Connected", False)}


def _only_one(objects: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    names = [one.name for one in adapters_of(objects) if one.is_powered]
    if len(names) != 1:
        found = ", ".join(names) or "none"
        raise LinkError(LinkReason.NO_ADAPTER, f"which adapter to reset is not known: {found} on, and none configured")
    return f"/org/bluez/{names[0]}"


async def _switch(bus: MessageBus, adapter: str, *, on: bool) -> None:
    async with timeout(SWITCH_S):
        name = await _refusal(bus, adapter, on=on)
        for _ in range(TRIES):
            if name not in BUSY:
                break
            await asyncio.sleep(TRY_EVERY_S)
            name = await _refusal(bus, adapter, on=on)
    if name is not None:
        way = "on" if on else "off"
        raise LinkError(reason_of_dbus(name, LinkReason.ADAPTER_OFF), f"BlueZ does not switch {adapter} {way}: {name}")


async def _refusal(bus: MessageBus, adapter: str, *, on: bool) -> str | None:
    """Ask BlueZ to switch the adapter; returns the name of the error, None for none."""
    answer = await bus.call(
        Message(
            destination="org.bluez",
            path=adapter,
            interface="org.freedesktop.DBus.Properties",
            member="Set",
            signature="ssv",
            body=[ADAPTER, "Powered", Variant("b", on)],
        )
    )
    return answer.error_name if answer.message_type is MessageType.ERROR else None
