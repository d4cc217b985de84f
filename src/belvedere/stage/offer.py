"""What we accept of a viewer's SDP offer, before anything is built from it. Pure.

aiortc parses in time that grows with the square of the lines, and builds a receiver, a decoder or a data channel for
whatever is offered. So it is given the picture's section only, reduced to the lines that sending needs. All other
sections are refused with port 0 (RFC 3264, section 6), and left out of the answer's BUNDLE group.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from belvedere.errors import StageError, StageReason

MAX_OFFER_CHARS = 65_536  # browsers send 2,000 to 8,000
MAX_LINES = 1_000  # browsers send 100 to 300
MAX_LINE_CHARS = 1_000  # browsers send up to 200
MAX_SECTIONS = 4  # a picture, two voices and a data channel
MAX_CANDIDATES = 16  # a laptop with every network on has fewer
MAX_FORMATS = 32  # Chromium offers eight of H.264, and as many to send them again
MAX_FEEDBACKS = 8  # for one format; Chromium offers six
MAX_FINGERPRINTS = 4
MAX_EXTENSIONS = 32
MAX_PAYLOAD_TYPE = 127
MAX_EXTENSION_ID = 255
MAX_PORT = 65_535

MEDIA = re.compile(
    r"m=(?P<kind>[a-z]{1,16}) (?P<port>[0-9]{1,5}) (?P<protocol>[A-Z/]{1,32}) (?P<format>\S{1,64})( .*)?"
)
MID = re.compile(r"[\x21-\x7e]{1,32}")  # it is sent with every packet
RTPMAP = re.compile(r"a=rtpmap:(?P<format>[0-9]{1,3}) (?P<codec>H264|rtx)/90000\s*", re.IGNORECASE)
FMTP = re.compile(r"a=fmtp:(?P<format>[0-9]{1,3}) (?P<parameters>.*)")
FEEDBACK = re.compile(r"a=rtcp-fb:(?P<format>[0-9]{1,3}|\*) (?P<kind>.*)")
EXTENSION = re.compile(r"a=extmap:(?P<id>[0-9]{1,3})(/[a-z]+)? \S+")
CANDIDATE = re.compile(
    r"a=candidate:\S+ 1 (?P<transport>\S+) [0-9]{1,10} (?P<address>\S+) (?P<port>[0-9]{1,5}) typ (host|srflx|relay)\b.*"
)
TRANSPORT = ("a=ice-ufrag:", "a=ice-pwd:", "a=ice-lite", "a=setup:")


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer to watch.

    Attributes:
        video: SDP with the picture's section and nothing else, `recvonly` whatever was offered.
    """

    video: str
    _refused: tuple[str | None, ...]  # the other sections as they are answered, in order; None in the picture's place
    _is_bundled: bool

    def complete(self, answer: str) -> str:
        """The answer to the whole offer, made from the answer to `video`."""
        session, _, picture = answer.partition("\r\nm=")
        lines = session.split("\r\n")
        if not self._is_bundled:
            lines = [line for line in lines if not line.startswith("a=group:")]
        sections = [f"m={picture}" if refused is None else refused for refused in self._refused]
        return "\r\n".join(lines) + "\r\n" + "".join(sections)


def read_offer(text: str) -> Offer:
    """What an offer comes to.

    Raises StageError: BAD_OFFER for what is no offer to watch, NO_COMMON_CODEC where the viewer takes no H.264.
    """
    session, sections = _sections(_lines(text))
    videos = [section for section in sections if section[0].startswith("m=video ")]
    if len(videos) != 1:
        raise _bad("the offer must have one video section")
    video = videos[0]
    groups = [line.split()[1:] for line in session if line.startswith("a=group:BUNDLE ")]
    reduced = [
        *("v=0", "o=- 0 0 IN IP4 0.0.0.0", "s=-", "t=0 0"),
        *_transport(session),
        *_picture(video),
        *_candidates(video),
    ]
    return Offer(
        "\r\n".join(reduced) + "\r\n",
        tuple(None if section is video else _refusal(section) for section in sections),
        any(_value(video, "a=mid:") in group for group in groups),
    )


def _bad(why: str) -> StageError:
    return StageError(StageReason.BAD_OFFER, why)


def _lines(text: str) -> list[str]:
    if len(text) > MAX_OFFER_CHARS:
        raise _bad("the offer is too large")
    lines = text.splitlines()
    if not lines or not lines[0].startswith("v=0"):
        raise _bad("the offer is not SDP")
    if len(lines) > MAX_LINES or max(map(len, lines)) > MAX_LINE_CHARS:
        raise _bad(f"the offer has more than {MAX_LINES} lines, or one of more than {MAX_LINE_CHARS} characters")
    return lines


def _sections(lines: list[str]) -> tuple[list[str], list[list[str]]]:
    session: list[str] = []
    sections: list[list[str]] = []
    for line in lines:
        if line.startswith("m="):
            sections.append([])
        (sections[-1] if sections else session).append(line)
    if len(sections) > MAX_SECTIONS:
        raise _bad(f"the offer has more than {MAX_SECTIONS} media sections")
    return session, sections


