"""The messages match the examples in `contract/`, which the page's tests read, too."""

from __future__ import annotations

import gc
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stage.stream.fakes import SLICE, SMALL_SPS, SPS, frame_at

from belvedere.stage.frames import EncodedFrame
from belvedere.stage.stream.messages import (
    Acknowledgement,
    BadMessageError,
    Description,
    IdrRequest,
    SharedMessages,
    Start,
    client_message,
    description_of,
    frame_message,
)

EXAMPLES = Path(__file__).parents[3] / "contract/examples"


def listed(name: str) -> list[Any]:
    examples = json.loads((EXAMPLES / f"video.{name}.json").read_text())["examples"]
    return [pytest.param(example, id=example["name"]) for example in examples]


@pytest.mark.parametrize("example", listed("server.valid")[1:])
def test_frames_are_packed_as_in_the_contract(example: dict[str, Any]) -> None:
    frame = EncodedFrame(bytes.fromhex(example["access_unit"]), 0.0, example["ticks"], example["is_idr"])
    assert frame_message(frame).hex() == example["hex"]


@pytest.mark.parametrize("example", listed("client.valid"))
def test_clients_messages_are_read_as_in_the_contract(example: dict[str, Any]) -> None:
    expected = {
        "start": lambda: Start(example["view"]),
        "acknowledgement": lambda: Acknowledgement(example["ticks"]),
        "idr_request": IdrRequest,
    }[example["type"]]()
    assert client_message(bytes.fromhex(example["hex"])) == expected


@pytest.mark.parametrize("example", listed("client.invalid"))
def test_other_messages_are_refused(example: dict[str, Any]) -> None:
    with pytest.raises(BadMessageError):
        client_message(bytes.fromhex(example["hex"]))


def test_text_is_refused() -> None:
    with pytest.raises(BadMessageError):
        client_message(None)


@given(st.binary(max_size=100))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    with suppress(BadMessageError):
        assert isinstance(client_message(data), Start | Acknowledgement | IdrRequest)


def test_the_description_is_that_of_the_contract() -> None:
    description = Description("avc1.42c01f", 1280, 720, 30)
    assert msgspec.json.encode(description).decode() == listed("server.valid")[0].values[0]["text"]


HD = Description("avc1.42c01f", 1280, 720, 25)


@pytest.mark.parametrize(
    ("access_unit", "description"),
    [
        (SPS, HD),
        (
            bytes.fromhex("00000109f0") + SPS + SLICE + bytes([1]) * 5000,
            HD,
        ),  # after a delimiter
        (SMALL_SPS, Description("avc1.42c01e", 640, 360, 25)),
        (SLICE, None),
        (SPS[:9], None),
        (bytes(2000) + SPS, None),
        (b"", None),
    ],
)
def test_the_description_is_that_of_the_sps(access_unit: bytes, description: Description | None) -> None:
    assert description_of(access_unit, 25) == description


def test_a_frames_message_is_made_once_and_kept_no_longer_than_the_frame() -> None:
    messages, frame = SharedMessages(), frame_at(1.0)
    assert messages.of(frame) is messages.of(frame)
    del frame
    gc.collect()
    assert not messages._messages
