"""The messages of `belvedere.video.v1`, byte by byte; `contract/video.md` describes them. Pure.

The server sends a description as JSON text, always before the first frame that needs it, and each frame as a binary
message. A client sends binary messages of a few bytes: start, acknowledgement, IDR request.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias
from weakref import WeakKeyDictionary

import msgspec

from belvedere.errors import BitstreamError
from belvedere.stage.h264 import NalType, nal_type, read_sps, split_nal_units
from belvedere.stage.viewer import is_view

if TYPE_CHECKING:
    from belvedere.stage.frames import EncodedFrame

SUBPROTOCOL: Final = "belvedere.video.v1"
VERSION: Final = 1
FLAG_IDR: Final = 0x01
START, ACKNOWLEDGEMENT, IDR_REQUEST = 1, 2, 3
MAX_CLIENT_BYTES: Final = 65  # a start with the longest name of a view
MAX_SEARCHED_BYTES: Final = 1024  # parameter sets come first in an access unit, after a delimiter at most

_HEADER: Final = struct.Struct(">BBHQ")
_TICKS: Final = struct.Struct(">Q")


class BadMessageError(ValueError):
    """A client's message is none of `belvedere.video.v1`."""


@dataclass(frozen=True, slots=True)
class Start:
    """The visitor wants to see: until it arrives, nobody is counted and the camera stays off.

    Attributes:
        view: names the picture on a page, the same on every way that it is sent by; "" where the client has no name.
    """

    view: str


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The newest frame that the client has received, by its capture time in 1/90000 s."""

    ticks: int


@dataclass(frozen=True, slots=True)
class IdrRequest:
    """The client cannot decode what follows without an IDR."""


ClientMessage: TypeAlias = Start | Acknowledgement | IdrRequest


class Description(msgspec.Struct, frozen=True):
    """What the frames that follow contain.

    Attributes:
        codec: for `VideoDecoder.configure`: `avc1.` and profile, constraints and level of the SPS (RFC 6381).
        width, height: in pixels.
        fps: pictures per second, as far as is known.
    """

    codec: str
    width: int
    height: int
    fps: int


def frame_message(frame: EncodedFrame) -> bytes:
    """A header of twelve bytes, then the access unit as it is."""
    return _HEADER.pack(VERSION, FLAG_IDR if frame.is_idr else 0, 0, frame.ticks) + frame.data


def client_message(data: bytes | None) -> ClientMessage:
    """Parse a client's message; None stands for text. Raises BadMessageError."""
    if not data or len(data) > MAX_CLIENT_BYTES:
        raise BadMessageError
    kind, rest = data[0], data[1:]
    if kind == START and is_view(view := rest.decode("latin-1")):
        return Start(view)
    if kind == ACKNOWLEDGEMENT and len(rest) == _TICKS.size:
        return Acknowledgement(*_TICKS.unpack(rest))
    if kind == IDR_REQUEST and not rest:
        return IdrRequest()
    raise BadMessageError


def description_of(access_unit: bytes, fps: int) -> Description | None:
    """What an IDR and what follows it contain, by its SPS; None where there is none that can be read.

    `fps` is the rate of the source: the SPS need not tell, and is no better informed.
    """
    try:
        units = split_nal_units(access_unit[:MAX_SEARCHED_BYTES])
        sps = next((read_sps(unit) for unit in units if nal_type(unit) == NalType.SPS), None)
    except BitstreamError:
        return None
    return None if sps is None else Description(sps.codec, sps.width, sps.height, fps)


class SharedMessages:
    """Each frame's message, made once for all viewers; kept for as long as anybody has the frame."""

    def __init__(self) -> None:
        self._messages: WeakKeyDictionary[EncodedFrame, bytes] = WeakKeyDictionary()

    def of(self, frame: EncodedFrame) -> bytes:
        """The message of a frame."""
        found = self._messages.get(frame)
        if found is None:
            found = self._messages[frame] = frame_message(frame)
        return found
