"""The settings file as a table: its version, the keys that have moved since, and the kinds that it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from belvedere.errors import SettingsError
from belvedere.head.document import parse_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VERSION = 1  # rises when a key keeps its name and changes its meaning; a moved key is told by `MOVED`

MOVED: Mapping[str, str] = {
    "head.reach": "head.kind",
    "link.probe_every_s": "link.keep_alive_every_s",
    "link.last_search_s": "link.final_search_s",
    "stage.source": 'camera.kind ("room" for "sim", "pattern" for "test")',
    "stage.time_bar": "camera.time_bar",
    "stage.ice_servers.credential": "stage.ice_servers.credential_file, the path of a file with the password",
}
"""Where keys of earlier settings files have gone; an item's index is left out."""


def read_settings_table(text: str, file: str, settings: type[msgspec.Struct]) -> dict[str, Any]:
    """Parse a settings file for these settings; every table with kinds names its own. Raises SettingsError."""
    table = parse_document(text, file)
    _check_version(table.get("version"), file)
    for old, new in MOVED.items():
        for key in _keys_at(table, old):
            raise SettingsError(file, key, f"is now {new}")
    return table | {name: {**tag, **table[name]} for name, tag in _default_kinds(settings) if _is_table(table, name)}


def _check_version(version: object, file: str) -> None:
    """Raise SettingsError for the number of another version; what is no number is left to the type of the key."""
    if version is None or not isinstance(version, int) or isinstance(version, bool) or version == VERSION:
        return
    if version > VERSION:
        problem = "the file is for a newer Belvedere: install that, or write the settings for this one"
    else:
        problem = "the file is for an older Belvedere: change what CHANGELOG.md lists, then the version"
    raise SettingsError(file, "version", problem, str(VERSION))


def _keys_at(value: object, path: str, before: str = "") -> Iterator[str]:
    """The keys with this path that a table holds, each with the indexes of the arrays on the way to it."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _keys_at(item, path, f"{before}[{index}]")
    elif isinstance(value, dict):
        name, _dot, rest = path.partition(".")
        key = f"{before}.{name}" if before else name
        if name in value and rest:
            yield from _keys_at(value[name], rest, key)
        elif name in value:
            yield key


def _default_kinds(settings: type[msgspec.Struct]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each table that has kinds, with the key and the value that name the default one."""
    for field in msgspec.structs.fields(settings):
        if isinstance(field.default, msgspec.Struct):
            config = field.default.__struct_config__
            if config.tag_field is not None:
                yield field.name, {config.tag_field: str(config.tag)}


def _is_table(table: Mapping[str, object], name: str) -> bool:
    return isinstance(table.get(name), dict)
