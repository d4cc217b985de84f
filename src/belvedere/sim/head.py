"""A simulated head: a pan and a tilt unit, and a Bluetooth adapter that reaches them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import msgspec

from belvedere.head.axes import AXES, Axis
from belvedere.sim.backend import backends
from belvedere.sim.physics import FREE, Motor
from belvedere.sim.radio import BLUEZ_DISCONNECT_S, LINUX_INTERVAL_S, LINUX_SUPERVISION_S, VirtualRadio
from belvedere.sim.radio_medium import RadioMedium
from belvedere.sim.unit import VirtualUnit
from belvedere.sim.virtual_link import Conditions

if TYPE_CHECKING:
    from typing import Self

    from belvedere.head.profile import HeadProfile

NAMES = {Axis.PAN: "PONS-PAN-5A1E", Axis.TILT: "PONS-TILT-5A1F"}
"""Advertised names that match the shipped profile."""

ADDRESSES = {Axis.PAN: "C0:DE:00:00:5A:1E", Axis.TILT: "C0:DE:00:00:5A:1F"}
ADAPTER_ADDRESS = "C0:DE:00:00:00:01"

FULL_SPEED_DEG_PER_S = 40.0
"""For a profile without calibration: a full turn in nine seconds."""

ENDS_DEG = {Axis.PAN: FREE, Axis.TILT: (-90.0, 90.0)}
"""The end stops: a pan unit has none, a tilt unit meets its own frame."""


class HeadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Properties of the simulated head and radio.

    Attributes:
        interval_s: the connection interval of both links (multiples of 1.25 ms from 7.5 ms).
        supervision_s: the supervision timeout, after which a silent link is lost.
        disconnect_s: how long BlueZ takes to disconnect.
        conditions: the radio conditions of both units at the start.
        acceleration_deg_per_s2: how hard the motors start and stop.
        stops_when_link_drops: whether the units stop by themselves when their link is lost; unknown, so assume no.
        seed: the same seed gives the same radio behaviour.
    """

    interval_s: float = LINUX_INTERVAL_S
    supervision_s: float = LINUX_SUPERVISION_S
    disconnect_s: float = BLUEZ_DISCONNECT_S
    conditions: Conditions = Conditions()
    acceleration_deg_per_s2: float = 240.0
    stops_when_link_drops: bool = False
    seed: int = 1


class VirtualHead:
    """Two units with known true angles, and bleak backends with which unmodified code reaches them.

    It may be created anywhere; `start` and `close` need the event loop in which it is used, and `async with` calls
    both.
    """

    def __init__(self, profile: HeadProfile, options: HeadOptions | None = None) -> None:
        options = options or HeadOptions()
        chance = random.Random(options.seed)  # noqa: S311 - simulates a radio, no secret
        self.medium = RadioMedium(chance)
        self.radio = VirtualRadio(
            self.medium,
            address=ADAPTER_ADDRESS,
            interval_s=options.interval_s,
            supervision_s=options.supervision_s,
            disconnect_s=options.disconnect_s,
        )
        self.client_backend, self.scanner_backend = backends(self.radio)
        self._units = {axis: _unit(self.medium, axis, profile, options) for axis in AXES}
        self.faults = Faults(self)
        self._is_running = False

    @property
    def pan(self) -> VirtualUnit:
        """The unit that pans."""
        return self._units[Axis.PAN]

    @property
    def tilt(self) -> VirtualUnit:
        """The unit that tilts."""
        return self._units[Axis.TILT]

    def unit(self, axis: Axis) -> VirtualUnit:
        """The unit of this axis."""
        return self._units[axis]

    async def start(self) -> None:
        """Switch everything on, once; the units then advertise."""
        self._is_running = True
        await self.radio.start()
        for unit in self._units.values():
            await unit.start()

    async def close(self) -> None:
        """Switch everything off; no task or timer remains. Does nothing if it is not running."""
        if not self._is_running:
            return
        self._is_running = False
        await self.radio.close()
        for unit in self._units.values():
            await unit.close()
        self.medium.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()


class Faults:
    """Injects faults of the head; each takes effect at once."""

    def __init__(self, head: VirtualHead) -> None:
        self._head = head

    def drop(self, axis: Axis) -> None:
        """The unit ends its link and advertises again."""
        self._head.unit(axis).drop()

    def refuse(self, axis: Axis, *, on: bool) -> None:
        """The unit answers commands with an error and obeys none (on), or works again."""
        self._head.unit(axis).is_refusing = on

    def hang(self, axis: Axis) -> None:
        """The unit's firmware hangs: the link stays up, nothing is processed or answered, and motion continues."""
        self._head.unit(axis).hang()

    def resume(self, axis: Axis) -> None:
        """The unit's firmware continues, and processes what has arrived meanwhile."""
        self._head.unit(axis).resume()

    def delay(self, axis: Axis, seconds: float) -> None:
        """Every packet to or from the unit takes this much longer."""
        self._change(axis, delay_s=seconds)

    def lose(self, axis: Axis, share: float) -> None:
        """In this share of the connection events, in [0, 1), no packet gets through."""
        self._change(axis, loss=share)

    def vanish(self, axis: Axis) -> None:
        """The unit is out of reach: its link times out, and no scan finds it. Motion continues."""
        self._head.medium.mute(self._head.unit(axis).address)

    def come_back(self, axis: Axis) -> None:
        """The unit is within reach again."""
        self._head.medium.unmute(self._head.unit(axis).address)

    def switch_adapter(self, *, on: bool) -> None:
        """The computer's Bluetooth is powered off or on."""
        self._head.radio.switch(on=on)

    def _change(self, axis: Axis, **changes: float) -> None:
        address = self._head.unit(axis).address
        self._head.medium.set_conditions(
            address, msgspec.structs.replace(self._head.medium.conditions(address), **changes)
        )


def _unit(medium: RadioMedium, axis: Axis, profile: HeadProfile, options: HeadOptions) -> VirtualUnit:
    described = profile.unit(axis)
    motor = Motor(
        full_speed_deg_per_s=(described and described.full_speed_deg_per_s) or FULL_SPEED_DEG_PER_S,
        acceleration_deg_per_s2=options.acceleration_deg_per_s2,
        ends_deg=ENDS_DEG[axis],
    )
    medium.set_conditions(ADDRESSES[axis], options.conditions)
    return VirtualUnit(
        medium,
        NAMES[axis],
        ADDRESSES[axis],
        profile.frame,
        motor,
        is_inverted=bool(described and described.invert),
        stops_when_link_drops=options.stops_when_link_drops,
    )
