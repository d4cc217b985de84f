"""The links to the units: whether each unit is found, its signal, the time a write takes, and the connection interval.

The only frame ever written to a unit is its stop.
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
from belvedere.lab.adapter import INTERACTIVE
from belvedere.lab.doctor.check import CheckResult, CheckState
from belvedere.lab.doctor.kernel import CONTROL, MONITOR, Monitor, kernel_socket, load_connection_parameters
from belvedere.lab.doctor.mgmt import ConnectionParameters, MgmtStatus, UnitAddress
from belvedere.lab.labels import signal_label
from belvedere.lab.messages import message_for
from belvedere.link.ble import BleUnit, is_unit
from belvedere.link.connection_interval import ConnectionInterval
from belvedere.link.pending_calls import PendingCalls, outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from socket import socket

    from belvedere.head.axes import Axis
    from belvedere.head.layout import FrameLayout
    from belvedere.head.profile import UnitProfile
    from belvedere.lab.adapter import Adapter
    from belvedere.lab.doctor.bluez import BluezSnapshot
    from belvedere.lab.scan import ScannedDevice
    from belvedere.link.port import LinkDetails

T = TypeVar("T")

WRITES = 24  # enough for a median, and done within two seconds
SPREAD_WRITES = 16
GOLDEN_STEP = 0.381966  # multiples of it modulo 1 (golden ratio) cover all phases of an interval evenly
WRITE_TIMEOUT_S = 1.0  # a good link takes two intervals; BlueZ itself times out after 30 s
OPEN_TIMEOUT_S = 25.0
CLOSE_TIMEOUT_S = 12.0
SHORT_INTERVAL_S = 0.0151  # at most 15 ms, with a margin for rounding
LONG_INTERVAL_S = 0.0501  # Linux's default is 30 to 50 ms; a longer one was requested by the unit or by main.conf
SHORT_SUPERVISION_S = 0.5
SLOW_ROUND_TRIP_S = 0.15  # more than two of the longest default intervals
MAIN_CONF = (
    "/etc/bluetooth/main.conf: [LE] MinConnectionInterval=6, MaxConnectionInterval=12, ConnectionSupervisionTimeout=72;"
    " then sudo systemctl restart bluetooth"
)
WEAK_SIGNALS = {"weak", "very weak"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedUnit:
    """A unit to check: its axis, its part of the profile, and the frame layout that gives its stop."""

    axis: Axis
    unit: UnitProfile
    layout: FrameLayout


class RoundTrips(list[float]):
    """How many seconds each acknowledged stop took."""

    @property
    def summary(self) -> str:
        """Median, maximum, and writes per second."""
        median = statistics.median(self)
        return f"{1000 * median:.0f} ms (at most {1000 * max(self):.0f}), {1 / median:.0f} per second"


def presence(unit: CheckedUnit, device: ScannedDevice | None, bluez: BluezSnapshot) -> CheckResult:
    """Whether the unit was found, and how strong its signal is."""
    name = f"{unit.axis} unit"
    if device is not None:
        label = signal_label(device.rssi_dbm)
        message = f"{device.name or 'no name'} at {device.address}, signal {label} ({device.rssi_dbm} dBm)"
        fix = (
            "move the computer closer, or put its Bluetooth dongle on an extension cable"
            if label in WEAK_SIGNALS
            else ""
        )
        return CheckResult(name, CheckState.WARNING if fix else CheckState.OK, message, fix)
    connected = [one for one in bluez.devices if one.is_connected]
    own = [one for one in connected if is_unit(unit.unit, one.address, one.name, ())]
    if own:
        message = f"{own[0].name} at {own[0].address} is already connected, to a program on this computer"
        return CheckResult(
            name, CheckState.OK, message, "to measure its link, stop that program first: sudo systemctl stop belvedere"
        )
    fix = (
        "switch it on, bring it closer, close the phone's app; then run `belvedere scan` and set [head."
        + unit.axis
        + "] address"
    )
    message = "not found" + (f"; connected: {', '.join(one.name for one in connected)}" if connected else "")
    return CheckResult(name, CheckState.ERROR, message, fix)


class LinkTester:
    """Connects to one unit after the other, writes stops, and measures how long they take."""

    def __init__(
        self, adapter: Adapter, bluez: BluezSnapshot, sockets: Callable[[int], socket] = kernel_socket
    ) -> None:
        self._adapter = adapter
        self._bluez = bluez
        self._sockets = sockets
        self._calls = PendingCalls()

    async def request_short_intervals(self, devices: list[ScannedDevice]) -> CheckResult:
        """Ask the kernel for a short connection interval for these units."""
        name = "short intervals"
        number = self._adapter_number()
        if number is None:
            return _not_requested(name, f"BlueZ does not list the adapter {self._adapter.name}")
        units = [UnitAddress(one.address, self._is_random(one.address)) for one in devices]
        try:
            with self._sockets(CONTROL) as control:
                status = await load_connection_parameters(number, units, control)
        except TimeoutError:
            return _not_requested(name, "the kernel did not answer")
        except OSError as error:
            return _not_requested(name, f"could not ask the kernel for a short interval: {error.strerror or error}")
        if status == MgmtStatus.SUCCESS:
            return CheckResult(
                name, CheckState.OK, "requested 7.5 to 15 ms, supervision timeout 720 ms, until the computer restarts"
            )
        reason = "needs CAP_NET_ADMIN" if status == MgmtStatus.PERMISSION_DENIED else f"status {status:#x}"
        return _not_requested(name, f"the kernel refused a short interval: {reason}")

    async def measure(self, unit: CheckedUnit, device: ScannedDevice) -> list[CheckResult]:
        """Connect, write stops, and report how long they took and at which interval."""
        name = f"{unit.axis} link"
        link = BleUnit(_with_address(unit.unit, device.address), self._adapter.radio())
        with self._monitor() as monitor:
            try:
                opened = await self._bounded(link.open(_ignore, _ignore), OPEN_TIMEOUT_S)
                pace = ConnectionInterval(INTERACTIVE.first_interval_s)
                round_trips = await self._write(link, opened, stop_frame(unit.layout), pace)
                parameters = monitor.parameters(device.address) if monitor is not None else None
            except LinkError as error:
                return [
                    CheckResult(name, CheckState.ERROR, message_for(error), "move closer; switch the unit off and on")
                ]
            finally:
                with contextlib.suppress(LinkError):
                    await self._bounded(link.close(), CLOSE_TIMEOUT_S)
        return [_written(name, round_trips, opened), interval_result(f"{unit.axis} interval", parameters, pace)]

    async def _write(self, link: BleUnit, opened: LinkDetails, stop: bytes, pace: ConnectionInterval) -> RoundTrips:
        """Write stops back to back, for the write time; then some at all phases of the interval, to estimate that."""
        round_trips = RoundTrips()
        for number in range(WRITES + SPREAD_WRITES):
            if number >= WRITES:
                await asyncio.sleep(number * GOLDEN_STEP % 1 * pace.estimate_s)
            took_s = await self._round_trip(link, opened, stop)
            if took_s is None:
                break
            pace.receive_round_trip(took_s)
            if number < WRITES:
                round_trips.append(took_s)
        return round_trips

    async def _round_trip(self, link: BleUnit, opened: LinkDetails, stop: bytes) -> float | None:
        """Seconds from writing a stop to its acknowledgement; None where none comes.

        Where the unit takes writes without response only, a read behind the write stands in for the acknowledgement.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        await self._bounded(link.write(stop, response=opened.can_write_with_response), WRITE_TIMEOUT_S)
        if not opened.can_write_with_response and not await self._bounded(link.keep_alive(), WRITE_TIMEOUT_S):
            return None
        return clock() - began

    async def _bounded(self, call: Coroutine[Any, Any, T], timeout_s: float) -> T:
        return await outcome(self._calls.begin(call), timeout_s)

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
        """The kernel's number of the chosen adapter, or of the first."""
        wanted = self._adapter.name
        known = [one.name for one in self._bluez.adapters if wanted is None or one.matches(wanted)]
        number = (known[0] if known else wanted or "hci0").removeprefix("hci")
        return int(number) if number.isdecimal() else None

    def _is_random(self, address: str) -> bool:
        """Whether the address is a random one, as BlueZ says; where it does not, yes, as most peripherals' are."""
        known = self._bluez.device(address)
        return known.is_random if known is not None else True


