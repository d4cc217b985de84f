from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.processor_time import bounded_processor_time

from belvedere.errors import StageError, StageReason
from belvedere.stage.direct.offer import (
    MAX_CANDIDATE_LINES,
    MAX_CANDIDATES,
    MAX_LINES,
    MAX_OFFER_CHARS,
    MAX_SECTIONS,
    read_offer,
)

VIDEO = """\
m=video 9 UDP/TLS/RTP/SAVPF 96 97 98
c=IN IP4 0.0.0.0
a=candidate:1 1 udp 2113937151 192.0.2.7 43874 typ host generation 0
a=candidate:2 1 udp 2113937151 dc3f36d3-7fe8-437d-908e-371b46915a59.local 43874 typ host generation 0
a=candidate:3 1 tcp 2113937151 192.0.2.7 9 typ host tcptype active
a=candidate:4 1 udp 2113937151 224.0.0.1 43874 typ host
a=candidate:5 1 udp 2113937151 192.0.2.7 70000 typ host
a=candidate:6 2 udp 2113937151 192.0.2.7 43875 typ host
a=end-of-candidates
a=ice-ufrag:user
a=ice-pwd:password
a=fingerprint:sha-256 AA:BB
a=setup:actpass
a=mid:v
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:0 urn:nothing
a=extmap:256 urn:too:much
a=recvonly
a=rtcp-mux
a=rtpmap:96 VP8/90000
a=rtpmap:97 H264/90000
a=rtcp-fb:97 nack pli
a=fmtp:97 packetization-mode=1;profile-level-id=42e01f
a=rtpmap:98 rtx/90000
a=fmtp:98 apt=97
a=ssrc:1 cname:someone
""".replace("\n", "\r\n")
AUDIO = """\
m=audio 9 UDP/TLS/RTP/SAVPF 111 0
c=IN IP4 0.0.0.0
a=mid:a
a=sendrecv
a=rtpmap:111 opus/48000/2
""".replace("\n", "\r\n")
DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\na=sctp-port:5000\r\n"
SESSION = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE a v d\r\n"
OFFER = SESSION + VIDEO
ANSWER = "v=0\r\ns=-\r\na=group:BUNDLE v\r\nm=video 40000 UDP/TLS/RTP/SAVPF 97\r\na=sendonly\r\n"


def reason(text: str) -> StageReason:
    with pytest.raises(StageError) as caught:
        read_offer(text)
    return caught.value.reason


def candidates(text: str) -> list[str]:
    return [line for line in read_offer(text).video.splitlines() if "candidate" in line]


def test_an_offer_is_reduced_to_what_sending_needs() -> None:
    assert read_offer(OFFER).video.splitlines() == [
        "v=0",
        "o=- 0 0 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "m=video 9 UDP/TLS/RTP/SAVPF 97 98",
        "a=recvonly",
        "a=mid:v",
        "a=rtcp-mux",
        "a=ice-ufrag:user",
        "a=ice-pwd:password",
        "a=setup:actpass",
        "a=fingerprint:sha-256 AA:BB",
        "a=rtpmap:97 H264/90000",
        "a=fmtp:97 packetization-mode=1;profile-level-id=42e01f",
        "a=rtcp-fb:97 nack pli",
        "a=rtpmap:98 rtx/90000",
        "a=fmtp:98 apt=97",
        "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=candidate:1 1 udp 2113937151 192.0.2.7 43874 typ host generation 0",
    ]


@pytest.mark.parametrize("direction", ["a=sendrecv\r\n", ""])
def test_a_viewer_who_would_send_pictures_too_is_read_as_one_who_only_receives(direction: str) -> None:
    assert read_offer(OFFER.replace("a=recvonly\r\n", direction)) == read_offer(OFFER)


def test_audio_and_data_sections_are_refused_in_their_places_and_left_out_of_the_bundle() -> None:
    offer = read_offer(SESSION + AUDIO + VIDEO + DATA)
    assert offer.video == read_offer(OFFER).video
    assert offer.complete(ANSWER).splitlines() == [
        "v=0",
        "s=-",
        "a=group:BUNDLE v",
        "m=audio 0 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 0.0.0.0",
        "a=inactive",
        "a=mid:a",
        "m=video 40000 UDP/TLS/RTP/SAVPF 97",
        "a=sendonly",
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        "a=inactive",
        "a=mid:d",
    ]