def _value(lines: list[str], prefix: str) -> str:
    return next((line.removeprefix(prefix).strip() for line in lines if line.startswith(prefix)), "")


def _refusal(section: list[str]) -> str:
    """The answer's section for one that we do not take."""
    found, mid = MEDIA.fullmatch(section[0]), _value(section, "a=mid:")
    if found is None or not (mid == "" or MID.fullmatch(mid)):
        raise _bad("a media section of the offer cannot be read")
    lines = [f"m={found['kind']} 0 {found['protocol']} {found['format']}", "c=IN IP4 0.0.0.0", "a=inactive"]
    return "\r\n".join([*lines, *([f"a=mid:{mid}"] if mid else [])]) + "\r\n"


def _transport(lines: list[str]) -> list[str]:
    """How the viewer is reached, and known again once reached."""
    last = {prefix: line for line in lines for prefix in TRANSPORT if line.startswith(prefix)}
    fingerprints = [line for line in lines if line.startswith("a=fingerprint:")]
    return [*last.values(), *fingerprints[:MAX_FINGERPRINTS]]


def _picture(video: list[str]) -> list[str]:
    found, mid = MEDIA.fullmatch(video[0]), _value(video, "a=mid:")
    if found is None or not (mid == "" or MID.fullmatch(mid)):
        raise _bad("the offer's video section cannot be read")
    if "a=sendonly" in video or "a=inactive" in video:
        raise _bad("the offer does not want to receive video")
    if int(found["port"]) == 0:  # Chromium lets nobody refuse what everything else is bundled with (RFC 9143, 7.3.3)
        raise _bad("the offer's video section is closed, or bundled with one before it: video has to come first")
    formats = _formats(video)
    return [
        f"m=video 9 {found['protocol']} {' '.join(formats)}",
        "a=recvonly",
        *(f"a=mid:{name}" for name in (mid,) if name),
        *(line for line in ("a=rtcp-mux",) if line in video),
        *_transport(video),
        *(line for lines in formats.values() for line in lines),
        *_extensions(video),
    ]


def _formats(video: list[str]) -> dict[str, list[str]]:
    """The lines about each format that we could send: H.264, and what repeats it. Raises StageError."""
    codecs: dict[str, tuple[str, str]] = {}
    for found in filter(None, map(RTPMAP.fullmatch, video)):
        if int(found["format"]) <= MAX_PAYLOAD_TYPE:
            codecs.setdefault(found["format"], (found["codec"].lower(), found[0]))
    parameters = {found["format"]: found for found in filter(None, map(FMTP.fullmatch, reversed(video)))}
    feedback = [found for found in map(FEEDBACK.fullmatch, video) if found is not None][: MAX_FORMATS * MAX_FEEDBACKS]
    h264 = {name for name, (codec, _) in codecs.items() if codec == "h264"}
    formats: dict[str, list[str]] = {}
    for name, (codec, line) in codecs.items():
        about = parameters.get(name)
        is_wanted = codec == "h264" or (about is not None and _repeated(about["parameters"]) in h264)
        if is_wanted and len(formats) < MAX_FORMATS:
            formats[name] = [line, *([about[0]] if about else []), *_feedback(feedback, name)]
    if h264.isdisjoint(formats):
        raise StageError(StageReason.NO_COMMON_CODEC, "the offer has no H.264")
    return formats


def _repeated(parameters: str) -> str:
    """Which format is sent again in a format with these parameters (RFC 4588, section 8)."""
    named = (parameter.strip().partition("=") for parameter in parameters.split(";"))
    return next((value for name, _, value in named if name == "apt"), "")


def _feedback(offered: list[re.Match[str]], name: str) -> list[str]:
    kinds = [found["kind"] for found in offered if found["format"] in {name, "*"}]
    return [f"a=rtcp-fb:{name} {kind}" for kind in kinds[:MAX_FEEDBACKS]]


def _extensions(video: list[str]) -> list[str]:
    found = [match for match in map(EXTENSION.fullmatch, video) if match is not None]
    return [match[0] for match in found if 0 < int(match["id"]) <= MAX_EXTENSION_ID][:MAX_EXTENSIONS]


def _candidates(video: list[str]) -> list[str]:
    """The viewer's addresses that we can use, and never the statement that these are all.

    Names ending in .local take a second to look up, and the viewer's packets show us the address behind them sooner.
    For the same reason candidates are never complete: the address of a viewer behind a router is learned like that.
    """
    return [line for line in video if line.startswith("a=candidate:") and _is_usable(line)][:MAX_CANDIDATES]


def _is_usable(line: str) -> bool:
    found = CANDIDATE.fullmatch(line)
    if found is None or found["transport"].lower() != "udp" or not 0 < int(found["port"]) <= MAX_PORT:
        return False
    try:
        address = ipaddress.ip_address(found["address"])
    except ValueError:
        return False
    return not (address.is_multicast or address.is_unspecified or address.is_reserved)
