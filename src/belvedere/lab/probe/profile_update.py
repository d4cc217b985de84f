"""Writes a probe's findings into the owner's profile: the values in place, with the evidence as comments above them.

Only lines that change are touched, so that comments and layout survive. The result is parsed and compared with what was
intended; where the file's layout is not understood, it is left unchanged and SettingsError says what to write by hand.
"""

from __future__ import annotations

import os
import re
import tomllib
from typing import TYPE_CHECKING, Any

from belvedere.errors import SettingsError
from belvedere.profile_files import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from belvedere.lab.probe.findings import Finding, Value

HEADER = re.compile(r"^\s*\[([^\[\]]+)\]\s*(#.*)?$")
ENTRY = re.compile(r"^(?P<indent>\s*)(?P<key>[A-Za-z0-9_-]+)\s*=\s*(?P<value>.*)$")


def write_findings(path: Path, findings: Sequence[Finding], heading: str) -> None:
    """Write the findings into the file, and keep the previous version beside it as `.bak`. Raises SettingsError."""
    text = read_text(path)
    changed = with_findings(text, findings, heading, str(path))
    try:
        path.with_name(f"{path.name}.bak").write_text(text, encoding="utf-8")
        temporary = path.with_name(f"{path.name}.new")
        temporary.write_text(changed, encoding="utf-8")
        os.replace(temporary, path)  # noqa: PTH105 - Path.replace, which ruff mistakes for str.replace
    except OSError as error:
        raise SettingsError(str(path), "", f"cannot be written: {error.strerror}") from error


def with_findings(text: str, findings: Sequence[Finding], heading: str, file: str) -> str:
    """The profile's text with the findings in it; `heading` begins each line of evidence: when, and of which unit."""
    wanted = tomllib.loads(text)
    lines = text.splitlines()
    for finding in reversed(findings):  # each goes to the top of its table, so reversed they end up in order
        _put(wanted, finding)
        _write(lines, finding, heading)
    changed = "\n".join(lines) + "\n"
    try:
        is_as_intended = tomllib.loads(changed) == wanted
    except tomllib.TOMLDecodeError:
        is_as_intended = False
    if not is_as_intended:
        probe_at_terminal = ", ".join(
            f"{one.table}.{one.key} = {_literal(one.value)}" for one in findings if one.value is not None
        )
        raise SettingsError(
            file, "", "its layout cannot be edited automatically; write these by hand", probe_at_terminal
        )
    return changed


def _put(document: dict[str, Any], finding: Finding) -> None:
    """Make the same change in the parsed document, for comparison."""
    if finding.key is None or finding.value is None:
        return
    for name in finding.table.split("."):
        document = document.setdefault(name, {})
    document[finding.key] = finding.value


def _write(lines: list[str], finding: Finding, heading: str) -> None:
    comment = f"# {heading}: {finding.evidence}"
    at = _header(lines, finding.table)
    parent, _, name = finding.table.rpartition(".")
    if at is None and parent:  # perhaps `name = { ... }` in the table above
        above = _header(lines, parent)
        entry = _entry(lines, above, name) if above is not None else None
        if entry is not None:
            _write_inline(lines, entry, finding, comment)
            return
    if at is None:
        lines += ["", f"[{finding.table}]"]
        at = len(lines) - 1
    entry = _entry(lines, at, finding.key) if finding.key is not None else None
    if entry is None:
        value = [f"{finding.key} = {_literal(finding.value)}"] if finding.value is not None else []
        lines[at + 1 : at + 1] = [comment, *value]
        return
    lines[entry : entry + 1] = [comment, _changed(lines[entry], finding.value)]


def _write_inline(lines: list[str], entry: int, finding: Finding, comment: str) -> None:
    """Change a value inside `name = { ... }` on one line."""
    match = ENTRY.match(lines[entry])
    if match is None or finding.key is None or finding.value is None:
        lines.insert(entry, comment)
        return
    table = tomllib.loads(f"value = {match['value']}")["value"] if _is_whole(match["value"]) else {}
    inline = _literal({**table, finding.key: finding.value})
    lines[entry : entry + 1] = [comment, f"{match['indent']}{match['key']} = {inline}"]


def _is_whole(value: str) -> bool:
    try:
        tomllib.loads(f"value = {value}")
    except tomllib.TOMLDecodeError:
        return False
    return True


def _changed(line: str, value: Value | None) -> str:
    match = ENTRY.match(line)
    return f"{match['indent']}{match['key']} = {_literal(value)}" if match and value is not None else line


def _header(lines: Sequence[str], table: str) -> int | None:
    """The line of `[table]`."""
    for number, line in enumerate(lines):
        match = HEADER.match(line)
        if match is not None and match[1].strip() == table:
            return number
    return None


def _entry(lines: Sequence[str], header: int, key: str) -> int | None:
    """The line of `key = ...` below a header, before the next one."""
    for number in range(header + 1, len(lines)):
        if HEADER.match(lines[number]):
            return None
        match = ENTRY.match(lines[number])
        if match is not None and match["key"] == key:
            return number
    return None


def _literal(value: Value | Mapping[str, Any] | None) -> str:
    """A value as TOML writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
        case int() | float():
            return repr(value)
        case None:
            return '""'
    return "{ " + ", ".join(f"{key} = {_literal(inner)}" for key, inner in value.items()) + " }"
