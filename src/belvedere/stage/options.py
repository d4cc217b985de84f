"""The settings of the picture, each with its limits and the reason for its default."""

from __future__ import annotations

from typing import Annotated

import msgspec

from belvedere.secret import Secret

# Pages get these in an HTTP header, so they must not end in a line break, which `$` would allow.
_URL = r"^(stun|turns?):[A-Za-z0-9._-]+(:[0-9]+)?(\?transport=(udp|tcp))?\Z"
IceUrl = Annotated[str, msgspec.Meta(pattern=_URL, max_length=300, description="stun:host:port or turn:host:port")]
IceUsername = Annotated[str, msgspec.Meta(pattern=r"^[\x20-\x7e]+\Z", max_length=512)]
PasswordFile = Annotated[
    Secret, msgspec.Meta(description="the path of a file with one line of at most 512 ASCII characters")
]
MAX_PASSWORD = 512  # characters


class IceServer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server that helps viewers behind routers: `stun:host:port`, or `turn:host:port` with user name and password.

    It is sent to every visitor's page, with user name and password.

    Attributes:
        url: where it is, such as `turn:turn.example.org:3478?transport=udp`.
        username: for TURN, the user's name.
        credential: for TURN, the password; the settings name the file that contains it.
    """

    url: IceUrl
    username: IceUsername | None = None
    credential: PasswordFile | None = msgspec.field(default=None, name="credential_file")

    def __post_init__(self) -> None:
        password = self.credential.reveal() if self.credential is not None else ""
        if len(password) > MAX_PASSWORD or not (password.isascii() and password.isprintable()):
            raise ValueError(f"credential_file must contain one line of at most {MAX_PASSWORD} ASCII characters")


class StageOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Size and rate of the picture, and how many may watch it.

    Attributes:
        width, height: in pixels; 1280x720 is the most that a Raspberry Pi encodes at 30 fps. Multiples of 32 and 2, so
            that no row of a plane needs padding.
        fps: pictures per second.
        bitrate_kbps: 3 Mbit/s looks sharp at 720p and passes most home uplinks.
        max_viewers: who may watch at a time, connected or not yet; each costs 1 % of a core and a share of the uplink.
        ice_servers: none by default, so that no third party learns who is watching.
    """

    width: Annotated[int, msgspec.Meta(ge=160, le=3840, multiple_of=32)] = 1280
    height: Annotated[int, msgspec.Meta(ge=96, le=2160, multiple_of=2)] = 720
    fps: Annotated[int, msgspec.Meta(ge=1, le=60)] = 30
    bitrate_kbps: Annotated[int, msgspec.Meta(ge=100, le=20_000)] = 3000
    max_viewers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 8
    ice_servers: Annotated[tuple[IceServer, ...], msgspec.Meta(max_length=8)] = ()


ANSWER_TIMEOUT_S = 8.0  # aioice waits up to 5 s for a STUN or TURN server that does not answer
SET_UPS_APART_S = 0.05  # for all viewers together; one set-up blocks the loop for 5 ms, and 20 on a small board
MAX_UNCONNECTED = 3  # for one visitor, who may open a few tabs at once
CONNECT_TIMEOUT_S = 15.0  # browsers abandon ICE after 15 s
CLOSE_TIMEOUT_S = 3.0  # closing sends one packet; a connection that hangs meanwhile is abandoned
OUTAGE_TIMEOUT_S = 30.0  # viewers without a picture are ended then; pages ask anew after 6 s
