"""Parses TOML into typed structs, with errors that name the file, the key and the allowed values."""

from __future__ import annotations

import re
import tomllib
from typing import TypeVar

import msgspec
from msgspec import inspect

from belvedere.errors import SettingsError

T = TypeVar("T")

MAX_CHARACTERS = 200  # of a problem in an error message

# msgspec reports the location of an error only inside its message: "... - at `$.frame.speed`".
_PLACE = re.compile(r"(?P<problem>.*?)(?: - at `\$?\.?(?P<place>[^`]*)`)?", re.DOTALL)
_FIELD = re.compile(r"(?P<unknown>contains unknown|missing required) field `(?P<field>[^`]+)`")


def read_document(text: str, kind: type[T], file: str) -> T:
    """Parse `text` into a `kind`; `file` names the text in errors. Raises SettingsError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(file, "", f"not TOML: {error}") from error
    except RecursionError as error:
        raise SettingsError(file, "", "tables or arrays are nested too deeply") from error
    return read_table(table, kind, file)


def read_table(table: object, kind: type[T], file: str) -> T:
    """Convert a parsed table into a `kind`; `file` names it in errors. Raises SettingsError."""
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        raise _explained(str(error), kind, file) from error


def _explained(message: str, kind: type, file: str) -> SettingsError:
    """The error in terms of the file: the dotted key, the problem, and the values that are allowed there."""
    match = _PLACE.fullmatch(message)
    place, problem = (match["place"] or "", _line(match["problem"])) if match else ("", _line(message))
    here = _type_at(kind, place)
    field = _FIELD.search(problem)
    if field is None:
        return SettingsError(file, place, problem[:1].lower() + problem[1:], _allowed(here))
    key = f"{place}.{field['field']}" if place else field["field"]
    if field["unknown"] == "missing required":
        return SettingsError(file, key, "is missing", _allowed(_type_at(kind, key)))
    return SettingsError(file, key, "is not known here", _names(here))


def _line(problem: str) -> str:
    """The problem on one line of bounded length, whatever the file contains."""
    line = " ".join(problem.split())
    return line if len(line) <= MAX_CHARACTERS else f"{line[: MAX_CHARACTERS - 4]} ..."


def _type_at(kind: type, key: str) -> inspect.Type | None:
    """The type expected at a dotted key, or None if the key leads out of the known tables."""
    found: inspect.Type = inspect.type_info(kind)
    for name, is_item, _rest in (part.partition("[") for part in key.split(".") if part):
        table = _without_none(found)
        fields = table.fields if isinstance(table, inspect.StructType) else ()
        match = [field.type for field in fields if field.encode_name == name]
        if not match:
            return None
        found = match[0]
        if is_item and isinstance(items := _without_none(found), inspect.VarTupleType):
            found = items.item_type
    return found


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
    table = _without_none(kind) if kind else None
    return ", ".join(field.encode_name for field in table.fields) if isinstance(table, inspect.StructType) else ""


def _range(least: float | None, most: float | None) -> str:
    """A description of a range of numbers."""
    if least is not None and most is not None:
        return f"{least} to {most}"
    if least is not None:
        return f"at least {least}"
    return f"at most {most}" if most is not None else "a number"
