from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.errors import StageError, StageReason
from belvedere.stage.offer import MAX_CANDIDATES, MAX_OFFER_CHARS, MAX_SECTIONS, read_offer

OFFER = """\
v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=candidate:1 1 udp 2113937151 192.0.2.7 43874 typ host generation 0
a=candidate:2 1 udp 2113937151 dc3f36d3-7fe8-437d-908e-371b46915a59.local 43874 typ host generation 0
a=candidate:3 1 tcp 2113937151 192.0.2.7 9 typ host tcptype active
a=candidate:4 1 udp 2113937151 224.0.0.1 43874 typ host
a=end-of-candidates
a=mid:0
a=recvonly
a=rtcp-mux
a=rtpmap:96 VP8/90000
a=rtpmap:97 H264/90000
""".replace("\n", "\r\n")


def reason(text: str) -> StageReason:
    with pytest.raises(StageError) as caught:
        read_offer(text)
    return caught.value.reason


def test_an_offer_to_watch_passes() -> None:
    assert "a=rtpmap:97 H264/90000" in read_offer(OFFER)


def test_only_addresses_that_can_be_sent_to_are_kept_and_never_said_to_be_all() -> None:
    read = read_offer(OFFER)
    assert [line for line in read.splitlines() if "candidate" in line] == [
        "a=candidate:1 1 udp 2113937151 192.0.2.7 43874 typ host generation 0"
    ]


def test_an_offer_cannot_name_more_addresses_than_a_viewer_has() -> None:
    many = [f"a=candidate:{n} 1 udp 1 198.51.100.{n} 4000 typ host" for n in range(200)]
    read = read_offer(OFFER.replace("a=recvonly", "\r\n".join(["a=recvonly", *many])))
    assert read.count("a=candidate") == MAX_CANDIDATES


@pytest.mark.parametrize("text", ["", "hello", "{}", "v=0\r\n", OFFER.replace("m=video", "m=audio")])
def test_what_is_no_offer_of_a_viewer_is_refused(text: str) -> None:
    assert reason(text) is StageReason.BAD_OFFER


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_an_offer_that_does_not_want_the_picture_is_refused(direction: str) -> None:
    assert reason(OFFER.replace("recvonly", direction)) is StageReason.BAD_OFFER


def test_a_viewer_without_h264_is_told_so() -> None:
    assert reason(OFFER.replace("H264", "AV1")) is StageReason.NO_COMMON_CODEC


def test_h264_of_another_section_does_not_count() -> None:
    swapped = (
        OFFER.replace("H264", "AV1") + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=rtpmap:97 H264/90000\r\n"
    )
    assert reason(swapped) is StageReason.NO_COMMON_CODEC


def test_a_huge_offer_is_refused() -> None:
    assert reason(OFFER + "a=x\r\n" * (MAX_OFFER_CHARS // 4)) is StageReason.BAD_OFFER


def test_an_offer_of_many_sections_is_refused() -> None:
    assert reason(OFFER + "m=audio 9 RTP/AVP 0\r\n" * MAX_SECTIONS) is StageReason.BAD_OFFER


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(StageError):
        assert read_offer("v=0\r\n" + text).startswith("v=0")
