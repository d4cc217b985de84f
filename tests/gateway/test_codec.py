"""Whatever a client sends is a valid value or a refusal that does not quote it; late bodies time out."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given
from tests.support.engine_rig import open_rig

from belvedere.access.invitations import AccessOptions
from belvedere.access.sessions import EndReason
from belvedere.errors import Refusal, VisitorError
from belvedere.gateway.app import create_app
from belvedere.gateway.codec import BODY_TIMEOUT_S, decode, decode_strictly, encode, is_of_type
from belvedere.gateway.dependencies import Dependencies
from belvedere.gateway.messages import MAX_MESSAGE_BYTES, Drive, Outgoing, Pong, Stop


class Point(msgspec.Struct, forbid_unknown_fields=True):
    x: float


DECODER = msgspec.json.Decoder(Point)


def test_a_valid_value_is_decoded() -> None:
    assert decode_strictly(DECODER, b'{"x": 1}') == Point(1.0)
    assert decode_strictly(DECODER, '{"x": 1}') == Point(1.0)


@pytest.mark.parametrize(
    "text",
    ['{"x":"1"}', '{"x":true}', '{"x":NaN}', '{"x":1e999}', "", "[" * 60_000, '{"x":' * 60_000, "\ud800", b"\xff"],
)
def test_an_invalid_value_is_a_bad_message(text: str | bytes) -> None:
    with pytest.raises(VisitorError) as refused:
        decode_strictly(DECODER, text)
    assert refused.value.refusal is Refusal.BAD_MESSAGE


def test_deep_nesting_before_a_known_field_is_a_bad_message() -> None:
    with pytest.raises(VisitorError):
        decode_strictly(msgspec.json.Decoder(), "[" * 60_000 + "]" * 60_000)


def test_the_path_is_named_and_the_value_is_not() -> None:
    with pytest.raises(VisitorError, match=r"\$\.x") as refused:
        decode_strictly(DECODER, '{"x":"<script>"}')
    assert "script" not in str(refused.value)


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_else(data: bytes) -> None:
    try:
        decode_strictly(DECODER, data)
    except VisitorError:
        return


@pytest.mark.parametrize("header", ["text/x", "TEXT/X", "text/x; charset=utf-8", " text/x ;"])
def test_a_types_spelling_is_free(header: str) -> None:
    assert is_of_type(header, "text/x")


@pytest.mark.parametrize("header", ["", "text", "text/xx", "text/y; text/x", "text/y, text/x"])
def test_another_type_is_another(header: str) -> None:
    assert not is_of_type(header, "text/x")


EXAMPLES = Path(__file__).parents[2] / "contract" / "examples"


def examples(name: str) -> list[Any]:
    listed = json.loads((EXAMPLES / name).read_text())["examples"]
    return [pytest.param(example, id=example["name"]) for example in listed]


@pytest.mark.parametrize("example", examples("client.valid.json"))
def test_what_the_contract_calls_valid_is_accepted(example: dict[str, Any]) -> None:
    message = decode(json.dumps(example["message"]))
    assert msgspec.to_builtins(message) == example["message"]


@pytest.mark.parametrize("example", examples("client.invalid.json"))
def test_what_the_contract_calls_invalid_is_refused_with_its_code(example: dict[str, Any]) -> None:
    text = example["text"] if "text" in example else json.dumps(example["message"])
    with pytest.raises(VisitorError) as refused:
        decode(text)
    assert refused.value.refusal == example["code"]


@pytest.mark.parametrize("example", examples("server.valid.json"))
def test_messages_of_the_server_are_encoded_as_in_the_contract(example: dict[str, Any]) -> None:
    message = msgspec.convert(example["message"], Outgoing)
    assert json.loads(encode(message)) == example["message"]


def test_a_setpoint_keeps_every_digit() -> None:
    drive = Drive(epoch=3, hold=2**53 - 1, seq=1, pan=0.1, tilt=-0.30000000000000004, clock=123456.789, heard=98.7)
    assert decode(msgspec.json.encode(drive).decode()) == drive


def test_the_largest_allowed_message_is_decoded() -> None:
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
def test_a_decoded_setpoint_is_within_its_ranges(fields: dict[str, Any]) -> None:
    message = read_or_refuse(json.dumps(fields))
    if message is not None:
        assert isinstance(message, Drive)
        assert -1 <= message.pan <= 1
        assert -1 <= message.tilt <= 1
        assert min(message.clock, message.heard) >= 0
        assert min(message.epoch, message.hold, message.seq) >= 0


def test_encoded_messages_are_text() -> None:
    assert encode(Pong(clock=1.5, server=2.0)) == '{"type":"pong","clock":1.5,"server":2.0}'


def read_or_refuse(text: str) -> object:
    try:
        return decode(text)
    except VisitorError as error:
        refused = error
    assert refused.refusal in {Refusal.BAD_MESSAGE, Refusal.TOO_LARGE}
    assert len(str(refused)) < 200
    return None


MakeParts = Callable[..., Dependencies]
MakeClient = Callable[..., httpx.AsyncClient]
WHEP, VELOCITY = ("/api/v1/stage/whep", "application/sdp"), ("/api/v1/head/velocity", "application/json")


async def trickled(*dependencies: bytes, every_s: float) -> AsyncIterator[bytes]:
    """A body whose parts come one by one, the first at once."""
    for part in dependencies:
        yield part
        await asyncio.sleep(every_s)


@pytest.mark.parametrize(("asked", "late"), [(WHEP, (BODY_TIMEOUT_S, 408)), (VELOCITY, (0.5, 409))])
async def test_a_body_that_never_arrives_times_out(
    make_parts: MakeParts, make_client: MakeClient, asked: tuple[str, str], late: tuple[float, int]
) -> None:
    (path, kind), (timeout_s, status) = asked, late
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        began = rig.clock()
        body = trickled(*[b" "] * 1000, every_s=1)
        response = await client.post(path, content=body, headers={"content-type": kind})
        assert rig.clock() - began == pytest.approx(timeout_s, abs=1)
        assert (response.status_code, response.json()["code"]) == (status, "too_late")
        assert response.headers["connection"] == "close"


async def test_a_body_in_parts_is_read_whole(make_parts: MakeParts, make_client: MakeClient) -> None:
    async with open_rig() as rig, make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client:
        body = trickled(b"v=0", b"\r\n", every_s=2)
        response = await client.post(WHEP[0], content=body, headers={"content-type": WHEP[1]})
        assert response.status_code == 201
        assert [offer for _, offer in rig.stage.offers.values()] == ["v=0\r\n"]


@pytest.mark.parametrize(("path", "kind"), [WHEP, VELOCITY])
async def test_a_request_whose_body_ends_after_the_session_expired_does_nothing(
    make_parts: MakeParts, make_client: MakeClient, path: str, kind: str
) -> None:
    async with (
        open_rig(invitations=AccessOptions(session_s=0.3)) as rig,
        make_client(create_app(make_parts(rig)), rig.open_session().cookie) as client,
    ):
        body = trickled(b"{}" if "json" in kind else b"v=0", b" ", every_s=0.2)
        response = await client.post(path, content=body, headers={"content-type": kind})
        assert (response.status_code, response.json()["code"]) == (401, "no_session")
        assert not rig.stage.offers
        assert rig.engine.status.lease.session is None


@pytest.mark.parametrize(("path", "kind"), [WHEP, VELOCITY])
async def test_a_request_whose_body_ends_after_the_session_was_ended_does_nothing(
    make_parts: MakeParts, make_client: MakeClient, path: str, kind: str
) -> None:
    async with open_rig() as rig:
        ana = rig.open_session()
        async with make_client(create_app(make_parts(rig)), ana.cookie) as client:
            body = trickled(b"{}" if "json" in kind else b"v=0", b" ", every_s=0.2)
            asking = asyncio.create_task(client.post(path, content=body, headers={"content-type": kind}))
            await asyncio.sleep(0.1)
            rig.invitations.end(ana.session.id, EndReason.DISPLACED)
            response = await asking
        assert (response.status_code, response.json()["code"]) == (401, "no_session")
        assert not rig.stage.offers
        assert rig.engine.status.lease.session is None
