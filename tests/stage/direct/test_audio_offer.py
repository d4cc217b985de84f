from __future__ import annotations

import re

import pytest
from tests.stage.direct.test_offer import ANSWER, SESSION, VIDEO

from belvedere.stage.direct.audio_offer import read_audio
from belvedere.stage.direct.offer import read_offer

AUDIO = """\
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8
c=IN IP4 0.0.0.0
a=candidate:1 1 udp 2113937151 192.0.2.7 43874 typ host
a=ice-ufrag:other
a=ice-pwd:other
a=mid:a
a=extmap:14 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=rtpmap:9 G722/8000
""".replace("\n", "\r\n")
BUNDLE = SESSION.replace("BUNDLE a v d", "BUNDLE v a d")
SOUND = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=sendrecv\r\na=mid:a\r\na=rtpmap:111 opus/48000/2\r\n"


def lines(text: str) -> list[str]:
    return text.split("\r\n")[:-1]


def test_a_bundled_audio_section_is_reduced_to_opus_on_the_connection_of_the_video() -> None:
    offer = read_offer(BUNDLE + VIDEO + AUDIO, has_voice=True)
    session, _, rest = offer.video.partition("\r\nm=video")
    assert "a=group:BUNDLE v a" in lines(session + "\r\n")
    assert lines("m=audio" + rest.partition("m=audio")[2]) == [
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "a=sendrecv",
        "a=mid:a",
        "a=rtcp-mux",
        "a=ice-ufrag:user",
        "a=ice-pwd:password",
        "a=setup:actpass",
        "a=fingerprint:sha-256 AA:BB",
        "a=rtpmap:111 opus/48000/2",
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
    ]


@pytest.mark.parametrize("sections", ["video audio", "audio video"])
def test_both_are_answered_in_their_places_and_what_we_want_of_opus_is_said(sections: str) -> None:
    text = BUNDLE + "".join({"video": VIDEO, "audio": AUDIO}[name] for name in sections.split())
    answer = read_offer(text, has_voice=True).complete(ANSWER + SOUND)
    assert " ".join(re.findall(r"m=(\w+)", answer)) == sections
    assert "a=group:BUNDLE v a\r\n" in answer
    assert "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1;" in answer
    assert "m=video 40000 UDP/TLS/RTP/SAVPF 97\r\na=sendonly\r\n" in answer


@pytest.mark.parametrize("has_voice", [True, False])
def test_without_a_voice_or_with_what_cannot_carry_one_the_section_is_refused(*, has_voice: bool) -> None:
    audio = AUDIO if not has_voice else AUDIO.replace("opus/48000/2", "PCMU/8000")
    offer = read_offer(BUNDLE + VIDEO + audio, has_voice=has_voice)
    assert offer.audio is None
    assert "m=audio" not in offer.video
    answer = offer.complete(ANSWER)
    assert "m=audio 0 " in answer
    assert "a=group:BUNDLE v\r\n" in answer


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a=sendrecv", "a=inactive"),
        ("m=audio 9", "m=audio 0"),
        ("a=mid:a", "a=mid:x"),
        ("a=mid:a\r\n", ""),
        ("111 opus", "300 opus"),
        ("m=audio 9 UDP", "m=audio 9 udp"),
    ],
)
def test_audio_outside_of_the_bundle_closed_or_unreadable_is_not_accepted(old: str, new: str) -> None:
    assert read_audio(lines(AUDIO), ["v", "a"]) is not None
    assert read_audio(lines(AUDIO.replace(old, new, 1)), ["v", "a"]) is None


def test_audio_that_waits_for_the_bundle_is_accepted() -> None:
    section = lines(AUDIO.replace("m=audio 9", "m=audio 0") + "a=bundle-only\r\n")
    assert read_audio(section, ["v", "a"]) is not None


@pytest.mark.parametrize("direction", ["a=sendonly", "a=inactive"])
def test_sound_that_the_viewer_would_not_hear_is_not_accepted(direction: str) -> None:
    assert read_audio(lines(AUDIO.replace("a=sendrecv", direction)), ["v", "a"]) is None


@pytest.mark.parametrize("direction", ["a=sendrecv", "a=recvonly"])
def test_the_direction_is_kept(direction: str) -> None:
    found = read_audio(lines(AUDIO.replace("a=sendrecv", direction)), ["v", "a"])
    assert found is not None
    assert direction in found.reduced([])


def test_only_the_first_of_many_audio_sections_is_accepted() -> None:
    text = BUNDLE.replace("v a d", "v a b c") + VIDEO + AUDIO + AUDIO.replace("mid:a", "mid:b")
    offer = read_offer(text, has_voice=True)
    assert offer.video.count("m=audio") == 1
    assert offer.complete(ANSWER + SOUND).count("m=audio 0 ") == 1


def test_audio_that_carries_the_transport_stays_inactive() -> None:
    shared = VIDEO.replace("m=video 9", "m=video 0") + "a=bundle-only\r\n"
    offer = read_offer(SESSION + AUDIO + shared, has_voice=True)
    assert offer.audio is None
    assert "a=inactive" in offer.complete(ANSWER)
