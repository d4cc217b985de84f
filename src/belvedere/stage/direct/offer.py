"""Reduces a viewer's SDP offer to what we accept, before aiortc sees it. Pure.

aiortc's parser takes time that grows with the square of the number of lines, and creates a receiver, a decoder or a
data channel for each section. So aiortc gets only the video section, reduced to the lines that sending needs, and the
first audio section bundled with it where there is a voice (`audio_offer`). The answer refuses all other sections with
port 0 (RFC 3264, section 6), and omits them from its BUNDLE group. Only an audio section that carries the transport of
a bundled video cannot be refused (RFC 9143, section 7.3.3): it is `inactive`.
"""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import islice

from belvedere.errors import StageError, StageReason
from belvedere.stage.direct.audio_offer import AudioOffer, read_audio

MAX_OFFER_CHARS = 24 * 1024  # browsers send 2,000 to 8,000
MAX_LINES = 500  # browsers send 100 to 300
MAX_LINE_CHARS = 1_000  # browsers send up to 200
MAX_SECTIONS = 4  # video, audio both ways and a data channel
MAX_CANDIDATES = 16  # more than a laptop with all its networks on has
MAX_CANDIDATE_LINES = 64  # with host names, TCP and second components, which are left out
MAX_H264 = 2  # Chromium and Firefox offer the baseline profile twice, constrained and not
MODES = ("1", None)  # of packetization: players that name none at all, such as GStreamer's, can read mode 1 too
MAX_FINGERPRINTS = 4
MAX_PAYLOAD_TYPE = 127
MAX_EXTENSION_ID = 255
MAX_PORT = 65_535
FEEDBACK = ("nack", "nack pli", "goog-remb")  # this and EXTENSIONS are what an answer can accept
EXTENSIONS = (
    "urn:ietf:params:rtp-hdrext:sdes:mid",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
)

MEDIA = re.compile(
    r"m=(?P<kind>[a-z]{1,16}) (?P<port>[0-9]{1,5}) (?P<protocol>[A-Z/]{1,32}) (?P<format>\S{1,64})( .*)?"
)
PROFILE = re.compile(r"(42|4d|64)[0-9a-f]{4}", re.IGNORECASE)  # Baseline, Main or High (RFC 6184, section 8.1)
CONSTRAINED_BASELINE = "42e01f"  # what an offer means that does not say, and what aiortc is told
ANSWERED_PROFILE = re.compile(r"(?<=\na=fmtp:)(?P<format>[0-9]+)(?P<others> .*?profile-level-id=)[0-9a-f]{6}")
MID = re.compile(r"[\x21-\x7e]{1,32}")  # sent in every packet, so keep it short
RTPMAP = re.compile(r"(?P<format>[0-9]{1,3}) (?P<codec>H264|rtx)/90000\s*", re.IGNORECASE)
FMTP = re.compile(r"(?P<format>[0-9]{1,3}) (?P<parameters>.*)")
RTCP_FB = re.compile(r"(?P<format>[0-9]{1,3}|\*) (?P<kind>.*)")
EXTMAP = re.compile(r"(?P<id>[0-9]{1,3})(/[a-z]+)? (?P<uri>\S+)")
CANDIDATE = re.compile(
    r"a=candidate:\S+ 1 (?P<transport>\S+) [0-9]{1,10} (?P<address>\S+) (?P<port>[0-9]{1,5}) typ (host|srflx|relay)\b.*"
)
RTPMAP_OF_ANY = re.compile(r"(?P<format>[0-9]{1,3}) [A-Za-z0-9.-]{1,32}/[0-9]{1,6}(/[0-9]{1,2})?")
TRANSPORT = ("a=ice-ufrag:", "a=ice-pwd:", "a=ice-lite", "a=setup:")
CARRIED = ("c=", "a=candidate:", "a=end-of-candidates", "a=ice-", "a=fingerprint:", "a=setup:", "a=rtcp-mux")


