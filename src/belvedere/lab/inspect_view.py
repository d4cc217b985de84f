"""Shows what a device has: a tree for people with what to write into a profile, or JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.text import Text
from rich.tree import Tree

from belvedere.errors import LinkReason
from belvedere.lab.words import known_name, named_uuid, short_uuid, strength, value_words

if TYPE_CHECKING:
    from belvedere.lab.inspect import Characteristic, Inspection, Service
    from belvedere.lab.profiles import Fit

ABILITIES = {
    "read": "can be read",
    "write": "can be written",
    "write-without-response": "can be written without an answer",
    "notify": "tells by itself",
    "indicate": "tells by itself and wants an answer",
}
TROUBLES = {
    LinkReason.REFUSED: "it refused; it may want to be paired first",
    LinkReason.UNANSWERED: "no answer",
    LinkReason.LOST: "the connection was lost",
}


def tree(inspection: Inspection) -> Tree:
    """Services with their characteristics; what may take commands is marked."""
    title = Text(inspection.name or "(no name)", style="bold")
    dbm = inspection.rssi_dbm
    signal = "connected already" if dbm is None else f"signal {strength(dbm)} ({dbm} dBm)"
    title.append(f"  {inspection.address}, {signal}", "not bold")
    shown = Tree(title)
    for service in inspection.services:
        branch = shown.add(Text(_title(service.uuid, "service"), style="bold"))
        for one in service.characteristics:
            branch.add(_leaf(one))
    return shown


def advice(inspection: Inspection, fits: tuple[Fit, ...]) -> str:
    """What a profile would say of this device, or why nothing can be said."""
    candidates = [
        (service, one) for service in inspection.services for one in service.characteristics if one.may_take_commands
    ]
    if not candidates:
        return "Nothing here can be written that is the maker's own: no head of velocity commands, it seems."
    known = f"It may be the {fits[0].axis} unit of {fits[0].head}.\n" if fits else ""
    if len(candidates) > 1:
        known += "More than one could take commands; a phone's log tells which: `belvedere snoop`.\n"
    axis = fits[0].axis if fits else "pan"
    blocks = "\nor\n".join(_block(inspection, service, one, axis) for service, one in candidates)
    return f"{known}For a profile:\n\n{blocks}"


def as_json(inspection: Inspection, fits: tuple[Fit, ...]) -> str:
    """Everything as one JSON document; values are lower-case hexadecimal digits."""
    plain = {
        "address": inspection.address,
        "name": inspection.name,
        "rssi_dbm": inspection.rssi_dbm,
        "fits": [{"head": fit.head, "axis": fit.axis} for fit in fits],
        "services": [
            {
                "uuid": service.uuid,
                "name": known_name(service.uuid),
                "handle": service.handle,
                "characteristics": [_plain(one) for one in service.characteristics],
            }
            for service in inspection.services
        ],
    }
    return json.dumps(plain, indent=2, ensure_ascii=False)


def _title(uuid: str, kind: str) -> str:
    return f"{named_uuid(uuid)}" + ("" if known_name(uuid) else f" (a {kind} of the maker's own)")


def _leaf(one: Characteristic) -> Text:
    text = Text(_title(one.uuid, "value"))
    if one.value is not None:
        text.append(f" = {value_words(one.value)}", "green")
    elif one.trouble is not None:
        text.append(f": {TROUBLES.get(one.trouble, one.trouble)}", "yellow")
    abilities = [
        ABILITIES.get(ability, ability) for ability in one.properties if ability != "read" or one.value is None
    ]
    if abilities:
        text.append(f"\n{', '.join(abilities)}", "dim")
    if one.may_take_commands:
        text.append("\nmay take the head's commands", "bold cyan")
    return text


def _block(inspection: Inspection, service: Service, one: Characteristic, axis: str) -> str:
    """The lines of a profile that name this characteristic."""
    lines = [
        f"[{axis}]",
        f'address = "{inspection.address}"',
        f'service = "{short_uuid(service.uuid)}"',
        f'characteristic = "{short_uuid(one.uuid)}"',
    ]
    telling = [other for other in service.characteristics if {"notify", "indicate"} & set(other.properties)]
    if telling:
        lines.append(f'notify = "{short_uuid(telling[0].uuid)}"')
    return "\n".join(lines)


def _plain(one: Characteristic) -> dict[str, object]:
    return {
        "uuid": one.uuid,
        "name": known_name(one.uuid),
        "handle": one.handle,
        "properties": list(one.properties),
        "value": None if one.value is None else one.value.hex(),
        "trouble": one.trouble,
        "descriptors": list(one.descriptors),
        "may_take_commands": one.may_take_commands,
    }
