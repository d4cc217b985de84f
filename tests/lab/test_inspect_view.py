"""The output of an inspection, for people and for programs."""

from __future__ import annotations

import io
import json

import msgspec
from rich.console import Console

from belvedere.errors import LinkReason
from belvedere.head.axes import Axis
from belvedere.head.profile import UnitProfile
from belvedere.lab.inspect import Characteristic, Inspection, Service
from belvedere.lab.inspect_view import advice, as_json, tree
from belvedere.lab.profiles import UnitMatch

TAIL = "-0000-1000-8000-00805f9b34fb"
COMMAND = Characteristic(uuid=f"0000fff1{TAIL}", handle=21, properties=("write", "write-without-response"))
UNIT = Inspection(
    address="C0:DE:00:00:00:01",
    name="PONS-PAN-1",
    rssi_dbm=-60,
    services=(
        Service(
            uuid=f"0000180a{TAIL}",
            handle=10,
            characteristics=(
                Characteristic(uuid=f"00002a29{TAIL}", handle=11, properties=("read",), value=b"ZEAPON"),
                Characteristic(uuid=f"00002a25{TAIL}", handle=13, properties=("read",), read_error=LinkReason.REFUSED),
            ),
        ),
        Service(
            uuid=f"0000fff0{TAIL}",
            handle=20,
            characteristics=(COMMAND, Characteristic(uuid=f"0000fff2{TAIL}", handle=23, properties=("notify",))),
        ),
    ),
)
FITS = (UnitMatch("ZEAPON PONS PT", Axis.TILT),)


def shown(inspection: Inspection) -> str:
    console = Console(file=io.StringIO(), width=140)
    console.print(tree(inspection))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_values_are_shown_with_names_and_those_that_are_not_say_why() -> None:
    text = shown(UNIT)
    assert '2a29 Manufacturer Name String = "ZEAPON"' in text
    assert "2a25 Serial Number String: refused" in text
    assert text.count("may take the head's commands") == 1


def test_a_device_without_a_name_is_shown_too() -> None:
    assert "(no name)" in shown(msgspec.structs.replace(UNIT, name=""))


def test_the_advice_is_a_unit_that_a_profile_takes() -> None:
    text = advice(UNIT, FITS)
    assert "tilt unit of ZEAPON PONS PT" in text
    values = msgspec.toml.decode(text.partition("For a profile:")[2])["tilt"]
    assert msgspec.convert(values, UnitProfile).characteristic == "fff1"
    assert values["notify"] == "fff2"


def test_several_candidates_are_all_named_and_how_to_tell_them_apart() -> None:
    other = msgspec.structs.replace(COMMAND, uuid=f"0000fff5{TAIL}")
    service = msgspec.structs.replace(UNIT.services[1], characteristics=(COMMAND, other))
    text = advice(msgspec.structs.replace(UNIT, services=(service,)), ())
    assert "belvedere snoop" in text
    assert 'characteristic = "fff1"' in text
    assert 'characteristic = "fff5"' in text


def test_a_device_that_takes_no_commands_is_no_head() -> None:
    text = advice(msgspec.structs.replace(UNIT, services=UNIT.services[:1]), ())
    assert "does not look like a head" in text
    assert "[pan]" not in text


def test_a_program_gets_handles_properties_values_and_errors() -> None:
    plain = json.loads(as_json(UNIT, FITS))
    assert plain["matches"] == [{"head": "ZEAPON PONS PT", "axis": "tilt"}]
    about, home = plain["services"]
    assert about["name"] == "Device Information"
    assert [one["value"] for one in about["characteristics"]] == ["5a4541504f4e", None]
    assert about["characteristics"][1]["read_error"] == "refused"
    assert home["characteristics"][0] == {
        "uuid": COMMAND.uuid,
        "name": "",
        "handle": 21,
        "properties": ["write", "write-without-response"],
        "value": None,
        "read_error": None,
        "descriptors": [],
        "may_take_commands": True,
    }
