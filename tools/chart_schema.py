"""Writes the settings into the chart's schema of values, so that Helm refuses what Belvedere would refuse later.

A room's values may give part of the settings, to be merged over those of every room, and take one back by null; so no
key is required here, and what must be given, or fits together, is left to Belvedere itself. `make settings` runs this.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import msgspec

from belvedere.app.settings import Settings
from belvedere.secret import Secret

SCHEMA: Final = Path(__file__).parents[1] / "deploy/helm/belvedere/values.schema.json"
NULL: Final = {"type": "null"}
LEFT_OUT: Final = {"default", "description", "discriminator", "required", "title"}
END_OF_TEXT: Final = re.compile(r"\\Z")  # Python's; in Helm's regular expressions, as in JSON Schema's, it is `$`


def schema_with_settings(chart: dict[str, Any]) -> dict[str, Any]:
    """The chart's schema with definitions made from the settings; only their names begin with a capital letter."""
    by_hand = {name: value for name, value in chart["$defs"].items() if not name[0].isupper()}
    return {**chart, "$defs": by_hand | settings_definitions()}


def settings_definitions() -> dict[str, Any]:
    """The definition of each part of the settings, by its name, in JSON Schema that both Helm 3 and 4 read."""
    definitions = msgspec.json.schema(Settings, schema_hook=_schema_of)["$defs"]
    return {name: _reduced(definition) for name, definition in sorted(definitions.items())}


def _schema_of(kind: type) -> dict[str, Any]:
    """A secret is given as the path of its file."""
    if kind is not Secret:
        raise NotImplementedError(f"settings of type {kind}")
    return {"type": "string"}


def _reduced(schema: Any, *, are_names: bool = False) -> Any:  # noqa: ANN401 - any part of a schema
    """A part of a schema without what documents it; `are_names`: its keys are those of the settings."""
    if isinstance(schema, list):
        return [_reduced(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if are_names or key not in LEFT_OUT}
    return {key: _reduced_value(key, value, is_setting=are_names) for key, value in kept.items()}


def _reduced_value(key: str, value: Any, *, is_setting: bool) -> Any:  # noqa: ANN401 - likewise
    if is_setting:
        return _or_null(_reduced(value))
    if key == "pattern":
        return END_OF_TEXT.sub("$", value)
    return _reduced(value, are_names=key == "properties")


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that null fits too, without one more `anyOf` where that would make Helm's message worse."""
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    if "anyOf" in schema:
        return {**schema, "anyOf": [*(each for each in schema["anyOf"] if each != NULL), NULL]}
    return {"anyOf": [schema, NULL]}


def text(schema: dict[str, Any]) -> str:
    """As it is written to the file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text(schema_with_settings(json.loads(SCHEMA.read_text(encoding="utf-8")))), encoding="utf-8")
