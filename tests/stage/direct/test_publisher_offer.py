"""A publisher's offer is reduced to one video that we receive; the answer names the profile that was offered."""

from __future__ import annotations

import pytest

from belvedere.errors import StageError, StageReason
from belvedere.stage.direct.offer import MAX_OFFER_CHARS
from belvedere.stage.direct.publisher_offer import read_publisher_offer

TRANSPORT = "a=ice-ufrag:user\r\na=ice-pwd:password\r\na=fingerprint:sha-256 AA:BB\r\na=setup:actpass\r\na=rtcp-mux\r\n"
SESSION = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
AUDIO = f"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=sendonly\r\n{TRANSPORT}a=rtpmap:111 opus/48000/2\r\n"


def video(*formats: str) -> str:
    lines = [f"m=video 9 UDP/TLS/RTP/SAVPF {' '.join(str(96 + number) for number in range(len(formats)))}"]
    for number, parameters in enumerate(formats):
        lines.append(f"a=rtpmap:{96 + number} H264/90000")
        if parameters:
            lines.append(f"a=fmtp:{96 + number} {parameters}")
    others = ["a=mid:1", "a=sendonly", "a=ssrc:7 cname:x", "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid"]
    repeated = ["a=rtpmap:120 rtx/90000", "a=fmtp:120 apt=96"]
    return "\r\n".join([*lines, *others, *repeated]) + "\r\n" + TRANSPORT


OBS = "profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1"
HIGH = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640c34"
ANSWER = (
    "v=0\r\ns=-\r\na=group:BUNDLE 1\r\nm=video 40000 UDP/TLS/RTP/SAVPF 96\r\na=recvonly\r\na=mid:1\r\n"
    "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\n"
)


@pytest.mark.parametrize("direction", ["a=sendonly\r\n", "a=sendrecv\r\n", ""])
def test_an_offer_is_reduced_to_one_h264_that_is_sent(direction: str) -> None:
    reduced = read_publisher_offer(SESSION + AUDIO + video(OBS, HIGH).replace("a=sendonly\r\n", direction)).video
    assert "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=sendonly\r\n" in reduced
    assert reduced.count("a=rtpmap:") == 1
    for unwanted in ("audio", "rtx", "extmap", "ssrc", "a=recvonly"):
        assert unwanted not in reduced


def test_the_answer_names_the_profile_that_is_published_and_wants_no_sound() -> None:
    answer = read_publisher_offer(SESSION + AUDIO + video(HIGH, OBS)).complete(ANSWER)
    assert "profile-level-id=640c34" in answer
    assert "42e01f" not in answer
    assert "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=inactive\r\n" in answer  # it has the transport of both
    assert "a=group:BUNDLE 0 1\r\n" in answer


def test_a_profile_that_browsers_do_not_show_is_passed_over() -> None:
    offer = read_publisher_offer(SESSION + video("packetization-mode=1;profile-level-id=f4001f", HIGH))
    assert "m=video 9 UDP/TLS/RTP/SAVPF 97" in offer.video


def test_h264_without_parameters_is_taken_for_baseline() -> None:
    assert "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f" in read_publisher_offer(SESSION + video("")).video


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        (SESSION + video(OBS).replace("H264", "VP8"), StageReason.NO_COMMON_CODEC),
        (SESSION + video("packetization-mode=0;profile-level-id=42e01f"), StageReason.NO_COMMON_CODEC),
        (SESSION + video(OBS).replace("a=sendonly", "a=recvonly"), StageReason.BAD_OFFER),
        (SESSION + video(OBS).replace("a=sendonly", "a=inactive"), StageReason.BAD_OFFER),
        (SESSION + video(OBS) * 2, StageReason.BAD_OFFER),
        ("a=rtpmap:96 H264/90000", StageReason.BAD_OFFER),
        ("", StageReason.NO_COMMON_CODEC),
        ("v=0\r\n" + "a" * MAX_OFFER_CHARS, StageReason.BAD_OFFER),
    ],
)
def test_an_offer_that_is_no_publishers_is_refused(offer: str, reason: StageReason) -> None:
    with pytest.raises(StageError) as caught:
        read_publisher_offer(offer)
    assert caught.value.reason is reason
