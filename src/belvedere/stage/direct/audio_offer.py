"""Reduces the audio section of a viewer's offer to what a voice needs: Opus, bundled with the video. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

OPUS = re.compile(r"a=rtpmap:(?P<format>[0-9]{1,3}) opus/48000/2\s*", re.IGNORECASE)
MEDIA = re.compile(r"m=audio (?P<port>[0-9]{1,5}) (?P<protocol>[A-Z/]{1,32}) [0-9 ]{1,200}")
MID = re.compile(r"[\x21-\x7e]{1,32}")
MID_EXTENSION = re.compile(r"a=extmap:(?P<id>[0-9]{1,2})(/[a-z]+)? urn:ietf:params:rtp-hdrext:sdes:mid\s*")
DIRECTIONS = ("a=sendrecv", "a=recvonly")  # of the viewer; whoever only sends would count as one who hears the room
REFUSED = frozenset({"a=sendonly", "a=inactive"})
MAX_PAYLOAD_TYPE = 127
# One channel, with a copy of each packet in the next, and no gaps in silence, which would sound like a lost line.
WANTED = "minptime=10;useinbandfec=1;usedtx=0;stereo=0;sprop-stereo=0;maxaveragebitrate=32000"


@dataclass(frozen=True, slots=True)
class AudioOffer:
    """An audio section that can be accepted.

    Attributes:
        mid: its name in the bundle.
        payload_type: that of Opus.
    """

    mid: str
    payload_type: int
    _protocol: str
    _direction: str
    _extension: str

    def reduced(self, transport: list[str]) -> list[str]:
        """The section without what is not needed, with the transport of the video, whose connection it shares."""
        return [
            f"m=audio 9 {self._protocol} {self.payload_type}",
            self._direction,
            f"a=mid:{self.mid}",
            "a=rtcp-mux",
            *transport,
            f"a=rtpmap:{self.payload_type} opus/48000/2",
            *([self._extension] if self._extension else []),
        ]

    def answered(self, section: str) -> str:
        """The answer to it, with what we want of Opus."""
        named = f"a=rtpmap:{self.payload_type} opus/48000/2\r\n"
        return section.replace(named, f"{named}a=fmtp:{self.payload_type} {WANTED}\r\n", 1)


def read_audio(section: list[str], group: list[str]) -> AudioOffer | None:
    """What a voice needs of an audio section; None for one that has to be refused.

    `group` are the names of the bundle that the video is in.
    """
    media = MEDIA.fullmatch(section[0])
    mid = next((line.removeprefix("a=mid:").strip() for line in section if line.startswith("a=mid:")), "")
    direction = next((line for line in section if line in DIRECTIONS), "a=sendrecv")
    formats = (int(found["format"]) for found in filter(None, map(OPUS.fullmatch, section)))
    payload_type = next((each for each in formats if each <= MAX_PAYLOAD_TYPE), None)
    if (
        media is None
        or payload_type is None
        or not MID.fullmatch(mid)
        or mid not in group
        or REFUSED.intersection(section)
    ):
        return None
    if media["port"] == "0" and "a=bundle-only" not in section:
        return None
    return AudioOffer(mid, payload_type, media["protocol"], direction, _extension(section))


def _extension(section: list[str]) -> str:
    """The line that names the extension for the mid, if packets may have it."""
    found = next(filter(None, map(MID_EXTENSION.fullmatch, section)), None)
    return "" if found is None or found["id"] == "0" else f"a=extmap:{found['id']} urn:ietf:params:rtp-hdrext:sdes:mid"
