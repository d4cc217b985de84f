"""What we accept of a viewer's SDP offer, before anything is built from it. Pure.

The rest of the parsing is aiortc's. Here an offer is bounded (each section costs sockets, each address is one that we
would send packets to), and rid of what would only cost time.
"""

from __future__ import annotations

import ipaddress
import re

from belvedere.errors import StageError, StageReason

MAX_OFFER_CHARS = 65_536  # browsers send 2,000 to 8,000
MAX_SECTIONS = 4  # a picture, two voices and a data channel
MAX_CANDIDATES = 16  # a laptop with every network on has fewer

H264 = re.compile(r"^a=rtpmap:\d+ H264/90000\s*$", re.MULTILINE | re.IGNORECASE)
CANDIDATE = re.compile(r"a=candidate:\S+ \d+ (?P<transport>\S+) \d+ (?P<address>\S+) \d+ typ ")


def read_offer(text: str) -> str:
    """The offer as it goes on to aiortc.

    Raises StageError: BAD_OFFER for what is no offer to watch, NO_COMMON_CODEC where the viewer takes no H.264.
    """
    if len(text) > MAX_OFFER_CHARS:
        raise StageError(StageReason.BAD_OFFER, "the offer is too large")
    lines = text.splitlines()
    if not lines or not lines[0].startswith("v=0"):
        raise StageError(StageReason.BAD_OFFER, "the offer is not SDP")
    sections = _sections(lines)
    if len(sections) > MAX_SECTIONS:
        raise StageError(StageReason.BAD_OFFER, f"the offer has more than {MAX_SECTIONS} media sections")
    videos = [section for section in sections if section[0].startswith("m=video ")]
    if len(videos) != 1:
        raise StageError(StageReason.BAD_OFFER, "the offer must have one video section")
    if "a=sendonly" in videos[0] or "a=inactive" in videos[0]:
        raise StageError(StageReason.BAD_OFFER, "the offer does not want to receive video")
    if not H264.search("\n".join(videos[0])):
        raise StageError(StageReason.NO_COMMON_CODEC, "the offer has no H.264")
    return "\r\n".join(_worth_knowing(lines)) + "\r\n"


def _sections(lines: list[str]) -> list[list[str]]:
    sections: list[list[str]] = []
    for line in lines:
        if line.startswith("m="):
            sections.append([])
        if sections:
            sections[-1].append(line)
    return sections


def _worth_knowing(lines: list[str]) -> list[str]:
    """Leave out the candidates that we cannot use, and the statement that there are no more.

    Names ending in .local take a second to look up, and the viewer's packets show us the address behind them sooner.
    For the same reason candidates are never complete: the address of a viewer behind a router is learned like that.
    """
    kept: list[str] = []
    candidates = 0
    for line in lines:
        if line.startswith("a=end-of-candidates"):
            continue
        if line.startswith("a=candidate:"):
            if candidates == MAX_CANDIDATES or not _is_usable(line):
                continue
            candidates += 1
        kept.append(line)
    return kept


def _is_usable(line: str) -> bool:
    found = CANDIDATE.match(line)
    if found is None or found["transport"].lower() != "udp":
        return False
    try:
        address = ipaddress.ip_address(found["address"])
    except ValueError:
        return False
    return not (address.is_multicast or address.is_unspecified or address.is_reserved)
