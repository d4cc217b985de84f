"""What numbers of Bluetooth mean, in words for people: UUIDs, signal strengths, values that were read."""

from __future__ import annotations

from bleak.uuids import uuidstr_to_str

SIG_TAIL = "-0000-1000-8000-00805f9b34fb"
UNKNOWN = {"Unknown", "Vendor specific", ""}
SIGNAL_LEVELS_DBM = ((-55, "very near"), (-70, "good"), (-82, "weak"))
"""From where on a signal is called so. -82 dBm leaves a link 10 dB above what receivers lose (about -92 dBm)."""

VERY_WEAK = "very weak"
BARS = {"very near": "▂▄▆█", "good": "▂▄▆", "weak": "▂▄", VERY_WEAK: "▂"}


def short_uuid(uuid: str) -> str:
    """A UUID as short as it is usually written: `fff0`, or in full where it is nobody's short one."""
    uuid = uuid.lower()
    return uuid[4:8] if uuid.startswith("0000") and uuid.endswith(SIG_TAIL) else uuid


def assigned_name(uuid: str) -> str:
    """What the world calls this UUID, or "" where it is the maker's own secret."""
    name = uuidstr_to_str(uuid)
    return "" if name in UNKNOWN else name


def uuid_label(uuid: str) -> str:
    """A UUID with its name, where it has one: `180a Device Information`, `fff0`."""
    return f"{short_uuid(uuid)} {assigned_name(uuid)}".rstrip()


def signal_label(rssi_dbm: int) -> str:
    """How well a device is heard."""
    return next((word for from_dbm, word in SIGNAL_LEVELS_DBM if rssi_dbm >= from_dbm), VERY_WEAK)


def value_label(value: bytes) -> str:
    """A value that was read: as text where it is text, as a number where it is short, and as it is."""
    if not value:
        return "(empty)"
    digits = value.hex(" ")
    text = value.rstrip(b"\0")
    if len(text) > 1 and text.isascii() and text.decode("ascii").isprintable():
        return f'"{text.decode("ascii")}"'
    return f"{digits} ({value[0]})" if len(value) == 1 else digits