@dataclass(frozen=True, slots=True)
class Offer:
    """A viewer's offer, reduced.

    Attributes:
        video: SDP with the video section, always `recvonly`, and the audio section, if that is accepted.
        audio: what is accepted of the audio.
    """

    video: str
    audio: AudioOffer | None
    _others: tuple[str | None, ...]  # the answers to the other sections, in order; None for what aiortc answers
    _bundle: str  # the mids in the answer's BUNDLE group; "" without one
    _carrier: int | None  # which section has the transport, if it is not the video
    _is_mux_only: bool
    _profiles: dict[str, str]  # by payload type, the profile-level-id of what is sent
    _is_video_first: bool

    def complete(self, answer: str) -> str:
        """Make the answer to the whole offer from the answer to `video`."""
        session, picture, *more = answer.split("\r\nm=")
        picture += "\r\n" if more else ""
        picture = ANSWERED_PROFILE.sub(self._profile_sent, picture)
        lines = [line for line in session.split("\r\n") if not line.startswith("a=group:")]
        if self._bundle:
            lines.append(f"a=group:BUNDLE {self._bundle}")
        if self._is_mux_only:  # the answer to it is the same (RFC 9143, section 9.3.1.2)
            picture = picture.replace("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=rtcp-mux-only\r\n", 1)
        answers = iter(self._in_order(f"m={picture}", more))
        sections = [next(answers) if other is None else other for other in self._others]
        if self._carrier is not None:
            carried = [line for line in picture.split("\r\n") if line.startswith(CARRIED)]
            sections[self._carrier] += "\r\n".join(carried) + "\r\n"
        return "\r\n".join(lines) + "\r\n" + "".join(sections)

    def _in_order(self, picture: str, more: list[str]) -> list[str]:
        """The answers to video and audio, in the order of the offer."""
        if self.audio is None or not more:
            return [picture]
        sound = self.audio.answered(f"m={more[0]}")
        return [picture, sound] if self._is_video_first else [sound, picture]

    def _profile_sent(self, found: re.Match[str]) -> str:
        return f"{found['format']}{found['others']}{self._profiles.get(found['format'], CONSTRAINED_BASELINE)}"


