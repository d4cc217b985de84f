"""Drafts a head's profile from what was inferred from a log, with the evidence as comments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from belvedere.errors import FrameError, SettingsError
from belvedere.head.checks import Order
from belvedere.head.frames import pack, stop_frame, unpack
from belvedere.head.layout import CHECK, DIRECTION, SPEED, DirectionWords, Sign
from belvedere.head.profile import load_profile
from belvedere.lab.inference.results import DirectionValues, Encoding, FieldKind, NumberFormat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from belvedere.head.checks import Check
    from belvedere.head.layout import FrameLayout
    from belvedere.lab.inference.results import FrameField, Inference

WRITE_COMMAND = 0x52
AXES = "pan", "tilt"
MAX_UNEXPLAINED_SHARE = 0.05  # of the commands: with more, the layout is not understood
MAX_LISTED = 20  # frames that are not explained, in a draft
MAX_PATTERN = 64  # characters of a name pattern
GUESSED_VALUES = 256  # candidates for the value of a direction that was never driven


PLACEHOLDERS = {FieldKind.DIRECTION: DIRECTION, FieldKind.SPEED: SPEED, FieldKind.CHECKSUM: CHECK}


def drafting_obstacle(inference: Inference) -> str:
    """Why no profile can be drafted, or ""."""
    try:
        draft_profile(inference)
    except ValueError as error:
        return str(error)
    return ""


def draft_profile(inference: Inference, names: Mapping[str, str] | None = None) -> str:
    """The profile as TOML; `names` are the advertised names of devices by address.

    The draft is checked against the log: the loader accepts it, its stop is a frame that was sent, and it makes each
    command byte for byte; the few that it does not make are listed in it. Raises ValueError with the reason where a
    profile cannot describe this layout.
    """
    obstacle = _layout_obstacle(inference)
    if obstacle:
        raise ValueError(obstacle)
    body = _body(inference, names or {})
    try:
        layout = load_profile(body, "the draft").frame
    except SettingsError as error:
        raise ValueError(f"a profile cannot describe it: {error.key}: {error.problem}") from error
    if stop_frame(layout) != inference.stop_value:
        raise ValueError("the stop of the profile would not be the one in the log")
    unexplained = [(value, count) for value, count in inference.commands if not is_explained(layout, value)]
    missing = sum(count for _value, count in unexplained)
    if missing > MAX_UNEXPLAINED_SHARE * inference.count:
        raise ValueError(f"a profile would explain only {inference.count - missing} of {inference.count} commands")
    return "\n".join([*_heading(inference), *_not_explained(inference, unexplained), body])


def is_explained(layout: FrameLayout, frame: bytes) -> bool:
    """Whether the layout makes this frame, byte for byte, from the velocity that it reads in it."""
    try:
        return pack(layout, unpack(layout, frame)) == frame
    except FrameError:
        return False


def _layout_obstacle(inference: Inference) -> str:
    """Why a profile cannot describe this layout, or ""."""
    if inference.stop is None:
        return next((note for note in inference.notes if "stop" in note), "no stop found")
    kinds = [one.kind for one in inference.fields]
    if inference.is_split:
        return "each command is sent in two writes, which profiles do not support yet"
    if FieldKind.COUNTER in kinds:
        return "its frames contain a counter, which profiles do not support yet"
    if not set(kinds) <= {FieldKind.CONSTANT, FieldKind.NUMBERS, *PLACEHOLDERS}:
        return "the meaning of some digits is unknown"
    return _motion_obstacle(inference) or ("no two of its stops are equal" if inference.stop_value is None else "")


def _motion_obstacle(inference: Inference) -> str:
    """Why direction and speed are not those of one axis, or ""."""
    numbers, speeds, directions = map(inference.of, (FieldKind.NUMBERS, FieldKind.SPEED, FieldKind.DIRECTION))
    if numbers:
        where = f"digits {numbers[0].start + 1} to {numbers[0].end}"
        return f"{where} are {numbers[0].description}: a profile has one speed a frame"
    if len(speeds) != 1:
        return f"a frame must have exactly one speed, not {len(speeds)}, such as for two axes"
    has_sign = speeds[0].number is not None and speeds[0].number.has_sign
    if len(directions) != (0 if has_sign else 1):
        return "a frame must have exactly one direction, or a signed speed"
    moving = [len(one.direction_values.moving) for one in directions if one.direction_values]
    if any(count > 2 for count in moving):  # noqa: PLR2004 - two directions
        return f"its direction has {moving[0]} values in motion, such as for two axes; a profile has two"
    return ""


def _heading(inference: Inference) -> list[str]:
    _directions_line, notes = _directions(inference)
    return [
        "# A draft, read from a Bluetooth log. Try it with care: belvedere probe ADDRESS --profile THIS-FILE",
        f"# {inference.count} commands, {inference.distinct} distinct, on handle 0x{inference.handle:04x}.",
        *(_evidence(one) for one in inference.fields),
        *([f"# the stop is {inference.stop.digits}: {inference.stop.evidence}"] if inference.stop else []),
        *(f"# {note}" for note in (*inference.notes, *notes)),
    ]


def _not_explained(inference: Inference, unexplained: Sequence[tuple[bytes, int]]) -> list[str]:
    """What was sent and is not made by this profile, a line each."""
    listed = [f"# not explained: {count} x {value.hex()}" for value, count in unexplained[:MAX_LISTED]]
    if len(unexplained) > MAX_LISTED:
        rest = unexplained[MAX_LISTED:]
        listed.append(f"# not explained: {sum(count for _value, count in rest)} more, of {len(rest)} values")
    return listed + [
        f"# not explained: {one.count} x {one.description}, such as {one.example.hex()}"
        for one in inference.other_traffic
    ]


def _body(inference: Inference, names: Mapping[str, str]) -> str:
    (speed,) = inference.of(FieldKind.SPEED)
    directions, _notes = _directions(inference)
    stop = inference.stop_value or b""
    lines = [
        'name = "Head from a Bluetooth log"',
        "",
        "[frame]",
        f"template = {json.dumps(_template(inference))}",
        f'stop = "{stop.hex(" ")}"',
        "# Until a probe has stopped a slow turn with it, nobody knows that this stop works.",
        "stop_is_proven = false",
        *directions,
        f"# {max(1, speed.fastest)} is the fastest speed in the log; the unit may support faster ones.",
        _speed(speed),
        *(_checksum(one.checksum) for one in inference.of(FieldKind.CHECKSUM) if one.checksum is not None),
        *_units(inference, names),
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
    if len({names.get(device, "") for device in devices}) < len(devices):
        names = {}  # units of one name are told apart by their addresses
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
    if name and len(pattern := name.replace("[", "[[]")) <= MAX_PATTERN:
        return [f"name_patterns = [{json.dumps(pattern, ensure_ascii=False)}]"]
    if device.count(":") == 5:  # noqa: PLR2004 - six bytes
        return [f'address = "{device}"']
    return [
        "# The log contains neither name nor address: fill in the name that `belvedere scan` shows.",
        'name_patterns = ["?"]',
    ]
