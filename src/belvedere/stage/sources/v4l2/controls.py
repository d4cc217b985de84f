"""A camera's controls, by the names that `v4l2-ctl` has for them: exposure, focus, power-line frequency and so on."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from belvedere.errors import CameraError, CameraReason
from belvedere.stage.sources.v4l2 import abi
from belvedere.stage.sources.v4l2.capabilities import END_OF_LIST, LOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from belvedere.stage.sources.v4l2.device_file import DeviceFile

logger = logging.getLogger(__name__)

MAX_CONTROLS = 256
MAX_ITEMS = 64  # of a menu

ControlValue = bool | int | str


@dataclass(frozen=True, slots=True)
class Control:
    """A control and what it takes.

    Attributes:
        id: the driver's number of it.
        name: such as `power_line_frequency`.
        kind: how its value is to be read.
        lowest, highest, step: of a number; a menu's items are in `items`, by their number.
        default: the driver's.
    """

    id: int
    name: str
    kind: abi.ControlType
    lowest: int
    highest: int
    step: int
    default: int
    items: tuple[tuple[int, str], ...] = ()

    @property
    def is_menu(self) -> bool:
        """Whether it takes one of its items."""
        return self.kind in {abi.ControlType.MENU, abi.ControlType.INTEGER_MENU}

    @property
    def allowed(self) -> str:
        """What it takes, for people."""
        if self.is_menu:
            return ", ".join(f'"{label}"' for _, label in self.items)
        if self.kind is abi.ControlType.BOOLEAN:
            return "true, false"
        steps = f" in steps of {self.step}" if self.step > 1 else ""
        return f"{self.lowest} to {self.highest}{steps}"

    def number_for(self, value: ControlValue) -> int | None:
        """The driver's number for a value of the settings; None if it is not allowed."""
        if self.is_menu:
            return self._item_for(value)
        if self.kind is abi.ControlType.BOOLEAN:
            return int(value) if isinstance(value, bool) or value in {0, 1} else None
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        is_allowed = self.lowest <= value <= self.highest and (value - self.lowest) % max(1, self.step) == 0
        return value if is_allowed else None

    def _item_for(self, value: ControlValue) -> int | None:
        if isinstance(value, bool):
            return None
        wanted = str(value).casefold()
        for number, label in self.items:
            if wanted == label.casefold() or (isinstance(value, int) and value == number):
                return number
        return None


def read_controls(file: DeviceFile) -> tuple[Control, ...]:
    """All controls that can be set and take a value. Raises OSError."""
    return tuple(_controls(file))


def set_controls(file: DeviceFile, wanted: Mapping[str, ControlValue], device: str) -> None:
    """Set controls, those that choose a mode before those that are numbers: an exposure is taken once it is manual.

    Raises CameraError if one does not exist or does not take the value, before any is set, and OSError if the device
    is gone. What the driver refuses at present, though it is allowed, is logged, because the picture does not need it.
    """
    if not wanted:
        return
    known = {control.name: control for control in read_controls(file)}
    checked = [_checked(known, name, value, device) for name, value in wanted.items()]
    for control, number in sorted(checked, key=lambda pair: pair[0].kind is abi.ControlType.INTEGER):
        try:
            file.ioctl(abi.Request.S_CTRL, abi.Control(id=control.id, value=number))
        except OSError as error:
            if error.errno in LOST:
                raise
            logger.warning(
                "%s: the camera refused to set %s to %s: %s", device, control.name, wanted[control.name], error.strerror
            )


def idr_request(file: DeviceFile) -> Callable[[], None] | None:
    """What makes a camera that encodes H.264 deliver an IDR soon; None if it takes no such request. Raises OSError."""
    try:
        file.ioctl(abi.Request.QUERYCTRL, abi.QueryControl(id=abi.FORCE_KEY_FRAME))
    except OSError as error:
        if error.errno in LOST:
            raise
        return None

    def request() -> None:
        try:
            file.ioctl(abi.Request.S_CTRL, abi.Control(id=abi.FORCE_KEY_FRAME, value=1))
        except OSError as error:
            if error.errno in LOST:
                raise
            logger.debug("the camera refused to deliver a key frame: %s", error.strerror)

    return request


def control_name(driver_name: str) -> str:
    """The name that `v4l2-ctl` makes of a driver's: `Power Line Frequency` is `power_line_frequency`."""
    return re.sub(r"[^a-z0-9]+", "_", driver_name.lower()).strip("_")


def _checked(known: Mapping[str, Control], name: str, value: ControlValue, device: str) -> tuple[Control, int]:
    control = known.get(name)
    if control is None:
        raise CameraError(
            CameraReason.FAILED,
            f"{device}: camera.controls.{name}: it has no such control (allowed: {', '.join(sorted(known)) or 'none'})",
        )
    number = control.number_for(value)
    if number is None:
        raise CameraError(
            CameraReason.FAILED,
            f"{device}: camera.controls.{name}: it does not take {value!r} (allowed: {control.allowed})",
        )
    return control, number


def _controls(file: DeviceFile) -> Iterator[Control]:
    last = 0
    for _ in range(MAX_CONTROLS):
        answer = abi.QueryControl(id=last | abi.CTRL_NEXT)
        try:
            file.ioctl(abi.Request.QUERYCTRL, answer)
        except OSError as error:
            if error.errno in END_OF_LIST:
                return
            raise
        if answer.id <= last:
            return
        last = answer.id
        if not answer.flags & (abi.CTRL_DISABLED | abi.CTRL_READ_ONLY) and answer.type in set(abi.ControlType):
            yield _control(file, answer)


def _control(file: DeviceFile, answer: abi.QueryControl) -> Control:
    kind = abi.ControlType(answer.type)
    is_menu = kind in {abi.ControlType.MENU, abi.ControlType.INTEGER_MENU}
    return Control(
        id=answer.id,
        name=control_name(abi.text(answer.name)),
        kind=kind,
        lowest=answer.minimum,
        highest=answer.maximum,
        step=answer.step,
        default=answer.default_value,
        items=tuple(_items(file, answer, kind)) if is_menu else (),
    )


def _items(file: DeviceFile, answer: abi.QueryControl, kind: abi.ControlType) -> Iterator[tuple[int, str]]:
    lowest = max(0, answer.minimum)
    for index in range(lowest, min(answer.maximum, lowest + MAX_ITEMS - 1) + 1):
        item = abi.QueryMenu(id=answer.id, index=index)
        try:
            file.ioctl(abi.Request.QUERYMENU, item)
        except OSError as error:
            if error.errno in END_OF_LIST:
                continue  # menus have gaps
            raise
        yield index, abi.text(item.name) if kind is abi.ControlType.MENU else str(item.value)
