"""Shows an inspected device: as a tree with the lines for a profile, or as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.text import Text
from rich.tree import Tree

from belvedere.errors import LinkReason
from belvedere.lab.labels import assigned_name, short_uuid, signal_label, uuid_label, value_label

if TYPE_CHECKING:
    from belvedere.lab.inspect import Characteristic, Inspection, Service
    from belvedere.lab.profiles import UnitMatch

PROPERTY_LABELS = {
    "read": "readable",
    "write": "writable",
    "write-without-response": "writable without response",
    "notify": "sends notifications",
    "indicate": "sends indications",
}
READ_ERRORS = {
    LinkReason.REFUSED: "refused; it may need pairing first",
    LinkReason.UNANSWERED: "no answer",
    LinkReason.LOST: "the connection was lost",
}


def tree(inspection: Inspection) -> Tree:
    """Services with their characteristics; those that may take commands are marked."""
    title = Text(inspection.name or "(no name)", style="bold")
    dbm = inspection.rssi_dbm
    signal = "already connected" if dbm is None else f"signal {signal_label(dbm)} ({dbm} dBm)"
    title.append(f"  {inspection.address}, {signal}", "not bold")
    shown = Tree(title)
    for service in inspection.services:
        branch = shown.add(Text(_title(service.uuid, "service"), style="bold"))
        for one in service.characteristics:
            branch.add(_leaf(one))
    return shown


def advice(inspection: Inspection, matches: tuple[UnitMatch, ...]) -> str:
    """The lines for a profile of this device, or why there are none."""
    candidates = [
        (service, one) for service in inspection.services for one in service.characteristics if one.may_take_commands
    ]
    if not candidates:
        return "This does not look like a head that takes commands: it has no vendor-specific characteristic to write."
    known = f"This matches the {matches[0].axis} unit of {matches[0].head}.\n" if matches else ""
    if len(candidates) > 1:
        known += "More than one characteristic could take commands; a phone's log shows which: `belvedere snoop`.\n"
    axis = matches[0].axis if matches else "pan"
    blocks = "\nor\n".join(_block(inspection, service, one, axis) for service, one in candidates)
    return f"{known}For a profile:\n\n{blocks}"


def as_json(inspection: Inspection, matches: tuple[UnitMatch, ...]) -> str:
    """Everything as one JSON document; values are lower-case hexadecimal digits."""
    plain = {
        "address": inspection.address,
        "name": inspection.name,
        "rssi_dbm": inspection.rssi_dbm,
        "matches": [{"head": unit_match.head, "axis": unit_match.axis} for unit_match in matches],
        "services": [
            {
                "uuid": service.uuid,
                "name": assigned_name(service.uuid),
                "handle": service.handle,
                "characteristics": [_plain(one) for one in service.characteristics],
            }
            for service in inspection.services
        ],
    }
    return json.dumps(plain, indent=2, ensure_ascii=False)


def _title(uuid: str, kind: str) -> str:
    return f"{uuid_label(uuid)}" + ("" if assigned_name(uuid) else f" (vendor-specific {kind})")


def _leaf(one: Characteristic) -> Text:
    text = Text(_title(one.uuid, "characteristic"))
    if one.value is not None:
        text.append(f" = {value_label(one.value)}", "green")
    elif one.read_error is not None:
        text.append(f": {READ_ERRORS.get(one.read_error, one.read_error)}", "yellow")
    properties = [PROPERTY_LABELS.get(name, name) for name in one.properties if name != "read" or one.value is None]
    if properties:
        text.append(f"\n{', '.join(properties)}", "dim")
    if one.may_take_commands:
        text.append("\nmay take the head's commands", "bold cyan")
    return text


def _block(inspection: Inspection, service: Service, one: Characteristic, axis: str) -> str:
    """The lines of a profile that select this characteristic."""
    lines = [
        f"[{axis}]",
        f'address = "{inspection.address}"',
        f'service = "{short_uuid(service.uuid)}"',
        f'characteristic = "{short_uuid(one.uuid)}"',
    ]
    notifying = [other for other in service.characteristics if {"notify", "indicate"} & set(other.properties)]
    if notifying:
        lines.append(f'notify = "{short_uuid(notifying[0].uuid)}"')
    return "\n".join(lines)


def _plain(one: Characteristic) -> dict[str, object]:
    return {
        "uuid": one.uuid,
        "name": assigned_name(one.uuid),
        "handle": one.handle,
        "properties": list(one.properties),
        "value": None if one.value is None else one.value.hex(),
        "read_error": one.read_error,
        "descriptors": list(one.descriptors),
        "may_take_commands": one.may_take_commands,
    }