def test_an_offer_without_a_bundle_gets_none() -> None:
    assert "BUNDLE" not in read_offer(OFFER.replace("a=group:BUNDLE a v d\r\n", "")).complete(ANSWER)
    assert read_offer(OFFER).complete(ANSWER) == ANSWER


def test_only_usable_candidates_are_kept_and_never_declared_complete() -> None:
    assert candidates(OFFER) == ["a=candidate:1 1 udp 2113937151 192.0.2.7 43874 typ host generation 0"]


def test_an_offer_cannot_name_more_addresses_than_a_viewer_has() -> None:
    many = [f"a=candidate:{n} 1 udp 1 198.51.100.{n} 4000 typ host" for n in range(200)]
    assert len(candidates(OFFER.replace("a=recvonly", "\r\n".join(["a=recvonly", *many])))) == MAX_CANDIDATES


def test_candidates_after_too_many_unusable_ones_are_ignored() -> None:
    unusable = "a=candidate:1 1 udp 1 somebody.invalid 4000 typ host\r\n"
    usable = "a=candidate:1 1 udp 1 198.51.100.1 4000 typ host\r\n"
    none = OFFER.replace("a=candidate", "a=x")
    assert len(candidates(none + unusable * (MAX_CANDIDATE_LINES - 1) + usable)) == 1
    assert candidates(none + unusable * MAX_CANDIDATE_LINES + usable) == []


@pytest.mark.parametrize(
    "text", ["", "hello", "{}", "v=0\r\n", OFFER.replace("m=video", "m=audio"), OFFER + VIDEO, OFFER + "m=\r\n"]
)
def test_what_is_not_an_offer_of_a_viewer_is_refused(text: str) -> None:
    assert reason(text) is StageReason.BAD_OFFER


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("recvonly", "sendonly"),
        ("recvonly", "inactive"),
        ("m=video 9", "m=video 0"),
        ("mid:v", f"mid:{'v' * 33}"),
        ("mid:v", "mid:\N{GREEK SMALL LETTER ALPHA}"),
    ],
)
def test_an_offer_that_a_picture_cannot_be_sent_for_is_refused(old: str, new: str) -> None:
    assert reason(OFFER.replace(old, new)) is StageReason.BAD_OFFER


def formats(*parameters: str) -> list[str]:
    """The formats kept of an offer of H.264 with these parameters, each with a retransmission format."""
    lines = []
    for number, each in enumerate(parameters, 100):
        lines += [f"a=rtpmap:{number} H264/90000", f"a=fmtp:{number} {each}", f"a=rtcp-fb:{number} ccm fir"]
        lines += [f"a=rtpmap:{number + 20} rtx/90000", f"a=fmtp:{number + 20} apt={number}"]
    text = OFFER.replace("H264", "AV1") + "\r\n".join(lines) + "\r\n"
    return next(line for line in read_offer(text).video.splitlines() if line.startswith("m=")).split()[3:]


def test_of_many_formats_those_that_we_send_are_kept_with_their_retransmission() -> None:
    chromium = (
        "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f",
        "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f",
        "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f",
    )
    assert formats(*chromium) == ["102", "122", "100", "120"], "the constrained profile, which is what we encode, first"
    safari = ("packetization-mode=1; profile-level-id=640c1f", "profile-level-id=42E01F; packetization-mode=1")
    assert formats(*safari) == ["101", "121"]
    assert formats("packetization-mode=1") == ["100", "120"]


OFFERED = ("42001f", "42e01f", "4d001f", "640c1f")
FMTP = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id="


