from __future__ import annotations

import pytest

from belvedere.lab.labels import SIG_TAIL
from belvedere.lab.logs.attributes import AttributeTable, TableContext
from belvedere.lab.logs.bearer import NO_HANDLE, AttributeValue, Bearer
from belvedere.lab.logs.datalinks import RECEIVED, SENT, UNKNOWN

FFF0, FFF1, FFF2 = (f"0000{short}{SIG_TAIL}" for short in ("fff0", "fff1", "fff2"))
LONG = "0f0e0d0c-0b0a-0908-0706-050403020100"


class Talk:
    """A bearer with its tables, and short words for both sides."""

    def __init__(self) -> None:
        context = TableContext()
        self.host_tables, self.theirs = AttributeTable(context), AttributeTable(context)
        self.bearer = Bearer(self.host_tables, self.theirs)

    def sent(self, pdu: bytes) -> list[AttributeValue]:
        return list(self.bearer.receive(SENT, pdu))

    def received(self, pdu: bytes) -> list[AttributeValue]:
        return list(self.bearer.receive(RECEIVED, pdu))


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_services_are_discovered_by_group(talk: Talk) -> None:
    talk.sent(b"\x10\1\0\xff\xff\x00\x28")
    talk.received(b"\x11\x06\x15\0\x19\0\xf0\xff\x1a\0\x1f\0\xf2\xff")
    talk.sent(b"\x10\x20\0\xff\xff\x00\x28")
    talk.received(b"\x11\x14\x20\0\x2f\0" + bytes(range(16)))
    assert talk.theirs.services == [(0x15, 0x19, FFF0), (0x1A, 0x1F, FFF2), (0x20, 0x2F, LONG)]


def test_a_service_is_found_by_its_uuid(talk: Talk) -> None:
    talk.sent(b"\x06\1\0\xff\xff\x00\x28\xf0\xff")
    talk.received(b"\x07\x15\0\x19\0")
    assert talk.theirs.services == [(0x15, 0x19, FFF0)]


def test_characteristics_are_discovered_by_their_declarations(talk: Talk) -> None:
    talk.sent(b"\x08\x15\0\x19\0\x03\x28")
    assert talk.received(b"\x09\x07\x16\0\x0c\x17\0\xf1\xff\x18\0\x10\x19\0\xf2\xff") == []
    assert [(one.handle, one.uuid, one.properties) for one in talk.theirs.characteristics] == [
        (0x17, FFF1, 0x0C),
        (0x19, FFF2, 0x10),
    ]


def test_characteristics_with_long_uuids_are_discovered(talk: Talk) -> None:
    talk.sent(b"\x08\x15\0\x19\0\x03\x28")
    talk.received(b"\x09\x15\x16\0\x0c\x17\0" + bytes(range(16)))
    assert talk.theirs.uuid_of(0x17) == LONG


@pytest.mark.parametrize(
    ("form", "data", "uuid"), [(1, b"\x02\x29", f"00002902{SIG_TAIL}"), (2, bytes(range(16)), LONG)]
)
def test_descriptors_are_discovered_by_find_information(talk: Talk, form: int, data: bytes, uuid: str) -> None:
    talk.sent(b"\x04\x1a\0\x1a\0")
    talk.received(bytes([5, form]) + b"\x1a\0" + data)
    assert talk.theirs.uuid_of(0x1A) == uuid


def test_a_declaration_may_be_read_by_its_handle(talk: Talk) -> None:
    talk.sent(b"\x04\x16\0\x16\0")
    talk.received(b"\x05\1\x16\0\x03\x28")
    talk.sent(b"\x0a\x16\0")
    assert talk.received(b"\x0b\x0c\x17\0\xf1\xff") == []
    assert talk.theirs.uuid_of(0x17) == FFF1


def test_what_the_device_asks_of_the_phone_is_about_the_phones_own_table(talk: Talk) -> None:
    talk.received(b"\x08\1\0\xff\xff\x03\x28")
    talk.sent(b"\x09\x07\x16\0\x0c\x17\0\xf1\xff")
    assert talk.host_tables.uuid_of(0x17) == FFF1
    assert talk.theirs.uuid_of(0x17) is None


def test_both_directions_may_have_a_request_under_way(talk: Talk) -> None:
    talk.sent(b"\x0a\x17\0")
    talk.received(b"\x0a\x20\0")
    assert talk.sent(b"\x0bours") == [AttributeValue(0x0B, 0x20, b"ours")]
    assert talk.received(b"\x0btheirs") == [AttributeValue(0x0B, 0x17, b"theirs")]


