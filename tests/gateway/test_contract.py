"""The files of `contract/` match the code, and its examples match its schemas."""

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import msgspec
import pytest

from belvedere.errors import Refusal
from belvedere.gateway.contract import CONTRACT, documents, write
from belvedere.gateway.messages import Incoming, Outgoing


def read(name: str) -> Any:  # noqa: ANN401 - it is whatever JSON holds
    return json.loads((CONTRACT / name).read_text())


def listed(name: str) -> list[Any]:
    return [pytest.param(example, id=example["name"]) for example in read(f"examples/{name}")["examples"]]


@pytest.mark.parametrize("name", documents())
def test_the_files_are_fresh(name: str) -> None:
    assert (CONTRACT / name).read_text() == documents()[name], "run: make contract"


def test_writing_writes_them_all(tmp_path: Path) -> None:
    write(tmp_path / "new")
    assert {file.name for file in (tmp_path / "new").iterdir()} == documents().keys()


@pytest.mark.parametrize("side", ["client", "server"])
def test_the_schemas_are_schemas(side: str) -> None:
    jsonschema.Draft202012Validator.check_schema(read(f"{side}.schema.json"))


@pytest.mark.parametrize("example", listed("client.valid.json"))
def test_valid_client_messages_fit_the_schema(example: dict[str, Any]) -> None:
    jsonschema.validate(example["message"], read("client.schema.json"))


@pytest.mark.parametrize("example", listed("server.valid.json"))
def test_valid_server_messages_fit_the_schema(example: dict[str, Any]) -> None:
    jsonschema.validate(example["message"], read("server.schema.json"))


INVALID = [each for each in listed("client.invalid.json") if "message" in each.values[0]]


@pytest.mark.parametrize("example", INVALID)
def test_invalid_client_messages_do_not_fit_the_schema(example: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(example["message"], read("client.schema.json"))


@pytest.mark.parametrize(("side", "messages"), [("client", Incoming), ("server", Outgoing)])
def test_every_type_has_a_valid_example(side: str, messages: Any) -> None:  # noqa: ANN401 - a union of types
    types = {struct.__struct_config__.tag for struct in messages.__args__}
    assert {example["message"]["type"] for example in read(f"examples/{side}.valid.json")["examples"]} == types


def test_refusals_in_the_examples_are_refusals() -> None:
    codes = {example["code"] for example in read("examples/client.invalid.json")["examples"]}
    assert codes == {Refusal.BAD_MESSAGE, Refusal.TOO_LARGE}


def test_names_of_examples_are_unique() -> None:
    for file in (CONTRACT / "examples").iterdir():
        names = [example["name"] for example in json.loads(file.read_text())["examples"]]
        assert len(names) == len(set(names)), file.name


def test_a_valid_message_survives_decoding_and_encoding() -> None:
    for example in read("examples/client.valid.json")["examples"]:
        message = msgspec.convert(example["message"], Incoming)
        assert msgspec.convert(msgspec.to_builtins(message), Incoming) == message
