"""Parses TOML into typed structs, with errors that name the file, the key and the allowed values."""

from __future__ import annotations

import functools
import re
import tomllib
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import inspect

from belvedere.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

MAX_CHARACTERS = 200  # of a problem in an error message

# msgspec reports the location of an error only inside its message: "... - at `$.frame.speed`".
_PLACE = re.compile(r"(?P<problem>.*?)(?: - at `\$?\.?(?P<place>[^`]*)`)?", re.DOTALL)
_FIELD = re.compile(r"(?P<unknown>contains unknown|missing required) field `(?P<field>[^`]+)`")


def read_document(text: str, kind: type[T], file: str) -> T:
    """Parse `text` into a `kind`; `file` names the text in errors. Raises SettingsError."""
    return read_table(parse_document(text, file), kind, file)


def parse_document(text: str, file: str) -> dict[str, Any]:
    """Parse TOML into a table of plain values; `file` names the text in errors. Raises SettingsError."""
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a number with more digits than Python converts
        raise SettingsError(file, "", f"not TOML: {_line(str(error))}") from error
    except RecursionError as error:
        raise SettingsError(file, "", "tables or arrays are nested too deeply") from error


def read_table(table: object, kind: type[T], file: str, decode: Callable[[type, object], object] | None = None) -> T:
    """Convert a parsed table into a `kind`; `file` names it in errors. Raises SettingsError.

    `decode` converts values to types that msgspec does not know; it raises ValueError with the problem.
    """
    try:
        return msgspec.convert(table, kind, dec_hook=decode)
    except msgspec.ValidationError as error:
        raise _explained(str(error), kind, file, table) from error


def _explained(message: str, kind: type, file: str, table: object) -> SettingsError:
    """The error in terms of the file: the dotted key, the problem, and the values that are allowed there."""
    match = _PLACE.fullmatch(message)
    place, problem = (match["place"] or "", _line(match["problem"])) if match else ("", _line(message))
    here = _type_at(kind, place, table)
    field = _FIELD.search(problem)
    if field is None:
        return SettingsError(file, place, problem[:1].lower() + problem[1:], _allowed(here))
    key = f"{place}.{field['field']}" if place else field["field"]
    if field["unknown"] == "missing required":
        return SettingsError(file, key, "is missing", _allowed(_type_at(kind, key, table)))
    return SettingsError(file, key, "is not known here", _names(here))


def _line(problem: str) -> str:
    """The problem on one line of bounded length, whatever the file contains."""
    line = " ".join(problem.split())
    return line if len(line) <= MAX_CHARACTERS else f"{line[: MAX_CHARACTERS - 4]} ..."


def _type_at(kind: type, key: str, value: object) -> inspect.Type | None:
    """The type expected at a dotted key of this value, or None if the key leads out of the known tables."""
    found = _of_its_kind(_described(kind), value)
    for name, is_item, rest in (part.partition("[") for part in key.split(".") if part):
        match = [expected for known, expected in _keys(found) if known == name]
        if not match:
            return None
        value = value.get(name) if isinstance(value, dict) else None
        expected = _without_none(match[0])
        if is_item and isinstance(expected, inspect.VarTupleType):
            value = value[int(rest[:-1])] if isinstance(value, list) else None
            expected = expected.item_type
        found = _of_its_kind(expected, value)
    return found


@functools.cache
def _described(kind: type) -> inspect.Type:
    """What msgspec tells of a type; for all settings that takes ten milliseconds."""
    return inspect.type_info(kind)


def _of_its_kind(expected: inspect.Type, value: object) -> inspect.Type:
    """Of a table with kinds, the one that the value names; any other type, or a table of no known kind, as it is."""
    kinds = expected.types if isinstance(expected, inspect.UnionType) else ()
    for each in kinds:
        if isinstance(each, inspect.StructType) and isinstance(value, dict) and value.get(each.tag_field) == each.tag:
            return each
    return expected


def _keys(kind: inspect.Type) -> list[tuple[str, inspect.Type]]:
    """The allowed keys of a table, each with its type; where its kind is not known, only the key that names it."""
    match _without_none(kind):
        case inspect.StructType(tag_field=None, fields=fields):
            return [(field.encode_name, field.type) for field in fields]
        case inspect.StructType(tag_field=str(tag_field), tag=tag, fields=fields):
            own = [(field.encode_name, field.type) for field in fields]
            return [(tag_field, inspect.LiteralType((tag,))), *own]
        case inspect.UnionType(types=types):
            tagged = [each for each in types if isinstance(each, inspect.StructType) and each.tag_field is not None]
            tags = tuple(each.tag for each in tagged)
            return [(str(tagged[0].tag_field), inspect.LiteralType(tags))] if tagged else []
    return []


def _without_none(kind: inspect.Type) -> inspect.Type:
    """`X` for a type `X | None`, and any other type as it is."""
    if isinstance(kind, inspect.UnionType):
        some = [_without_none(member) for member in kind.types if not isinstance(member, inspect.NoneType)]
        return some[0] if len(some) == 1 else kind
    return kind


def _allowed(kind: inspect.Type | None) -> str:
    """A description of the allowed values; "" if the problem already contains it."""
    text = ""
    match _without_none(kind) if kind else None:
        case inspect.Metadata(extra_json_schema={"description": str(described)}):
            text = described
        case inspect.Metadata(type=inner):
            text = _allowed(inner)
        case inspect.EnumType(cls=cls):
            text = ", ".join(str(member.value) for member in cls)
        case inspect.LiteralType(values=values):
            text = ", ".join(str(value) for value in values)
        case inspect.BoolType():
            text = "true or false"
        case inspect.IntType(ge=least, le=most) | inspect.FloatType(ge=least, le=most):
            text = _range(least, most)
    return text


def _names(kind: inspect.Type | None) -> str:
    """The allowed keys of a table."""
    return ", ".join(name for name, _type in _keys(kind)) if kind else ""


def _range(least: float | None, most: float | None) -> str:
    """A description of a range of numbers."""
    if least is not None and most is not None:
        return f"{least} to {most}"
    if least is not None:
        return f"at least {least}"
    return f"at most {most}" if most is not None else "a number"
