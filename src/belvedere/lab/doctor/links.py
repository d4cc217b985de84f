"""The units as this computer reaches them: seen, how well, how quickly they are written, and at which interval.

All that is ever written to a unit is its stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from belvedere.errors import LinkError
from belvedere.head.frames import stop_frame
from belvedere.lab.adapter import PATIENT
from belvedere.lab.doctor.check import Finding, State
from belvedere.lab.doctor.kernel import CONTROL, MONITOR, Monitor, ask_for_quick_links, kernel_socket
from belvedere.lab.doctor.mgmt import Granted, MgmtStatus, Wanted
from belvedere.lab.trouble import words_for
from belvedere.lab.words import strength
from belvedere.link.ble import BleUnit, is_unit
from belvedere.link.calls import Calls, outcome
from belvedere.link.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from socket import socket

    from belvedere.head.axes import Axis
    from belvedere.head.layout import FrameLayout
    from belvedere.head.profile import UnitProfile
    from belvedere.lab.adapter import Adapter
    from belvedere.lab.doctor.bluez import Bluez
    from belvedere.lab.scan import Device
    from belvedere.link.port import LinkDetails

T = TypeVar("T")

WRITES = 24  # enough for a median, and over within two seconds
SPREAD_WRITES = 16
GOLDEN = 0.381966  # steps of this share of a span visit all of it evenly
WRITE_S = 1.0  # a good link takes two intervals; BlueZ itself gives up after 30 s
OPEN_S = 25.0
CLOSE_S = 12.0
QUICK_S = 0.0151  # an interval of at most 15 ms, with a hair for counting
SLOW_S = 0.0501  # Linux takes 30 to 50 ms by itself; more is somebody's wish
SHORT_SUPERVISION_S = 0.5
ANSWER_SLOW_S = 0.15  # more than two of the slowest intervals that Linux takes
MAIN_CONF = (
    "/etc/bluetooth/main.conf: [LE] MinConnectionInterval=6, MaxConnectionInterval=12, ConnectionSupervisionTimeout=72;"
    " then sudo systemctl restart bluetooth"
)
WEAK = {"weak", "very weak"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One unit to look at: its axis, how the profile describes it, and the frame whose stop is written."""

    axis: Axis
    unit: UnitProfile
    layout: FrameLayout


class Measured(list[float]):
    """Seconds that each acknowledged stop took."""

    @property
    def words(self) -> str:
        """Median, worst, and how many that makes a second."""
        median = statistics.median(self)
        return f"{1000 * median:.0f} ms (at worst {1000 * max(self):.0f}), {1 / median:.0f} a second"


def seen(unit: Unit, device: Device | None, bluez: Bluez) -> Finding:
    """Whether the unit is on the air, and how well it is heard."""
    name = f"{unit.axis} unit"
    if device is not None:
        word = strength(device.rssi_dbm)
        says = f"{device.name or 'no name'} at {device.address}, signal {word} ({device.rssi_dbm} dBm)"
        cure = "bring the computer nearer, or extend its Bluetooth dongle with a cable" if word in WEAK else ""
        return Finding(name, State.WARNING if cure else State.OK, says, cure)
    busy = [one for one in bluez.devices if one.is_connected]
    own = [one for one in busy if is_unit(unit.unit, one.address, one.name, ())]
    if own:
        says = f"{own[0].name} at {own[0].address} is connected already, by a program on this computer"
        return Finding(name, State.OK, says, "to measure its link, end that first: sudo systemctl stop belvedere")
    cure = (
        "switch it on, bring it near, end the phone's app; then `belvedere scan`, and [head." + unit.axis + "] address"
    )
    says = "was not seen" + (f"; connected is {', '.join(one.name for one in busy)}" if busy else "")
    return Finding(name, State.BAD, says, cure)


