"""Readable labels for UUIDs, signal strengths and values."""

from __future__ import annotations

from bleak.uuids import uuidstr_to_str

SIG_TAIL = "-0000-1000-8000-00805f9b34fb"
UNKNOWN = {"Unknown", "Vendor specific", ""}
SIGNAL_LEVELS_DBM = ((-55, "very near"), (-70, "good"), (-82, "weak"))
"""Each label with its lowest RSSI. -82 dBm leaves a margin of 10 dB above a receiver's sensitivity (about -92 dBm)."""

VERY_WEAK = "very weak"
BARS = {"very near": "▂▄▆█", "good": "▂▄▆", "weak": "▂▄", VERY_WEAK: "▂"}


def short_uuid(uuid: str) -> str:
    """A UUID as it is usually written: `fff0` for a 16-bit one, others in full."""
    uuid = uuid.lower()
    return uuid[4:8] if uuid.startswith("0000") and uuid.endswith(SIG_TAIL) else uuid


def assigned_name(uuid: str) -> str:
    """The name that the Bluetooth SIG or a member has registered for this UUID, or ""."""
    name = uuidstr_to_str(uuid)
    return "" if name in UNKNOWN else name


def uuid_label(uuid: str) -> str:
    """A UUID with its registered name, if it has one: `180a Device Information`, `fff0`."""
    return f"{short_uuid(uuid)} {assigned_name(uuid)}".rstrip()


def signal_label(rssi_dbm: int) -> str:
    """The strength of a signal in words."""
    return next((label for minimum_dbm, label in SIGNAL_LEVELS_DBM if rssi_dbm >= minimum_dbm), VERY_WEAK)


def value_label(value: bytes) -> str:
    """A value as text if it is printable ASCII, otherwise as hexadecimal bytes; a single byte also as a number."""
    if not value:
        return "(empty)"
    digits = value.hex(" ")
    text = value.rstrip(b"\0")
    if len(text) > 1 and text.isascii() and text.decode("ascii").isprintable():
        return f'"{text.decode("ascii")}"'
    return f"{digits} ({value[0]})" if len(value) == 1 else digits
