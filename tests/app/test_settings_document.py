from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec import inspect

from belvedere.app.settings import Settings
from belvedere.app.settings_document import MOVED, VERSION, read_settings_table
from belvedere.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator


def table(text: str) -> dict[str, object]:
    return read_settings_table(text, "it.toml", Settings)


def error(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        table(text)
    return str(caught.value)


def test_a_file_names_its_version_or_is_of_the_present_one() -> None:
    assert table("") == {}
    assert table(f"version = {VERSION}") == {"version": VERSION}


@pytest.mark.parametrize("version", ["2", "0x" + "f" * 5000])
def test_a_file_of_a_later_version_is_refused_before_its_keys_are(version: str) -> None:
    told = error(f"version = {version}\n[link]\nprobe_every_s = 1")
    assert told.startswith("it.toml: version: the file is for a newer Belvedere: install that")
    assert told.endswith("(allowed: 1)")


@pytest.mark.parametrize("version", [0, -1])
def test_a_file_of_an_earlier_version_is_refused_with_what_to_do(version: int) -> None:
    assert "older Belvedere: change what CHANGELOG.md lists" in error(f"version = {version}")


@pytest.mark.parametrize("version", ["true", "false", "'1'", "1.0", "[1]"])
def test_what_is_no_number_is_left_to_the_type_of_the_key(version: str) -> None:
    assert "version" in table(f"version = {version}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[head]\nreach = 'none'", "it.toml: head.reach: is now head.kind"),
        ("link.probe_every_s = 1", "it.toml: link.probe_every_s: is now link.keep_alive_every_s"),
        (
            "[stage]\nsource = 'sim'",
            'it.toml: stage.source: is now camera.kind ("room" for "sim", "pattern" for "test")',
        ),
        (
            "[[stage.ice_servers]]\nurl = ''\n[[stage.ice_servers]]\ncredential = 'x'",
            (
                "it.toml: stage.ice_servers[1].credential: is now stage.ice_servers.credential_file, "
                "the path of a file with the password"
            ),
        ),
    ],
)
def test_a_key_that_moved_names_where_to_and_never_its_value(text: str, message: str) -> None:
    assert error(text) == message


@pytest.mark.parametrize(
    "text", ["head = 1", "head = []", "link = [[1]]", "stage.ice_servers = {}", "stage = 'source'"]
)
def test_values_that_are_no_tables_hold_no_moved_key(text: str) -> None:
    assert table(text)


def test_every_moved_key_is_gone_and_its_new_name_exists() -> None:
    names = set(dotted(inspect.type_info(Settings)))
    assert not names & MOVED.keys()
    assert {new.partition(" ")[0].rstrip(",") for new in MOVED.values()} <= names


def dotted(kind: inspect.Type, prefix: str = "") -> Iterator[str]:
    """Every key, without the indexes of arrays."""
    match kind:
        case inspect.UnionType(types=members):
            for member in members:
                yield from dotted(member, prefix)
        case inspect.VarTupleType(item_type=item):
            yield from dotted(item, prefix)
        case inspect.StructType(fields=fields, tag_field=tag_field):
            for name, inner in [(str(tag_field), None), *((field.encode_name, field.type) for field in fields)]:
                yield f"{prefix}{name}"
                if inner is not None:
                    yield from dotted(inner, f"{prefix}{name}.")


def test_a_table_with_kinds_names_its_own_or_gets_the_default_one() -> None:
    assert table("[head]\nprofile = 'a'\n[camera]\nkind = 'room'\n[link]") == {
        "head": {"kind": "bluetooth", "profile": "a"},
        "camera": {"kind": "room"},
        "link": {},
    }
