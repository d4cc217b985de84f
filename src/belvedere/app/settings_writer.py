"""Puts values into a settings file, and leaves everything else in it as its owner wrote it, comments included.

The text is edited by lines, which is enough for how people write such files. What came of it is read again: where
anything else has changed, as in a file that gives tables in one line, nothing is written and the owner is told what to
write.
"""

from __future__ import annotations

import copy
import json
import os
import re
import stat
from typing import TYPE_CHECKING, Any, Final

from belvedere.atomic_files import written_whole
from belvedere.errors import SettingsError
from belvedere.head.document import parse_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    Value = str | float | Sequence[str]
    Tables = Mapping[str, Mapping[str, Value]]

_HEADER: Final = re.compile(r"\s*\[\[?\s*(?P<name>[A-Za-z0-9_.\"' -]+?)\s*\]\]?\s*(#.*)?")
_ENTRY: Final = re.compile(r"\s*(?P<key>[A-Za-z0-9_-]+)\s*=(?P<value>.*)")
_COMMENT: Final = re.compile(r"""(?:[^"'#]|"(?:[^"\\]|\\.)*"|'[^']*')*?(?P<comment>\s*#.*)""")


def with_values(text: str, file: str, tables: Tables) -> str:
    """The text of a settings file with these keys, by the dotted names of their tables.

    `file` names the text in errors. Raises SettingsError where it cannot be edited without changing something else.
    """
    table = parse_document(text, file)
    wanted: dict[str, Any] = copy.deepcopy(table)
    lines = text.removesuffix("\n").split("\n")  # TOML knows no other ends of lines
    for name, values in tables.items():
        inner = wanted
        for part in name.split("."):
            inner = inner.setdefault(part, {})
        inner.update({key: list(value) if isinstance(value, tuple) else value for key, value in values.items()})
        _edit(lines, name, values)
    edited = "\n".join(lines) + "\n"
    try:
        is_as_wanted = parse_document(edited, file) == wanted
    except SettingsError:
        is_as_wanted = False
    if not is_as_wanted:
        problem = "cannot be edited without changing something else; write these lines yourself: "
        raise SettingsError(file, "", problem + "; ".join(lines_for(tables)))
    return edited


def lines_for(tables: Tables) -> list[str]:
    """The lines that say these values, for people."""
    return [
        line for name, values in tables.items() for line in (f"[{name}]", *(_line(*item) for item in values.items()))
    ]


def write_settings(path: Path, text: str) -> None:
    """Replace a settings file; owner, group and mode stay. Raises OSError."""
    about = path.stat()
    with written_whole(path) as partial:
        partial.write_text(text, encoding="utf-8")
        partial.chmod(stat.S_IMODE(about.st_mode))
        if os.geteuid() == 0:
            os.chown(partial, about.st_uid, about.st_gid)


def _edit(lines: list[str], table: str, values: Mapping[str, Value]) -> None:
    header = _header(lines, table)
    if header is None:
        lines += ["", f"[{table}]", *(_line(*item) for item in values.items())]
        return
    for key, value in values.items():
        entry = _entry(lines, header, key)
        if entry is None:
            lines.insert(_end(lines, header), _line(key, value))
        else:
            comment = _COMMENT.fullmatch(lines[entry])
            lines[entry] = _line(key, value) + (comment["comment"] if comment else "")


def _header(lines: Sequence[str], table: str) -> int | None:
    """The line of `[table]`."""
    found = ((number, _HEADER.fullmatch(line)) for number, line in enumerate(lines))
    return next((number for number, match in found if match is not None and match["name"] == table), None)


def _entry(lines: Sequence[str], header: int, key: str) -> int | None:
    """The line of `key = ...` below a header, before the next one."""
    for number in range(header + 1, len(lines)):
        if _HEADER.fullmatch(lines[number]):
            return None
        match = _ENTRY.fullmatch(lines[number])
        if match is not None and match["key"] == key:
            return number
    return None


def _end(lines: Sequence[str], header: int) -> int:
    """Where a line is added to a table: after its last entry, so that the comments before the next table stay there."""
    end = header + 1
    for number in range(header + 1, len(lines)):
        if _HEADER.fullmatch(lines[number]):
            break
        if lines[number].strip() and not lines[number].lstrip().startswith("#"):
            end = number + 1
    return end


def _line(key: str, value: Value) -> str:
    """An entry. JSON's texts, numbers and lists are TOML, too."""
    return f"{key} = {json.dumps(value, ensure_ascii=False)}"
