"""Drafts a head's profile from what was inferred from a log, with the evidence as comments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from belvedere.head.checks import Order
from belvedere.head.layout import CHECK, DIRECTION, SPEED, DirectionWords, Sign
from belvedere.lab.inference.results import DirectionValues, Encoding, FieldKind, NumberFormat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from belvedere.head.checks import Check
    from belvedere.lab.inference.results import FrameField, Inference

WRITE_COMMAND = 0x52
AXES = "pan", "tilt"
GUESSED_VALUES = 256  # candidates for the value of a direction that was never driven


PLACEHOLDERS = {FieldKind.DIRECTION: DIRECTION, FieldKind.SPEED: SPEED, FieldKind.CHECKSUM: CHECK}


def drafting_obstacle(inference: Inference) -> str:
    """Why a profile cannot describe this layout, or ""."""
    kinds = [one.kind for one in inference.fields]
    if FieldKind.COUNTER in kinds:
        return "its frames contain a counter, which profiles do not support yet"
    if not set(kinds) <= {FieldKind.CONSTANT, *PLACEHOLDERS}:
        return "the meaning of some digits is unknown"
    if kinds.count(FieldKind.SPEED) != 1:
        return "a frame must have exactly one speed"
    (speed,) = inference.of(FieldKind.SPEED)
    has_sign = speed.number is not None and speed.number.has_sign
    if kinds.count(FieldKind.DIRECTION) != (0 if has_sign else 1):
        return "a frame must have exactly one direction, or a signed speed"
    return ""


def draft_profile(inference: Inference, names: Mapping[str, str] | None = None) -> str:
    """The profile as TOML; `names` are the advertised names of devices by address.

    Raises ValueError with the text of `drafting_obstacle` where a profile cannot describe this layout.
    """
    obstacle = drafting_obstacle(inference)
    if obstacle:
        raise ValueError(obstacle)
    (speed,) = inference.of(FieldKind.SPEED)
    directions, notes = _directions(inference)
    lines = [
        "# A draft, read from a Bluetooth log. Try it with care: belvedere probe ADDRESS --profile THIS-FILE",
        f"# {inference.count} commands, {inference.distinct} distinct, on handle 0x{inference.handle:04x}.",
        *(_evidence(one) for one in inference.fields),
        *([f"# the stop is {inference.stop.digits}: {inference.stop.evidence}"] if inference.stop else []),
        *(f"# {note}" for note in (*inference.notes, *notes)),
        'name = "Head from a Bluetooth log"',
        "",
        "[frame]",
        f"template = {json.dumps(_template(inference))}",
        *directions,
        f"# {max(1, speed.fastest)} is the fastest speed in the log; the unit may support faster ones.",
        _speed(speed),
        *(_checksum(one.checksum) for one in inference.of(FieldKind.CHECKSUM) if one.checksum is not None),
        *_units(inference, names or {}),
    ]
    return "\n".join(lines) + "\n"


def _evidence(frame_field: FrameField) -> str:
    position = f"digits {frame_field.start + 1} to {frame_field.end}"
    others = "".join(f" It may also be {other.description}." for other in frame_field.alternatives)
    advice = f" To improve it: {frame_field.advice}." if frame_field.advice else ""
    return (
        f"# {position}: {frame_field.description} ({frame_field.evidence}; confidence {frame_field.confidence:.2f})."
        f"{others}{advice}"
    )


def _template(inference: Inference) -> str:
    parts = []
    for one in inference.fields:
        if one.kind is FieldKind.CONSTANT and one.direction_values is not None:
            parts.append(one.direction_values.none or "")
        else:
            parts.append(PLACEHOLDERS[one.kind])
    return " ".join(parts)


def _speed(speed: FrameField) -> str:
    """The line of the speed, without keys that have their default value."""
    field = (speed.number or NumberFormat(Encoding.BCD)).speed_field(speed.end - speed.start)
    fastest = min(max(1, speed.fastest), field.largest)  # the negative range of two's complement is one larger
    keys = [f"digits = {field.digits}", f"fastest = {fastest}", "slowest = 1", f'encoding = "{field.encoding}"']
    if field.order is not Order.HIGH_FIRST:
        keys.append(f'order = "{field.order}"')
    if field.sign is not Sign.WORD:
        keys.append(f'sign = "{field.sign}"')
    if field.rest is not None:
        keys.append(f"rest = {field.rest}")
    return f"speed = {{ {', '.join(keys)} }}"


def _checksum(checksum: Check) -> str:
    order = f', order = "{checksum.order}"' if checksum.size > 1 else ""
    first = f", first_byte = {checksum.first_byte}" if checksum.first_byte else ""
    return f'check = {{ formula = "{checksum.formula}"{order}{first} }}'


def _directions(inference: Inference) -> tuple[list[str], list[str]]:
    """The line of the direction, if the frame has one, and notes on what is a guess."""
    notes = ["which direction is right or up is a guess: set invert = true for a unit that turns the other way"]
    found = inference.of(FieldKind.DIRECTION)
    if not found:
        return [], notes
    words, guessed = _direction_words(found[0], is_rest_known=inference.stop is not None)
    none = f', none = "{words.none}"' if words.none is not None else ""
    return [f'direction = {{ positive = "{words.positive}", negative = "{words.negative}"{none} }}'], notes + guessed


def _direction_words(direction: FrameField, *, is_rest_known: bool) -> tuple[DirectionWords, list[str]]:
    """The values for both directions and rest, and notes on those that are guessed."""
    seen = direction.direction_values or DirectionValues(None, ())
    size = direction.end - direction.start
    none, moving, notes = seen.none, list(seen.moving[:2]), []
    free = (format(number, "x").zfill(size) for number in range(min(GUESSED_VALUES, 16**size)))
    if none is None and is_rest_known and moving:
        notes.append(f"at rest the direction stays {moving[0]}, as for one of them: the speed 0 is what stops the unit")
    elif none is None:
        none = next(word for word in free if word not in moving)
        notes.append(f"the value at rest is not in the log: {none} is a guess")
    while len(moving) < 2:  # noqa: PLR2004 - two directions
        guess = next(word for word in free if word not in {none, *moving})
        moving.append(guess)
        notes.append(f"only one direction was driven: {guess} for the other is a guess, probe it before use")
    return DirectionWords(positive=moving[0], negative=moving[1], none=none), notes


def _units(inference: Inference, names: Mapping[str, str]) -> list[str]:
    """A table for each device: for the axis in its name, or else in the order of the log."""
    devices = inference.device.split(", ")[: len(AXES)]
    named = {axis: device for axis in AXES for device in devices if axis in names.get(device, "").lower()}
    rest = [device for device in devices if device not in named.values()]
    lines = []
    for axis in AXES:
        device = named.get(axis) or (rest.pop(0) if rest else None)
        if device is None:
            continue
        lines += ["", f"[{axis}]"]
        if axis not in named:
            lines.append(
                "# Which axis this unit turns is not in the log: swap [pan] and [tilt] if it is the other one."
            )
        lines += _finding(device, names.get(device, ""))
        if inference.uuid is not None:
            lines.append(f'characteristic = "{inference.uuid}"')
        lines.append(f'write = "{"without" if inference.opcode == WRITE_COMMAND else "with"}-response"')
    return lines


def _finding(device: str, name: str) -> list[str]:
    """How the unit is found: by its name, or else by its address, or else by what the owner fills in."""
    if name:
        return [f"name_patterns = [{json.dumps(name)}]"]
    if device.count(":") == 5:  # noqa: PLR2004 - six bytes
        return [f'address = "{device}"']
    return [
        "# The log contains neither name nor address: fill in the name that `belvedere scan` shows.",
        'name_patterns = ["?"]',
    ]
