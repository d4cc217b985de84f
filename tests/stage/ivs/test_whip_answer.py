from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.stage.ivs.whip_answer import MAX_CANDIDATES, read_whip_answer
from belvedere.stage.ivs.whip_client import WhipError

HERE = "a=candidate:1 1 udp 2130706431 192.0.2.7 50000 typ host"
BUNDLED = f"""v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0 1
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:0
{HERE}
a=end-of-candidates
m=video 9 UDP/TLS/RTP/SAVPF 96
a=mid:1
a=recvonly
"""


def sections(answer: str) -> list[list[str]]:
    return [section.splitlines() for section in answer.replace("\r\n", "\n").split("\nm=")[1:]]


def test_the_addresses_of_the_first_section_are_those_of_each() -> None:
    audio, video = sections(read_whip_answer(BUNDLED))
    assert audio[-2:] == video[-2:] == [HERE, "a=end-of-candidates"]
    assert video[:-2] == ["video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1", "a=recvonly"]


def test_an_address_that_is_in_both_sections_stays_once_in_each() -> None:
    for section in sections(read_whip_answer(BUNDLED + HERE + "\n")):
        assert section.count(HERE) == 1


@pytest.mark.parametrize(
    "candidate",
    [
        "a=candidate:1 1 udp 1 a-name.local 50000 typ host",
        "a=candidate:1 1 udp 1 evil.example.org 50000 typ host",
        "a=candidate:1 1 tcp 1 192.0.2.7 50000 typ host tcptype passive",
        "a=candidate:1 2 udp 1 192.0.2.7 50000 typ host",
        "a=candidate:1 1 udp 1 192.0.2.7",
    ],
)
def test_names_other_transports_and_what_is_damaged_are_left_out(candidate: str) -> None:
    answer = read_whip_answer(BUNDLED.replace(HERE, f"{candidate}\n{HERE}"))
    assert candidate not in answer
    with pytest.raises(WhipError, match="no address"):
        read_whip_answer(BUNDLED.replace(HERE, candidate))


def test_of_many_addresses_the_first_few_stay() -> None:
    many = "\n".join(HERE.replace("50000", str(50000 + number)) for number in range(100))
    assert read_whip_answer(BUNDLED.replace(HERE, many)).count("a=candidate:") == 2 * MAX_CANDIDATES


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("", "not SDP"),
        ("<html>", "not SDP"),
        (BUNDLED.replace("m=video 9", "m=video 0"), "takes no video"),
        (BUNDLED + "a=x\n" * 400, "more than 150 lines"),
        (BUNDLED + "a=" + "x" * 2000 + "\n", "more than 150 lines"),
        (BUNDLED + "m=video 9 UDP/TLS/RTP/SAVPF 96\n", "more than 2 sections"),
        (BUNDLED.replace("SAVPF 96", "SAVPF" + " 96" * 17), "more than 16 formats"),
    ],
)
def test_what_is_no_answer_is_refused(answer: str, problem: str) -> None:
    with pytest.raises(WhipError, match=problem):
        read_whip_answer(answer)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(WhipError):
        assert read_whip_answer("v=0\r\n" + text).startswith("v=0")
