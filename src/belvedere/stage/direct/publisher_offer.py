"""Reduces a publisher's SDP offer (WHIP) as `offer` does a viewer's: to one H.264 video that we receive. Pure.

aiortc knows only the baseline profiles. It does not decode what is published, so it is told that each profile is one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from belvedere.errors import StageError, StageReason
from belvedere.stage.direct.offer import MAX_OFFER_CHARS, Offer, read_offer

TURNED = {"a=sendonly": "a=recvonly", "a=recvonly": "a=sendonly"}
NOT_NEEDED = ("a=extmap:", "a=ssrc:", "a=ssrc-group:", "a=rid:", "a=simulcast:")
CODEC = re.compile(r"a=rtpmap:(?P<format>[0-9]{1,3}) (?P<codec>H264|rtx)/90000\s*", re.IGNORECASE)
FMTP = re.compile(r"a=fmtp:(?P<format>[0-9]{1,3}) (?P<parameters>.*)")
PROFILE = re.compile(r"(?<![a-z])profile-level-id=(?P<profile>(42|4d|64)[0-9a-f]{4})", re.IGNORECASE)
TOLD = "42e01f"  # the profile and level that aiortc is told


@dataclass(frozen=True, slots=True)
class PublisherOffer:
    """A publisher's offer, reduced.

    Attributes:
        video: SDP with the video section only, always `sendonly`.
    """

    video: str
    _offer: Offer
    _profile: str

    def complete(self, answer: str) -> str:
        """Make the answer to the whole offer from the answer to `video`."""
        told = f"profile-level-id={TOLD}"
        return self._offer.complete(answer).replace(told, f"profile-level-id={self._profile}")


def read_publisher_offer(text: str) -> PublisherOffer:
    """Check and reduce an offer.

    Raises StageError: BAD_OFFER if it is not an offer to send one video, NO_COMMON_CODEC if that is not H.264.
    """
    if len(text) > MAX_OFFER_CHARS:
        raise StageError(StageReason.BAD_OFFER, "the offer is too large")
    lines = text.splitlines()
    codecs = {found["format"]: found["codec"].upper() for line in lines if (found := CODEC.fullmatch(line))}
    chosen, profile = _chosen(lines, codecs)
    reduced = [TURNED.get(line, line) for line in lines if _is_needed(line, chosen, codecs)]
    told = f"a=fmtp:{chosen} packetization-mode=1;profile-level-id={TOLD}"
    reduced = [told if line.startswith(f"a=fmtp:{chosen} ") else line for line in reduced]
    offer = read_offer("\r\n".join(reduced) + "\r\n")
    return PublisherOffer(offer.video.replace("a=recvonly\r\n", "a=sendonly\r\n"), offer, profile)


def _is_needed(line: str, chosen: str, codecs: dict[str, str]) -> bool:
    if line.startswith(NOT_NEEDED):
        return False
    codec, parameters = CODEC.fullmatch(line), FMTP.fullmatch(line)
    if codec is not None:
        return codec["format"] == chosen
    return parameters is None or parameters["format"] == chosen or parameters["format"] not in codecs


def _chosen(lines: list[str], codecs: dict[str, str]) -> tuple[str, str]:
    """The payload type to receive, and its profile and level; the publisher's order is its preference."""
    for line in lines:
        found = FMTP.fullmatch(line)
        if found is None or codecs.get(found["format"]) != "H264":
            continue
        profile = PROFILE.search(found["parameters"])
        if profile is not None and re.search(r"packetization-mode=1\b", found["parameters"]):
            return found["format"], profile["profile"]
    h264 = [name for name, codec in codecs.items() if codec == "H264"]
    named = {found["format"] for found in map(FMTP.fullmatch, lines) if found is not None}
    plain = [name for name in h264 if name not in named]
    if not plain:
        raise StageError(StageReason.NO_COMMON_CODEC, "the offer has no H.264 of a profile that browsers show")
    return plain[0], TOLD