def read_offer(text: str, sent: str = CONSTRAINED_BASELINE, *, has_voice: bool = False) -> Offer:
    """Check and reduce an offer to receive H.264 with the profile-level-id `sent`, and sound if there is a voice.

    A payload type of the same profile is preferred. The baseline profile is accepted for all: players that decode the
    others do not always offer them, and go by the stream.

    Raises StageError: BAD_OFFER if it is not an offer to receive one video, NO_COMMON_CODEC if the viewer has no H.264.
    """
    session, sections = _sections(_lines(text))
    videos = [section for section in sections if section[0].startswith("m=video ")]
    if len(videos) != 1:
        raise _bad("the offer must have one video section")
    video, mid = videos[0], _value(videos[0], "a=mid:")
    groups = [line.split()[1:] for line in session if line.startswith("a=group:BUNDLE ")]
    group = next((group for group in groups if mid in group), [])
    carrier = _carrier(video, group, sections)
    sound = None if carrier or not has_voice else _first_audio(sections)
    audio = None if sound is None else read_audio(sound, group)
    accepted = [video] if audio is None else [video, sound]
    about = _attributes(video)
    profiles = _profiles(about, sent)
    reduced = [
        *("v=0", "o=- 0 0 IN IP4 0.0.0.0", "s=-", "t=0 0"),
        *([f"a=group:BUNDLE {mid} {audio.mid}"] if audio else []),
        *_transport(session),
        *_picture(video, carrier or video, _formats(about, profiles)),
        *_candidates(carrier or video),
        *(audio.reduced(_transport(video)) if audio else []),
    ]
    return Offer(
        "\r\n".join(reduced) + "\r\n",
        audio,
        tuple(
            None if section in accepted else _carrying(section) if section is carrier else _refusal(section)
            for section in sections
        ),
        " ".join([group[0], mid] if carrier else [mid, *([audio.mid] if audio else [])] if group else []),
        sections.index(carrier) if carrier else None,
        {"a=rtcp-mux", "a=rtcp-mux-only"} <= set(carrier or video),
        {name: sent if _kind(own) == _kind(sent) else own[:4] + sent[4:] for name, own in profiles.items()},
        sound is None or sections.index(video) < sections.index(sound),
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


def _first_audio(sections: list[list[str]]) -> list[str] | None:
    return next((section for section in sections if section[0].startswith("m=audio ")), None)


def _value(lines: list[str], prefix: str) -> str:
    return next((line.removeprefix(prefix).strip() for line in lines if line.startswith(prefix)), "")


def _refusal(section: list[str]) -> str:
    """The answer to a section that we refuse."""
    found, mid = MEDIA.fullmatch(section[0]), _value(section, "a=mid:")
    if found is None or not (mid == "" or MID.fullmatch(mid)):
        raise _bad("a media section of the offer cannot be read")
    lines = [f"m={found['kind']} 0 {found['protocol']} {found['format']}", "c=IN IP4 0.0.0.0", "a=inactive"]
    return "\r\n".join([*lines, *([f"a=mid:{mid}"] if mid else [])]) + "\r\n"


def _carrier(video: list[str], group: list[str], sections: list[list[str]]) -> list[str] | None:
    """The audio section that has the transport of a bundled video: the first, if they share it.

    Raises StageError (BAD_OFFER) where the video is closed, or has no transport but that of what we cannot accept.
    """
    first = next((section for section in sections if group and _value(section, "a=mid:") == group[0]), video)
    is_open_audio = first[0].startswith("m=audio ") and not first[0].startswith("m=audio 0 ")
    if video[0].startswith("m=video 0 "):
        if "a=bundle-only" not in video or not is_open_audio:
            raise _bad("the offer's video section is closed, or bundled with one that is not audio: put video first")
        return first
    is_shared = _value(first, "a=ice-ufrag:") == _value(video, "a=ice-ufrag:")
    return first if is_open_audio and is_shared else None


def _carrying(section: list[str]) -> str:
    """The answer to the section that has the transport, which `complete` adds."""
    found, mid = MEDIA.fullmatch(section[0]), _value(section, "a=mid:")
    if found is None or MID.fullmatch(mid) is None:
        raise _bad("the offer's audio section cannot be read")
    named = filter(None, map(RTPMAP_OF_ANY.fullmatch, _attributes(section)["a=rtpmap"]))
    codec = next((f"a=rtpmap:{each[0]}" for each in named if each["format"] == found["format"]), None)
    lines = [
        f"m=audio 9 {found['protocol']} {found['format']}",
        "a=inactive",
        f"a=mid:{mid}",
        *([codec] if codec else []),
    ]
    return "\r\n".join(lines) + "\r\n"


def _transport(lines: list[str]) -> list[str]:
    """The lines about ICE and DTLS: of each attribute the last line, and the first few fingerprints."""
    last = {prefix: line for line in lines for prefix in TRANSPORT if line.startswith(prefix)}
    fingerprints = [line for line in lines if line.startswith("a=fingerprint:")]
    return [*last.values(), *fingerprints[:MAX_FINGERPRINTS]]


def _picture(video: list[str], carrier: list[str], formats: dict[str, list[str]]) -> list[str]:
    """The reduced video section, with the transport of `carrier`. Raises StageError."""
    found, mid = MEDIA.fullmatch(video[0]), _value(video, "a=mid:")
    if found is None or not (mid == "" or MID.fullmatch(mid)):
        raise _bad("the offer's video section cannot be read")
    if "a=sendonly" in video or "a=inactive" in video:
        raise _bad("the offer does not want to receive video")
    return [
        f"m=video 9 {found['protocol']} {' '.join(formats)}",
        "a=recvonly",
        *(f"a=mid:{name}" for name in (mid,) if name),
        *(line for line in ("a=rtcp-mux",) if line in carrier),
        *_transport(carrier),
        *(line for lines in formats.values() for line in lines),
        *_extensions(_attributes(video)["a=extmap"]),
    ]


def _attributes(section: list[str]) -> defaultdict[str, list[str]]:
    """The values of each attribute by name, so that every line is scanned only once."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, _, value in (line.partition(":") for line in section):
        found[name].append(value)
    return found


def _codecs(about: defaultdict[str, list[str]]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Codec and format parameters of each payload type that we may use, also for retransmission."""
    codecs: dict[str, str] = {}
    for found in filter(None, map(RTPMAP.fullmatch, about["a=rtpmap"])):
        if int(found["format"]) <= MAX_PAYLOAD_TYPE:
            codecs.setdefault(found["format"], found["codec"].lower())
    texts: dict[str, str] = {}
    for found in filter(None, map(FMTP.fullmatch, about["a=fmtp"])):
        texts.setdefault(found["format"], found["parameters"])
    return codecs, {name: _parameters(texts.get(name, "")) for name in codecs}


def _profiles(about: defaultdict[str, list[str]], sent: str) -> dict[str, str]:
    """The offered profile-level-id of each payload type for H.264 that we use, the best first. Raises StageError."""
    codecs, parameters = _codecs(about)
    h264 = [name for name in codecs if codecs[name] == "h264"]
    by_mode = ({name: profile for name in h264 if (profile := _profile(parameters[name], mode))} for mode in MODES)
    offered = next(filter(None, by_mode), {})
    same = [name for name in offered if _kind(offered[name]) == _kind(sent)]
    others = [name for name in offered if name not in same and offered[name].startswith("42")]
    if not same and not others:
        raise StageError(StageReason.NO_COMMON_CODEC, "the offer has no H.264 of the baseline profile")
    return {name: offered[name] for name in [*same, *others][:MAX_H264]}


def _formats(about: defaultdict[str, list[str]], profiles: dict[str, str]) -> dict[str, list[str]]:
    """The lines about each payload type that we may use, and what repeats it."""
    codecs, parameters = _codecs(about)
    again = {parameters[name].get("apt"): name for name, codec in codecs.items() if codec == "rtx"}
    offered = {(found["format"], found["kind"]) for found in filter(None, map(RTCP_FB.fullmatch, about["a=rtcp-fb"]))}
    formats: dict[str, list[str]] = {}
    for name, profile in profiles.items():
        known = profile if profile.startswith("42") else CONSTRAINED_BASELINE  # aiortc has no others
        formats[name] = [
            f"a=rtpmap:{name} H264/90000",
            f"a=fmtp:{name} packetization-mode=1;profile-level-id={known}",
            *(f"a=rtcp-fb:{name} {kind}" for kind in FEEDBACK if not offered.isdisjoint({(name, kind), ("*", kind)})),
        ]
        if repeated := again.get(name):  # RFC 4588, section 8
            formats[repeated] = [f"a=rtpmap:{repeated} rtx/90000", f"a=fmtp:{repeated} apt={name}"]
    return formats


def _parameters(text: str) -> dict[str, str]:
    named = (parameter.strip().partition("=") for parameter in text.split(";"))
    return {name: value for name, _, value in named}


def _profile(parameters: dict[str, str], mode: str | None) -> str:
    """The profile-level-id of H.264 with these parameters, or "" if it is of another mode or a profile not ours."""
    profile = parameters.get("profile-level-id", CONSTRAINED_BASELINE)
    is_ours = parameters.get("packetization-mode") == mode and PROFILE.fullmatch(profile) is not None
    return profile.lower() if is_ours else ""


def _kind(profile_level_id: str) -> str:
    """What two streams of the same profile have in common (RFC 6184, table 5)."""
    profile, constraints = profile_level_id[:2], int(profile_level_id[2:4], 16)
    is_constrained = (profile == "42" and constraints & 0x40) or (profile == "4d" and constraints & 0x80)
    return "constrained baseline" if is_constrained else profile


def _extensions(values: list[str]) -> list[str]:
    """The header extensions that our packets may have, once each."""
    known = {
        found["uri"]: f"a=extmap:{found[0]}"
        for found in filter(None, map(EXTMAP.fullmatch, values))
        if found["uri"] in EXTENSIONS and 0 < int(found["id"]) <= MAX_EXTENSION_ID
    }
    return list(known.values())


def _candidates(video: list[str]) -> list[str]:
    """The viewer's candidates that we can use, without `end-of-candidates`.

    Names that end in .local are left out: looking one up takes a second, and the viewer's packets show its address
    sooner. The list is never declared complete, because that is also how a viewer behind a router is found.
    """
    named = islice((line for line in video if line.startswith("a=candidate:")), MAX_CANDIDATE_LINES)
    return list(islice(filter(_is_usable, named), MAX_CANDIDATES))


def _is_usable(line: str) -> bool:
    found = CANDIDATE.fullmatch(line)
    if found is None or found["transport"].lower() != "udp" or not 0 < int(found["port"]) <= MAX_PORT:
        return False
    try:
        address = ipaddress.ip_address(found["address"])
    except ValueError:
        return False
    return not (address.is_multicast or address.is_unspecified or address.is_reserved)