class Links:
    """Connects to units one after the other, writes stops, and measures."""

    def __init__(self, adapter: Adapter, bluez: Bluez, sockets: Callable[[int], socket] = kernel_socket) -> None:
        self._adapter = adapter
        self._bluez = bluez
        self._sockets = sockets
        self._calls = Calls()

    async def quick(self, devices: list[Device]) -> Finding:
        """Have the kernel take a quick interval for these units, where it lets us."""
        name = "quick links"
        number = self._adapter_number()
        if number is None:
            return _not_asked(name, f"BlueZ does not tell of the adapter {self._adapter.name}")
        wanted = [Wanted(one.address, self._is_random(one.address)) for one in devices]
        try:
            with self._sockets(CONTROL) as control:
                status = await ask_for_quick_links(number, wanted, control)
        except TimeoutError:
            return _not_asked(name, "the kernel does not answer")
        except OSError as error:
            return _not_asked(name, f"the kernel cannot be asked for a quick interval: {error.strerror or error}")
        if status == MgmtStatus.SUCCESS:
            return Finding(
                name, State.OK, "asked the kernel for 7.5 to 15 ms and 720 ms of patience, until it restarts"
            )
        why = "it takes CAP_NET_ADMIN" if status == MgmtStatus.PERMISSION_DENIED else f"status {status:#x}"
        return _not_asked(name, f"the kernel does not take a quick interval: {why}")

    async def measure(self, unit: Unit, device: Device) -> list[Finding]:
        """Connect, write stops, and say how quickly that went."""
        name = f"{unit.axis} link"
        link = BleUnit(_at(unit.unit, device.address), self._adapter.radio())
        with self._monitor() as monitor:
            try:
                opened = await self._bounded(link.open(_ignore, _ignore), OPEN_S)
                pace = Pace(PATIENT.first_interval_s)
                measured = await self._write(link, opened, stop_frame(unit.layout), pace)
                granted = monitor.granted(device.address) if monitor is not None else None
            except LinkError as error:
                return [Finding(name, State.BAD, words_for(error), "come nearer; switch the unit off and on")]
            finally:
                with contextlib.suppress(LinkError):
                    await self._bounded(link.close(), CLOSE_S)
        return [_written(name, measured, opened), interval(f"{unit.axis} interval", granted, pace)]

    async def _write(self, link: BleUnit, opened: LinkDetails, stop: bytes, pace: Pace) -> Measured:
        """Stops in a row, which show how quick the link is; then some at all phases of its interval, to learn that."""
        measured = Measured()
        for number in range(WRITES + SPREAD_WRITES):
            if number >= WRITES:
                await asyncio.sleep(number * GOLDEN % 1 * pace.interval_s)
            took_s = await self._round_trip(link, opened, stop)
            if took_s is None:
                break
            pace.receive_round_trip(took_s)
            if number < WRITES:
                measured.append(took_s)
        return measured

    async def _round_trip(self, link: BleUnit, opened: LinkDetails, stop: bytes) -> float | None:
        """How long an acknowledged stop takes; or one that is not, and a question behind it. None without an answer."""
        clock = asyncio.get_running_loop().time
        began = clock()
        await self._bounded(link.write(stop, response=opened.can_write_with_response), WRITE_S)
        if not opened.can_write_with_response and not await self._bounded(link.probe(), WRITE_S):
            return None
        return clock() - began

    async def _bounded(self, call: Coroutine[Any, Any, T], limit_s: float) -> T:
        return await outcome(self._calls.begin(call), limit_s)

    @contextlib.contextmanager
    def _monitor(self) -> Iterator[Monitor | None]:
        try:
            monitor = Monitor(self._sockets(MONITOR))
        except OSError:
            yield None
            return
        with monitor.listening():
            yield monitor

    def _adapter_number(self) -> int | None:
        """The kernel's number of the adapter that is wanted, or of the first."""
        wanted = self._adapter.name
        known = [one.name for one in self._bluez.adapters if wanted is None or one.goes_by(wanted)]
        number = (known[0] if known else wanted or "hci0").removeprefix("hci")
        return int(number) if number.isdecimal() else None

    def _is_random(self, address: str) -> bool:
        """What BlueZ says of the address; else most peripherals' are."""
        known = self._bluez.device(address)
        return known.is_random if known is not None else True


def interval(name: str, granted: Granted | None, pace: Pace) -> Finding:
    """The connection interval: as granted where the kernel let us hear it, else as the round trips show."""
    if granted is None and not pace.is_learned:
        return Finding(name, State.UNKNOWN, "the unit answers nothing by which it could be told")
    interval_s = granted.interval_s if granted is not None else pace.interval_s
    says = f"{1000 * interval_s:.4g} ms"
    if granted is None:
        says = f"about {says}, by its round trips (hearing the radio itself takes CAP_NET_RAW)"
    else:
        says += f", given up after {1000 * granted.supervision_s:.0f} ms of silence"
    is_short = granted is not None and granted.supervision_s < SHORT_SUPERVISION_S
    if interval_s > SLOW_S:
        return Finding(name, State.WARNING, f"{says}: slow", MAIN_CONF)
    if interval_s > QUICK_S or is_short:
        return Finding(name, State.OK, f"{says}: Linux's own choice; 7.5 to 15 ms and 720 would be better", MAIN_CONF)
    return Finding(name, State.OK, says)


def _written(name: str, measured: Measured, opened: LinkDetails) -> Finding:
    how = "acknowledged" if opened.can_write_with_response else "unacknowledged"
    if not measured:
        return Finding(name, State.UNKNOWN, "stops were written; the unit answers nothing by which they could be timed")
    slow = statistics.median(measured) > ANSWER_SLOW_S
    cure = "a quick interval helps; Wi-Fi on 2.4 GHz beside it harms" if slow else ""
    return Finding(name, State.WARNING if slow else State.OK, f"a stop, {how}, takes {measured.words}", cure)


def _not_asked(name: str, says: str) -> Finding:
    return Finding(name, State.UNKNOWN, says, f"without it: {MAIN_CONF}")


def _at(unit: UnitProfile, address: str) -> UnitProfile:
    return msgspec.structs.replace(unit, address=address)


def _ignore() -> None:
    """Nobody needs to know."""
