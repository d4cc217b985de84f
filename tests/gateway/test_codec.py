"""Whatever a visitor sends is one of our messages or a refusal, never anything else."""

import json
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from belvedere.errors import Refusal, VisitorError
from belvedere.gateway.codec import decode, encode
from belvedere.gateway.messages import MAX_MESSAGE_BYTES, Drive, Outgoing, Pong, Stop

EXAMPLES = Path(__file__).parents[2] / "contract" / "examples"


def examples(name: str) -> list[Any]:
    listed = json.loads((EXAMPLES / name).read_text())["examples"]
    return [pytest.param(example, id=example["name"]) for example in listed]


@pytest.mark.parametrize("example", examples("client.valid.json"))
def test_what_the_contract_calls_valid_is_understood(example: dict[str, Any]) -> None:
    message = decode(json.dumps(example["message"]))
    assert msgspec.to_builtins(message) == example["message"]


@pytest.mark.parametrize("example", examples("client.invalid.json"))
def test_what_the_contract_calls_invalid_is_refused_with_its_code(example: dict[str, Any]) -> None:
    text = example["text"] if "text" in example else json.dumps(example["message"])
    with pytest.raises(VisitorError) as refused:
        decode(text)
    assert refused.value.refusal == example["code"]


@pytest.mark.parametrize("example", examples("server.valid.json"))
def test_what_the_contract_says_for_the_server_is_what_it_says(example: dict[str, Any]) -> None:
    message = msgspec.convert(example["message"], Outgoing)
    assert json.loads(encode(message)) == example["message"]


def test_a_setpoint_keeps_every_digit() -> None:
    drive = Drive(epoch=3, hold=2**53 - 1, seq=1, pan=0.1, tilt=-0.30000000000000004, clock=123456.789, heard=98.7)
    assert decode(msgspec.json.encode(drive).decode()) == drive


def test_the_largest_message_that_is_allowed_is_read() -> None:
    padding = " " * (MAX_MESSAGE_BYTES - len('{"type":"stop"}'))
    assert decode('{"type":"stop"' + padding + "}") == Stop()
    with pytest.raises(VisitorError) as refused:
        decode('{"type":"stop"' + padding + " }")
    assert refused.value.refusal is Refusal.TOO_LARGE


@pytest.mark.parametrize(
    "text",
    ['{"type":"<script>"}', '{"type":"stop","<script>":1}', '{"<script>":1', '{"type":"ping","clock":"<script>"}'],
)
def test_a_refusal_never_repeats_what_was_sent(text: str) -> None:
    with pytest.raises(VisitorError) as refused:
        decode(text)
    assert "script" not in str(refused.value)


def test_a_refusal_names_the_field() -> None:
    with pytest.raises(VisitorError, match=r"\$\.pan"):
        decode('{"type":"drive","epoch":1,"hold":1,"seq":1,"pan":2,"tilt":0,"clock":1,"heard":1}')


NUMBERS = ("epoch", "hold", "seq", "pan", "tilt", "clock", "heard")
FIELDS = st.sampled_from(["type", "clock", "epoch", "hold", "seq", "pan", "tilt", "server", ""]) | st.text(max_size=8)
WORDS = st.sampled_from(["drive", "ping", "hello", "stop", "release", "lease.take"]) | st.text(max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner, max_size=8),
    max_leaves=20,
)


@given(st.dictionaries(FIELDS, VALUES, max_size=9) | VALUES)
def test_random_json_is_a_message_or_a_refusal(value: object) -> None:
    read_or_refuse(json.dumps(value))


@given(st.text(max_size=2000))
def test_random_text_is_a_message_or_a_refusal(text: str) -> None:
    read_or_refuse(text)


@given(st.text(alphabet='{}[]",:0.-eE\\utnafls ', max_size=MAX_MESSAGE_BYTES))
def test_almost_json_is_a_message_or_a_refusal(text: str) -> None:
    read_or_refuse(text)


@given(
    st.fixed_dictionaries(
        {
            "type": st.just("drive"),
            **{name: st.integers() | st.floats() for name in NUMBERS},
        }
    )
)
def test_a_setpoint_that_is_read_is_within_its_ranges(fields: dict[str, Any]) -> None:
    message = read_or_refuse(json.dumps(fields))
    if message is not None:
        assert isinstance(message, Drive)
        assert -1 <= message.pan <= 1
        assert -1 <= message.tilt <= 1
        assert min(message.clock, message.heard) >= 0
        assert min(message.epoch, message.hold, message.seq) >= 0


def test_what_is_written_is_text() -> None:
    assert encode(Pong(clock=1.5, server=2.0)) == '{"type":"pong","clock":1.5,"server":2.0}'


def read_or_refuse(text: str) -> object:
    try:
        return decode(text)
    except VisitorError as error:
        refused = error
    assert refused.refusal in {Refusal.BAD_MESSAGE, Refusal.TOO_LARGE}
    assert len(str(refused)) < 200
    return None