@pytest.mark.parametrize(
    ("sent", "first", "answered"),
    [
        ("42c028", 101, ["42c028", "420028"]),
        ("4d0029", 102, ["4d0029", "420029"]),
        ("640020", 103, ["640020", "420020"]),
        ("4d801e", 101, ["4d801e", "42001e"]),  # Main with constraint_set0_flag is the constrained baseline profile
    ],
)
def test_the_answer_names_profile_and_level_of_what_is_sent(sent: str, first: int, answered: list[str]) -> None:
    lines = []
    for number, profile in enumerate(OFFERED, 100):
        lines += [f"a=rtpmap:{number} H264/90000", f"a=fmtp:{number} {FMTP}{profile}"]
    offer = read_offer(OFFER.replace("H264", "AV1") + "\r\n".join(lines) + "\r\n", sent)
    video = next(line for line in offer.video.splitlines() if line.startswith("m=")).split()
    assert video[3:] == [str(first), "100"]
    assert offer.video.count("profile-level-id=42") == 2, "aiortc knows no others"
    answer = f"v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF {first} 100\r\n"
    for number in (first, 100):
        answer += f"a=rtpmap:{number} H264/90000\r\na=fmtp:{number} {FMTP}42e01f\r\n"
    assert re.findall(r"a=fmtp:\d+ .*profile-level-id=(\w+)", offer.complete(answer)) == answered


def test_more_formats_than_browsers_tell_apart_are_left_out() -> None:
    assert len(formats(*["packetization-mode=1;profile-level-id=42e01f"] * 20)) == 4


def test_h264_without_a_packetization_mode_is_taken_where_there_is_none_with_ours() -> None:
    assert formats("profile-level-id=42e01f") == formats("") == ["100", "120"]
    firefox = ("profile-level-id=42e01f;packetization-mode=1", "profile-level-id=42e01f")
    assert formats(*firefox) == ["100", "120"]


@pytest.mark.parametrize(
    "parameters",
    [
        "packetization-mode=0",
        "packetization-mode=1;profile-level-id=42",
        "profile-level-id=640c1f",
        "profile-level-id=",
    ],
)
def test_h264_of_a_kind_that_we_do_not_send_is_no_common_codec(parameters: str) -> None:
    with pytest.raises(StageError) as caught:
        formats(parameters)
    assert caught.value.reason is StageReason.NO_COMMON_CODEC


def test_wildcard_feedback_counts_for_each_format_and_unsupported_feedback_is_dropped() -> None:
    text = OFFER.replace("a=rtcp-fb:97 nack pli", "a=rtcp-fb:* nack\r\na=rtcp-fb:* x\r\na=rtcp-fb:97 ccm fir")
    assert [line for line in read_offer(text).video.splitlines() if "-fb" in line] == ["a=rtcp-fb:97 nack"]


@pytest.mark.parametrize(("old", "new"), [("H264", "AV1"), ("97", "200")])
def test_a_viewer_without_h264_gets_no_common_codec(old: str, new: str) -> None:
    assert reason(OFFER.replace(old, new)) is StageReason.NO_COMMON_CODEC


def test_h264_of_another_section_does_not_count() -> None:
    assert reason(OFFER.replace("H264", "AV1") + DATA + "a=rtpmap:97 H264/90000\r\n") is StageReason.NO_COMMON_CODEC


