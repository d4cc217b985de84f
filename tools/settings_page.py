"""Writes docs/reference/settings.md from the settings themselves: each key with its default, bounds and meaning.

The meanings are the docstrings of the options. `make settings` runs this.
"""

from __future__ import annotations

import inspect
import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import inspect as types

from belvedere.app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[1] / "docs/reference/settings.md"
ATTRIBUTE = re.compile(r"^    (\w+(?:, \w+)*): (.*(?:\n        .*)*)", re.MULTILINE)
INTRODUCTION = """# Settings

Every key of `belvedere.toml`. Tables and keys may be left out; [the sample](../../examples/belvedere.toml) shows them
all. `belvedere config check belvedere.toml` tells whether a file is valid; if not, it names the key and what it allows.

- A table with a `kind` has the keys of that kind only. Without one, it is of the default kind.
- A key that ends in `_file` names a file that contains a secret; one line break at its end does not count. A relative
  path is looked for in systemd's credentials directory (`LoadCredential=`), then in the folder of the settings. The
  file should be readable by Belvedere's user only; if every user of the computer can read it, the log says so.
- A head or a camera that is virtual is for trying Belvedere out: `belvedere serve` starts with a warning.
- A key that was renamed is refused with its new name, and a file for another version of the settings with what to do.

This page is written by `make settings`; the texts are in the sources.
"""
HEADER = "| key | default | allowed | meaning |\n|---|---|---|---|\n"


def page() -> str:
    """The whole page."""
    top, tables = _split(_struct(types.type_info(Settings)))
    rows = "".join(row(field, _meanings(Settings)) for field in top)
    return "\n".join([INTRODUCTION, f"{HEADER}{rows}", *_sections(tables)])


def _sections(tables: list[types.Field], prefix: str = "") -> Iterator[str]:
    """The tables; those with the same keys, such as pan and tilt, together."""
    for _classes, group in itertools.groupby(tables, lambda field: [kind.cls for kind in _kinds(field.type)]):
        same = list(group)
        yield _section([f"{prefix}{field.encode_name}" for field in same], same[0])


def _section(names: list[str], field: types.Field) -> str:
    """A table with its kinds, then the tables in it; names are dotted."""
    kinds = _kinds(field.type)
    is_list = isinstance(_plain(field.type), types.VarTupleType)
    title = " and ".join(f"[[{name}]]" if is_list else f"[{name}]" for name in names)
    parts = [f"## {title}\n", f"{_summary(kinds)}\n"]
    rows = ""
    nested: dict[str, types.Field] = {}
    if len(kinds) > 1:
        rows += _kind_row(kinds, field)
    for kind in kinds:
        meanings = _meanings(kind.cls)
        own, tables = _split(kind)
        for each in own:
            only = "" if _is_shared(each, kinds) else f"Only for `{kind.tag}`: "
            line = row(each, meanings, only)
            rows += "" if line in rows else line
        nested |= {each.encode_name: each for each in tables}
    parts.append(HEADER + rows)
    return "\n".join([*parts, *_sections(list(nested.values()), f"{names[0]}.")])


def _split(struct: types.StructType) -> tuple[list[types.Field], list[types.Field]]:
    """The fields that are values, and those that are tables of their own."""
    tables = [field for field in struct.fields if _kinds(field.type)]
    return [field for field in struct.fields if field not in tables], tables


def _kinds(kind: types.Type) -> list[types.StructType]:
    """The structs that a table may be; none if it is a value."""
    match _plain(kind):
        case types.StructType() as struct:
            return [struct]
        case types.UnionType(types=members):
            return [member for member in members if isinstance(member, types.StructType)]
        case types.VarTupleType(item_type=item):
            return _kinds(item)
    return []


def _struct(kind: types.Type) -> types.StructType:
    (struct,) = _kinds(kind)
    return struct


def _plain(kind: types.Type) -> types.Type:
    """`X` for `X | None` and for an X with a description; any other type as it is."""
    if isinstance(kind, types.Metadata):
        return _plain(kind.type)
    if isinstance(kind, types.UnionType):
        members = [member for member in kind.types if not isinstance(member, types.NoneType)]
        return _plain(members[0]) if len(members) == 1 else kind
    return kind


def _is_shared(field: types.Field, kinds: list[types.StructType]) -> bool:
    return all(field.encode_name in {each.encode_name for each in kind.fields} for kind in kinds)


def _summary(kinds: list[types.StructType]) -> str:
    """What the table is for; with kinds, what each of them is."""
    texts = [" ".join((inspect.getdoc(kind.cls) or "").partition("Attributes:")[0].split()) for kind in kinds]
    if len(kinds) == 1:
        return texts[0]
    return "\n".join(f"- `{kind.tag}`: {text}" for kind, text in zip(kinds, texts, strict=True))


def _kind_row(kinds: list[types.StructType], field: types.Field) -> str:
    names = ", ".join(f"`{kind.tag}`" for kind in kinds)
    if field.default is None:
        return f"| `{kinds[0].tag_field}` | must be given | {names} | see above |\n"
    default = types.type_info(type(field.default))
    return f'| `{kinds[0].tag_field}` | `"{_struct(default).tag}"` | {names} | see above |\n'


def row(field: types.Field, meanings: dict[str, str], only: str = "") -> str:
    """A key's line. Raises KeyError if its meaning is not told."""
    cells = [f"`{field.encode_name}`", _default(field), _allowed(field.type), only + meanings[field.name]]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _meanings(cls: type) -> dict[str, str]:
    """What each field means, by the `Attributes` of the class and its bases."""
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        _summary_text, _title, listed = (inspect.cleandoc(each.__doc__ or "")).partition("Attributes:\n")
        for names, text in ATTRIBUTE.findall(listed):
            found |= dict.fromkeys(names.split(", "), " ".join(text.split()))
    return found


def _default(field: types.Field) -> str:
    value: Any = field.default
    if field.default_factory is dict:
        return "none"
    if value is None:
        return "none"
    if field.required:
        return "must be given"
    return f"`{msgspec.json.encode(value).decode()}`"


def _allowed(kind: types.Type) -> str:
    """What a value may be, in words."""
    described = _description(kind)
    match _plain(kind):
        case types.IntType(ge=least, le=most, multiple_of=step) | types.FloatType(ge=least, le=most, multiple_of=step):
            return f"{least:.12g} to {most:.12g}" + (f", in steps of {step:g}" if step else "")
        case types.BoolType():
            return "true, false"
        case types.EnumType(cls=cls):
            return ", ".join(f"`{member.value}`" for member in cls)
        case types.VarTupleType(item_type=item, max_length=most):
            return f"at most {most}: {_allowed(item)}"
        case types.StrType(max_length=most):
            return described or f"a text of at most {most} characters"
        case types.DictType(max_length=most):
            described = f"at most {most}: {described}"
    return described


def _description(kind: types.Type) -> str:
    match kind:
        case types.Metadata(type=inner, extra_json_schema=schema):
            return str((schema or {}).get("description", "")) or _description(inner)
        case types.UnionType(types=members):
            return next(filter(None, map(_description, members)), "")
    return ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
