"""Writes `contract/`: the wire messages as JSON Schema, and the codes in them. Run it with `make contract`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from belvedere.access.rights import Role
from belvedere.access.sessions import EndReason
from belvedere.errors import CameraReason, LinkReason, Refusal, StageReason
from belvedere.gateway.messages import MAX_MESSAGE_BYTES, SUBPROTOCOL, CloseCode, Incoming, Outgoing
from belvedere.gateway.problems import ProblemCode
from belvedere.privacy.words import AccessState, Fault

if TYPE_CHECKING:
    import enum
    from collections.abc import Iterable, Mapping

CONTRACT = Path(__file__).parents[3] / "contract"
# The beginnings of the keys of the page's texts (web/src/words/en.ts), and the codes that they end in.
CODES: Final[Mapping[str, tuple[Iterable[enum.StrEnum], ...]]] = {
    "access": (AccessState,),
    "camera": (CameraReason,),
    "ended": (EndReason,),
    "fault": (Fault,),
    "link": (LinkReason,),
    "problem": (Refusal, StageReason, ProblemCode),
    "role": (Role,),
}


def documents() -> dict[str, str]:
    """The generated files: name and text."""
    client = _schema(Incoming, "What a client sends", f"At most {MAX_MESSAGE_BYTES} bytes a message.")
    server = _schema(Outgoing, "What the server sends", "A client ignores messages of types it does not know.")
    close_codes = {code.name.lower(): code.value for code in CloseCode}
    codes = {kind: sorted({code for each in enums for code in each}) for kind, enums in CODES.items()}
    return {
        "client.schema.json": _text(client),
        "server.schema.json": _text(server),
        "close-codes.json": _text(close_codes),
        "codes.json": _text(codes),
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