def test_a_huge_offer_is_refused() -> None:
    assert reason(OFFER + "a=x\r\n" * (MAX_OFFER_CHARS // 4)) is StageReason.BAD_OFFER
    assert reason(OFFER + "a=x\r\n" * MAX_LINES) is StageReason.BAD_OFFER
    assert reason(OFFER + f"a={'x' * 1000}\r\n") is StageReason.BAD_OFFER


def test_an_offer_of_many_sections_is_refused() -> None:
    assert reason(OFFER + "m=audio 9 RTP/AVP 0\r\n" * MAX_SECTIONS) is StageReason.BAD_OFFER


HOSTILE = {
    "formats": [f"a=rtpmap:{n % 128} H264/90000" for n in range(400)],
    "parameters": [f"a=fmtp:97 {';' * 900}" for _ in range(20)],
    "feedback": ["a=rtcp-fb:* nack"] * 400,
    "formats with feedback": [
        line
        for n in range(32)
        for line in (
            f"a=rtpmap:{96 + n} H264/90000",
            f"a=fmtp:{96 + n} packetization-mode=1;profile-level-id=42e01f",
            *(f"a=rtcp-fb:{96 + n} {kind}" for kind in ("nack", "nack pli", "goog-remb", "ccm fir", "x", "y")),
        )
    ],
    "senders": [f"a=ssrc:{n} cname:x" for n in range(400)],
    "fingerprints": ["a=fingerprint:sha-256 AA"] * 400,
    "extensions": [f"a=extmap:{n % 255 + 1} urn:ietf:params:rtp-hdrext:sdes:mid" for n in range(400)],
    "candidates": [f"a=candidate:{n} 1 udp 1 198.51.{n % 256}.1 4000 typ host" for n in range(400)],
    "spaces": [f"a=rtpmap:97 H264/90000{' ' * 900}x"] * 20,
}
REDUCED_LINES = 60  # what an honest browser's is reduced to has 30 to 40


@pytest.mark.parametrize("name", HOSTILE)
def test_an_offer_full_of_one_thing_is_reduced_to_a_browsers_size(name: str) -> None:
    offer = OFFER + "\r\n".join(HOSTILE[name]) + "\r\n"
    with bounded_processor_time(0.1):
        reduced = read_offer(offer).video
    assert len(reduced.splitlines()) < REDUCED_LINES


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(StageError):
        assert read_offer("v=0\r\n" + text).video.startswith("v=0")


BUNDLE_ONLY = VIDEO.replace("m=video 9", "m=video 0").replace("a=rtcp-mux\r\n", "") + "a=bundle-only\r\n"
CARRIER = (
    AUDIO + "a=ice-ufrag:carrier\r\na=ice-pwd:secret\r\na=fingerprint:sha-256 CC\r\na=setup:actpass\r\na=rtcp-mux\r\n"
)
CARRIED_ANSWER = (
    "v=0\r\ns=-\r\na=group:BUNDLE v\r\nm=video 40000 UDP/TLS/RTP/SAVPF 97\r\nc=IN IP4 192.0.2.1\r\na=sendonly\r\n"
    "a=mid:v\r\na=rtcp-mux\r\na=candidate:1 1 udp 1 192.0.2.1 40000 typ host\r\na=ice-ufrag:ours\r\na=setup:active\r\n"
)


SHARED = VIDEO.replace("ice-ufrag:user", "ice-ufrag:carrier").replace("ice-pwd:password", "ice-pwd:secret")


@pytest.mark.parametrize("video", [BUNDLE_ONLY, SHARED])
def test_audio_that_carries_the_transport_of_a_bundled_video_is_accepted_but_inactive(video: str) -> None:
    offer = read_offer(SESSION + CARRIER + video)
    assert "a=ice-ufrag:carrier" in offer.video
    assert "a=ice-ufrag:user" not in offer.video
    assert "a=rtcp-mux\r\n" in offer.video
    assert offer.complete(CARRIED_ANSWER).split("\r\n")[2:14] == [
        "a=group:BUNDLE a v",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "a=inactive",
        "a=mid:a",
        "a=rtpmap:111 opus/48000/2",
        "c=IN IP4 192.0.2.1",
        "a=rtcp-mux",
        "a=candidate:1 1 udp 1 192.0.2.1 40000 typ host",
        "a=ice-ufrag:ours",
        "a=setup:active",
        "m=video 40000 UDP/TLS/RTP/SAVPF 97",
        "c=IN IP4 192.0.2.1",
    ]


def test_audio_with_a_transport_of_its_own_is_refused() -> None:
    answer = read_offer(SESSION + CARRIER + VIDEO).complete(CARRIED_ANSWER)
    assert "a=group:BUNDLE v\r\nm=audio 0 " in answer


@pytest.mark.parametrize(
    "sections",
    [DATA + BUNDLE_ONLY, CARRIER.replace("audio 9", "audio 0") + BUNDLE_ONLY, BUNDLE_ONLY, CARRIER + BUNDLE_ONLY[:-15]],
)
def test_a_video_without_a_transport_that_we_can_accept_is_refused(sections: str) -> None:
    with pytest.raises(StageError) as caught:
        read_offer(SESSION + sections)
    assert caught.value.reason is StageReason.BAD_OFFER


def test_exclusive_multiplexing_is_answered_with_the_same() -> None:
    both = "a=rtcp-mux\r\na=rtcp-mux-only\r\n"
    assert both in read_offer(OFFER.replace("a=rtcp-mux\r\n", both)).complete(CARRIED_ANSWER)
    assert "mux-only" not in read_offer(OFFER).complete(CARRIED_ANSWER)
