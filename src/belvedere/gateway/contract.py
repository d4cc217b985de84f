"""Writes `contract/`: the wire messages as JSON Schema, and the close codes. Run it with `make contract`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from belvedere.gateway.messages import MAX_MESSAGE_BYTES, SUBPROTOCOL, CloseCode, Incoming, Outgoing

CONTRACT = Path(__file__).parents[3] / "contract"


def documents() -> dict[str, str]:
    """The generated files: name and text."""
    client = _schema(Incoming, "What a client sends", f"At most {MAX_MESSAGE_BYTES} bytes a message.")
    server = _schema(Outgoing, "What the server sends", "A client ignores messages of types it does not know.")
    codes = {code.name.lower(): code.value for code in CloseCode}
    return {
        "client.schema.json": _text(client),
        "server.schema.json": _text(server),
        "close-codes.json": _text(codes),
    }


def write(directory: Path) -> None:
    """Write the generated files."""
    directory.mkdir(exist_ok=True)
    for name, text in documents().items():
        (directory / name).write_text(text)


def _schema(messages: object, title: str, description: str) -> dict[str, object]:
    schema = _without_enums(msgspec.json.schema(messages))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{SUBPROTOCOL}: {title}",
        "description": description,
        **schema,
    }


def _without_enums(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with the values of each enum in place of references to it: its name is no part of the wire."""
    parts = schema["$defs"]
    enums = {f"#/$defs/{name}": {"enum": part["enum"]} for name, part in parts.items() if "enum" in part}

    def put(value: Any) -> Any:  # noqa: ANN401 - any JSON
        match value:
            case {"$ref": str(name)} if name in enums:
                return enums[name]
            case dict():
                return {key: put(each) for key, each in value.items()}
            case list():
                return [put(each) for each in value]
            case _:
                return value

    whole = {name: put(part) for name, part in parts.items() if "enum" not in part}
    return {**schema, "$defs": whole}


def _text(document: object) -> str:
    return json.dumps(document, indent=2) + "\n"


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else CONTRACT)