def interval_result(name: str, parameters: ConnectionParameters | None, pace: ConnectionInterval) -> CheckResult:
    """The connection interval: as the controller reported it, or else as estimated from the round trips."""
    if parameters is None and not pace.is_learned:
        return CheckResult(name, CheckState.UNKNOWN, "cannot be measured: the unit acknowledges nothing")
    interval_s = parameters.interval_s if parameters is not None else pace.estimate_s
    message = f"{1000 * interval_s:.4g} ms"
    if parameters is None:
        message = f"about {message}, estimated from round trips (the exact value needs CAP_NET_RAW)"
    else:
        message += f", supervision timeout {1000 * parameters.supervision_s:.0f} ms"
    is_short = parameters is not None and parameters.supervision_s < SHORT_SUPERVISION_S
    if interval_s > LONG_INTERVAL_S:
        return CheckResult(name, CheckState.WARNING, f"{message}: long", MAIN_CONF)
    if interval_s > SHORT_INTERVAL_S or is_short:
        return CheckResult(
            name, CheckState.OK, f"{message}: Linux's default; 7.5 to 15 ms and 720 ms would be better", MAIN_CONF
        )
    return CheckResult(name, CheckState.OK, message)


def _written(name: str, round_trips: RoundTrips, opened: LinkDetails) -> CheckResult:
    how = "acknowledged" if opened.can_write_with_response else "unacknowledged"
    if not round_trips:
        return CheckResult(
            name, CheckState.UNKNOWN, "stops were written, but cannot be timed: the unit acknowledges nothing"
        )
    is_slow = statistics.median(round_trips) > SLOW_ROUND_TRIP_S
    fix = "use a short interval; keep Wi-Fi on 2.4 GHz away from the adapter" if is_slow else ""
    return CheckResult(
        name, CheckState.WARNING if is_slow else CheckState.OK, f"a stop ({how}) takes {round_trips.summary}", fix
    )


def _not_requested(name: str, message: str) -> CheckResult:
    return CheckResult(name, CheckState.UNKNOWN, message, f"alternatively, {MAIN_CONF}")


def _with_address(unit: UnitProfile, address: str) -> UnitProfile:
    return msgspec.structs.replace(unit, address=address)


def _ignore() -> None:
    """Link events do not matter here: a call on a lost link fails by itself."""
