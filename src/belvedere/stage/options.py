"""The settings of the picture, each with its limits and the reason for its default."""

from __future__ import annotations

import enum
from typing import Annotated, Literal

import msgspec

from belvedere.secret import Secret
from belvedere.stage.ivs_options import IvsOptions
from belvedere.stage.turn_options import TurnOptions

# Pages get these in an HTTP header, so they must not end in a line break, which `$` would allow.
_URL = r"^(stun|turns?):[A-Za-z0-9._-]+(:[0-9]+)?(\?transport=(udp|tcp))?\Z"
IceUrl = Annotated[str, msgspec.Meta(pattern=_URL, max_length=300, description="stun:host:port or turn:host:port")]
IceUsername = Annotated[str, msgspec.Meta(pattern=r"^[\x20-\x7e]+\Z", max_length=512)]
PasswordFile = Annotated[
    Secret, msgspec.Meta(description="the path of a file with one line of at most 512 ASCII characters")
]
MAX_PASSWORD = 512  # characters
UdpPortRange = Annotated[
    str, msgspec.Meta(pattern=r"^([0-9]{1,5}-[0-9]{1,5})?\Z", max_length=11, description='such as "50000-50100"')
]
AnnouncedAddress = Annotated[
    str,
    msgspec.Meta(pattern=r"^[A-Za-z0-9.:_-]+\Z", max_length=253, description="203.0.113.7, 2001:db8::7 or a name"),
]
MIN_PORT, MAX_PORT = 1024, 65_535


class Way(enum.StrEnum):
    """How the picture gets to a page."""

    DIRECT = "direct"
    STREAM = "stream"
    IVS = "ivs"


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
        bitrate_kbps: the most that is sent to each viewer; 3 Mbit/s looks sharp at 720p and passes most home uplinks.
        min_bitrate_kbps: the least; below 400 kbit/s a moving picture cannot be recognized at any size.
        encoder: `x264` is software. `auto` and `hardware` use the H.264 encoder of a Raspberry Pi 4 or the like if a
            trial shows that it makes what viewers need and takes less of the processor, else x264; only `hardware`
            warns of that. The trial is made when the first page is opened.
        preset: of x264; a slower one makes a sharper picture of the same bitrate. `auto` measures, and takes the
            slowest that stays within `encoding_percent` and leaves a quarter of the time free.
        encoding_percent: of a processor core, how much `auto` may take for encoding.
        ways: how pages get the picture, in the order to try: `direct` by WebRTC, `stream` by HTTP alone, `ivs` through
            Amazon IVS. A page that may use both `direct` and `stream` tries them at the same time.
        max_viewers: who may watch at a time, connected or not yet; each costs 1 % of a core and a share of the uplink.
        ice_servers: none by default, so that no third party learns who is watching.
        turn: a TURN server whose credentials Belvedere makes for each visit; see docs/how-to/relay-video-with-turn.md.
        ivs: the stage of Amazon IVS, for the way `ivs`; see docs/how-to/watch-through-amazon-ivs.md.
        udp_ports: the ports from which the picture is sent, first and last, for a router or container that passes
            them on. Every viewer has one, so there must be at least `max_viewers`. "" for any that are free.
        announced_addresses: under which addresses those ports are reached from elsewhere: those of the router or of
            the container's host. A name is looked up every minute.
    """

    width: Annotated[int, msgspec.Meta(ge=160, le=3840, multiple_of=32)] = 1280
    height: Annotated[int, msgspec.Meta(ge=96, le=2160, multiple_of=2)] = 720
    fps: Annotated[int, msgspec.Meta(ge=1, le=60)] = 30
    bitrate_kbps: Annotated[int, msgspec.Meta(ge=100, le=20_000)] = 3000
    min_bitrate_kbps: Annotated[int, msgspec.Meta(ge=50, le=20_000)] = 250
    encoder: Literal["auto", "x264", "hardware"] = "auto"
    preset: Literal["auto", "ultrafast", "superfast", "veryfast", "faster"] = "auto"
    encoding_percent: Annotated[int, msgspec.Meta(ge=1, le=75)] = 14
    ways: Annotated[tuple[Way, ...], msgspec.Meta(min_length=1, max_length=3)] = (Way.DIRECT, Way.STREAM)
    max_viewers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 8
    ice_servers: Annotated[tuple[IceServer, ...], msgspec.Meta(max_length=8)] = ()
    turn: TurnOptions | None = None
    ivs: IvsOptions | None = None
    udp_ports: UdpPortRange = ""
    announced_addresses: Annotated[tuple[AnnouncedAddress, ...], msgspec.Meta(max_length=4)] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for ways that cannot be, and ports that are no range, or too few; msgspec adds the key."""
        if len(set(self.ways)) < len(self.ways):
            raise ValueError("ways names one way twice")
        if Way.IVS in self.ways and self.ivs is None:
            raise ValueError('ways has "ivs", which needs [stage.ivs]: `belvedere ivs setup` writes it')
        if not self.udp_ports:
            return
        ports = self.udp_port_range
        if not (ports and ports[0] >= MIN_PORT and ports[-1] <= MAX_PORT):
            raise ValueError(f"udp_ports must be a first and a last port from {MIN_PORT} to {MAX_PORT}")
        if len(ports) < self.max_viewers:
            raise ValueError(f"udp_ports has {len(ports)} ports, but max_viewers is {self.max_viewers}")

    @property
    def udp_port_range(self) -> range:
        """The ports of `udp_ports`; empty if any will do."""
        first, _, last = self.udp_ports.partition("-")
        return range(int(first), int(last) + 1) if last else range(0)


ANSWER_TIMEOUT_S = 8.0  # aioice waits up to 5 s for a STUN or TURN server that does not answer
SET_UPS_APART_S = 0.05  # for all viewers together; one set-up blocks the loop for 5 ms, and 20 on a small board
MAX_UNCONNECTED = 3  # for one visitor, who may open a few tabs at once
CONNECT_TIMEOUT_S = 15.0  # browsers abandon ICE after 15 s
CLOSE_TIMEOUT_S = 3.0  # closing sends one packet; a connection that hangs meanwhile is abandoned
OUTAGE_TIMEOUT_S = 30.0  # viewers without a picture are ended then; pages ask anew after 6 s