@pytest.mark.parametrize(
    ("request_pdu", "answer", "values"),
    [
        (b"\x0a\x17\0", b"\x0babc", [AttributeValue(0x0B, 0x17, b"abc")]),
        (b"\x0c\x17\0\5\0", b"\x0dabc", [AttributeValue(0x0D, 0x17, b"abc")]),
        (b"\x0e\x17\0\x18\0", b"\x0fabcd", [AttributeValue(0x0F, 0x17, b"abcd")]),
        (
            b"\x20\x17\0\x18\0",
            b"\x21\2\0ab\1\0c",
            [AttributeValue(0x21, 0x17, b"ab"), AttributeValue(0x21, 0x18, b"c")],
        ),
        (b"\x08\1\0\xff\xff\x00\x2a", b"\x09\x05\x17\0abc", [AttributeValue(0x09, 0x17, b"abc")]),
        (b"\x16\x17\0\0\0abc", b"\x17\x17\0\0\0abc", [AttributeValue(0x17, 0x17, b"abc")]),
    ],
)
def test_an_answer_has_the_handle_of_its_request(
    talk: Talk, request_pdu: bytes, answer: bytes, values: list[AttributeValue]
) -> None:
    talk.sent(request_pdu)
    assert talk.received(answer) == values


def test_an_answer_without_its_request_has_no_handle(talk: Talk) -> None:
    assert talk.received(b"\x0babc") == [AttributeValue(0x0B, NO_HANDLE, b"abc")]
    talk.sent(b"\x04\1\0\2\0")
    assert talk.received(b"\x0babc") == [AttributeValue(0x0B, NO_HANDLE, b"abc")]


def test_an_error_ends_the_request(talk: Talk) -> None:
    talk.sent(b"\x0a\x17\0")
    talk.received(b"\x01\x0a\x17\0\x0a")
    assert talk.received(b"\x0babc") == [AttributeValue(0x0B, NO_HANDLE, b"abc")]


@pytest.mark.parametrize(
    ("pdu", "values"),
    [
        (b"\x52\x17\0abc", [AttributeValue(0x52, 0x17, b"abc")]),
        (b"\xd2\x17\0abc" + bytes(12), [AttributeValue(0xD2, 0x17, b"abc")]),
        (b"\x16\x17\0\5\0abc", [AttributeValue(0x16, 0x17, b"abc")]),
        (b"\x23\x17\0\2\0ab\x18\0\1\0c", [AttributeValue(0x23, 0x17, b"ab"), AttributeValue(0x23, 0x18, b"c")]),
        (b"\x52\x17", []),
        (b"\x16\x17\0\5", []),
        (b"\x99abc", []),
    ],
)
def test_values_that_stand_by_themselves(talk: Talk, pdu: bytes, values: list[AttributeValue]) -> None:
    assert talk.sent(pdu) == values


def test_the_longest_pdu_is_what_both_sides_take(talk: Talk) -> None:
    talk.received(b"\x03\x17\0")
    assert talk.bearer.mtu is None
    talk.sent(b"\x02\x05\x02")
    talk.received(b"\x03\xb9\0")
    assert talk.bearer.mtu == 185


def test_the_name_that_the_device_has_in_its_table_is_kept(talk: Talk) -> None:
    talk.sent(b"\x08\1\0\xff\xff\x00\x2a")
    talk.received(b"\x09\x06\x03\0PONS")
    assert talk.bearer.name == "PONS"
    talk.sent(b"\x0a\x03\0")
    talk.received(b"\x0bPONS-PAN")
    assert talk.bearer.name == "PONS-PAN"


def test_asking_for_the_tables_hash_is_noted(talk: Talk) -> None:
    talk.sent(b"\x08\1\0\xff\xff\x2a\x2b")
    assert (talk.theirs.is_cached, talk.host_tables.is_cached) == (True, False)


@pytest.mark.parametrize(
    "answer", [b"\x05", b"\x05\1", b"\x05\3\1\0ab", b"\x07\1", b"\x09", b"\x09\1ab", b"\x11\2abcd"]
)
def test_answers_that_cannot_be_say_nothing(talk: Talk, answer: bytes) -> None:
    requests = {0x05: b"\x04\1\0\2\0", 0x07: b"\x06\1\0\2\0\0\x28\xf0\xff", 0x09: b"\x08\1\0\2\0\3\x28"}
    talk.sent(requests.get(answer[0], b"\x10\1\0\xff\xff\0\x28"))
    assert talk.received(answer) == []
    assert not talk.theirs.services
    assert not talk.theirs.characteristics


def test_an_answer_finds_its_request_where_nobody_tells_who_asked(talk: Talk) -> None:
    for pdu in (b"\x08\1\0\xff\xff\x03\x28", b"\x09\x07\x16\0\x0c\x17\0\xf1\xff", b"\x0a\x17\0"):
        assert list(talk.bearer.receive(UNKNOWN, pdu)) == []
    assert list(talk.bearer.receive(UNKNOWN, b"\x0bstate")) == [AttributeValue(0x0B, 0x17, b"state")]
    assert talk.theirs.uuid_of(0x17) == FFF1
