from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from tools.chart_schema import SCHEMA, schema_with_settings, settings_definitions, text

from belvedere.gateway.base_path import BASE_PATH, OURS

WRITTEN = SCHEMA.read_text(encoding="utf-8")
VALIDATOR = jsonschema.Draft7Validator(json.loads(WRITTEN))


def problems(settings: dict[str, Any]) -> list[str]:
    """What the chart's schema says of settings of a room."""
    return [error.message for error in VALIDATOR.iter_errors({"room": {"settings": settings}})]


def test_the_schema_has_the_settings_as_they_are() -> None:
    assert text(schema_with_settings(json.loads(WRITTEN))) == WRITTEN, "run: make settings"


def test_the_definitions_by_hand_are_kept() -> None:
    chart = {"$defs": {"room": {"type": "object"}, "Gone": {}}, "title": "Values"}
    renewed = schema_with_settings(chart)
    assert renewed["title"] == "Values"
    assert renewed["$defs"]["room"] == {"type": "object"}
    assert "Gone" not in renewed["$defs"]
    assert "Settings" in renewed["$defs"]


def test_helm_3_reads_the_schema_as_an_old_draft() -> None:
    jsonschema.Draft7Validator.check_schema(json.loads(WRITTEN))
    assert "\\Z" not in json.dumps(settings_definitions())


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"head": {"adapter": "hci1"}},
        {"stage": {"turn": {"secret_file": "secrets/turn"}}},
        {"camera": {"device": "*HDMI*", "controls": {"gain": 3}}},
        {"control": {"dead_man_s": 1, "pan": {"min_deg": -90.5}}},
        {"control": None, "camera": None, "stage": {"fps": None, "encoder": None, "turn": None}, "head": {"pan": None}},
    ],
)
def test_part_of_the_settings_is_enough(settings: dict[str, Any]) -> None:
    assert problems(settings) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"heads": {}},
        {"camera": {"devcie": "*"}},
        {"camera": {"password": "a-password"}},
        {"control": {"dead_man_s": 5}},
        {"stage": {"width": 1281}},
        {"head": {"adapter": "hci0 "}},
    ],
)
def test_what_belvedere_would_refuse_is_refused(settings: dict[str, Any]) -> None:
    assert problems(settings)


def test_a_rooms_path_is_a_base_path() -> None:
    path = json.loads(WRITTEN)["$defs"]["room"]["properties"]["path"]
    assert path["pattern"] == f"^{BASE_PATH}$"
    assert path["not"]["pattern"] == f"^/({'|'.join(sorted(OURS))})(/|$)"


def test_every_object_of_the_chart_is_closed() -> None:
    chart = json.loads(WRITTEN)
    assert not [name for name, each in chart["properties"].items() if _is_open(each)]
    assert not [name for name, each in chart["$defs"].items() if _is_open(each)]


def _is_open(schema: dict[str, Any]) -> bool:
    """Whether an object with named keys takes others too."""
    return "properties" in schema and schema.get("additionalProperties") is not False


def test_the_values_of_the_chart_are_in_its_folder() -> None:
    assert Path(SCHEMA).with_name("values.yaml").is_file()
