from __future__ import annotations

import re
from typing import Annotated

import msgspec
import pytest
from msgspec import inspect
from tests.app.test_settings import keys
from tools.settings_page import PAGE, page, row

from belvedere.app.settings import Settings

WRITTEN = PAGE.read_text(encoding="utf-8")


def test_the_page_is_as_the_settings_are() -> None:
    assert page() == WRITTEN, "run: make settings"


def documented() -> set[str]:
    """Every key of the page, dotted."""
    found: set[str] = set()
    tables: list[str] = []
    for line in WRITTEN.splitlines():
        if line.startswith("## "):
            tables = re.findall(r"\[([a-z_.]+)\]", line)
        key = re.match(r"\| `(\w+)` \|", line)
        if key:
            found |= {f"{table}.{key[1]}" for table in tables} if tables else {key[1]}
    return found


def test_every_key_has_a_row() -> None:
    tables = keys(inspect.type_info(Settings))
    values = {key for key in tables if not any(other.startswith(f"{key}.") for other in tables)}
    assert documented() == values | {
        "head.kind",
        "camera.kind",
        "stage.turn.kind",
        "room.chime.kind",
        "room.light.kind",
    }


def test_a_row_has_the_keys_default_what_it_allows_and_its_meaning() -> None:
    assert "| `port` | `8080` | 0 to 65535 | 0 for any that is free. |\n" in WRITTEN
    assert "| `session_s` | `2592000.0` | 60 to 34560000 |" in WRITTEN
    assert "| `width` | `1280` | 160 to 3840, in steps of 32 |" in WRITTEN
    assert "| `url` | must be given |" in WRITTEN
    assert '| `kind` | `"bluetooth"` | `bluetooth`, `virtual`, `none` |' in WRITTEN
    assert "Only for `bluetooth`: which Bluetooth adapter" in WRITTEN
    assert "| `kind` | must be given | `coturn`, `cloudflare` |" in WRITTEN
    assert "## [head.pan] and [head.tilt]\n" in WRITTEN


class Undocumented(msgspec.Struct):
    """No attribute is explained."""

    number: Annotated[int, msgspec.Meta(ge=0, le=1)] = 0


def test_a_key_without_a_meaning_is_an_error() -> None:
    (field,) = inspect.type_info(Undocumented).fields  # type: ignore[attr-defined]  # a StructType
    with pytest.raises(KeyError, match="number"):
        row(field, {})
