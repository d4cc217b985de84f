"""Which of the sound server's devices are meant. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from fnmatch import fnmatchcase

from belvedere.errors import SoundError

MAX_LISTED = 6


class DeviceKind(enum.StrEnum):
    """What a device is for; the values are the sound server's words."""

    MICROPHONE = "source"
    SPEAKER = "sink"


@dataclass(frozen=True, slots=True)
class Device:
    """A microphone or speaker, as the sound server names it."""

    name: str
    description: str

    @property
    def is_monitor(self) -> bool:
        """Whether it is no microphone: it hears what a speaker plays."""
        return self.name.endswith(".monitor")


def choose(kind: DeviceKind, devices: list[Device], wanted: str, default: str) -> Device:
    """The device of this name or description, or pattern of either; for "" the default one.

    A monitor is only taken by its exact name. Raises SoundError (missing), which says what there is.
    """
    exact = next((each for each in devices if each.name == (wanted or default)), None)
    if exact is not None and (wanted or not exact.is_monitor):
        return exact
    real = [each for each in devices if not each.is_monitor]
    if not wanted and real:
        return real[0]
    pattern = wanted.casefold()
    for each in real:
        if any(fnmatchcase(text.casefold(), pattern) for text in (each.description, each.name)):
            return each
    raise SoundError(_missing(kind, real, wanted), is_missing=True)


def _missing(kind: DeviceKind, devices: list[Device], wanted: str) -> str:
    what = kind.name.lower()
    if not devices:
        return f"there is no {what}: plug one in"
    found = ", ".join(f'"{each.description}"' for each in devices[:MAX_LISTED])
    return f'there is no {what} "{wanted}": plug it in, or name one of these: {found}'
