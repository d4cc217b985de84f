from __future__ import annotations

from belvedere.lab.logs.attributes import CHARACTERISTIC, Characteristic, Room, Service, Table, uuid_in
from belvedere.sim.unit import COMMAND, SERVICE

DECLARATION = b"\x0c\x17\0\xf1\xff"


def test_uuids_are_told_in_full() -> None:
    assert uuid_in(b"\xf1\xff") == COMMAND
    assert uuid_in(bytes(range(16))) == "0f0e0d0c-0b0a-0908-0706-050403020100"
    assert uuid_in(b"abc") == ""


def test_a_declaration_tells_the_uuid_of_the_value_and_what_it_is_itself() -> None:
    table = Table(Room())
    table.add_declaration(0x16, DECLARATION)
    assert table.uuid_of(0x17) == COMMAND
    assert table.uuid_of(0x16) == CHARACTERISTIC
    assert table.uuid_of(0x18) is None
    assert table.characteristics == [Characteristic(0x17, COMMAND, 0x0C)]


def test_the_newest_word_counts() -> None:
    table = Table(Room())
    table.add_type(0x17, "old")
    table.add_type(0x17, "new")
    assert table.uuid_of(0x17) == "new"
    table.add_declaration(0x16, DECLARATION)
    assert table.uuid_of(0x17) == COMMAND


def test_services_are_told_by_handle() -> None:
    table = Table(Room())
    table.add_service(0x15, 0x19, SERVICE)
    table.add_service(1, 3, "other")
    table.add_service(4, 5, "")
    assert table.services == [Service(1, 3, "other"), Service(0x15, 0x19, SERVICE)]


def test_a_declaration_of_a_length_that_cannot_be_says_nothing() -> None:
    table = Table(Room())
    table.add_declaration(0x16, DECLARATION + b"x")
    assert not table.characteristics


def test_all_tables_of_a_log_share_their_room() -> None:
    room = Room(2)
    first, second = Table(room), Table(room)
    first.add_type(1, "a")
    first.add_service(1, 1, "a")
    second.add_type(1, "b")
    second.add_declaration(2, DECLARATION)
    second.add_service(1, 1, "a")
    assert (first.uuid_of(1), second.uuid_of(1), second.characteristics, second.services) == ("a", None, [], [])
    first.add_type(1, "c")
    assert first.uuid_of(1) == "c"
