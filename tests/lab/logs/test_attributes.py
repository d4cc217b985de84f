from __future__ import annotations

from belvedere.lab.logs.attributes import (
    CHARACTERISTIC,
    AttributeTable,
    Characteristic,
    Service,
    TableContext,
    parse_uuid,
)
from belvedere.sim.unit import COMMAND, SERVICE

DECLARATION = b"\x0c\x17\0\xf1\xff"


def test_uuids_are_reported_in_full() -> None:
    assert parse_uuid(b"\xf1\xff") == COMMAND
    assert parse_uuid(bytes(range(16))) == "0f0e0d0c-0b0a-0908-0706-050403020100"
    assert parse_uuid(b"abc") == ""


def test_a_declaration_tells_the_uuid_of_the_value_and_what_it_is_itself() -> None:
    table = AttributeTable(TableContext())
    table.add_declaration(0x16, DECLARATION)
    assert table.uuid_of(0x17) == COMMAND
    assert table.uuid_of(0x16) == CHARACTERISTIC
    assert table.uuid_of(0x18) is None
    assert table.characteristics == [Characteristic(0x17, COMMAND, 0x0C)]


def test_the_newest_word_counts() -> None:
    table = AttributeTable(TableContext())
    table.add_type(0x17, "old")
    table.add_type(0x17, "new")
    assert table.uuid_of(0x17) == "new"
    table.add_declaration(0x16, DECLARATION)
    assert table.uuid_of(0x17) == COMMAND


def offset(context: TableContext, frame: int) -> None:
    """The log was read up to there."""
    context.frame = frame


def test_a_table_that_changes_is_remembered_as_it_was() -> None:
    table = AttributeTable(context := TableContext())
    for frame, uuid in ((5, "old"), (7, "old"), (9, "new")):
        offset(context, frame)
        table.add_type(0x17, uuid)
    assert [table.uuid_of(0x17, frame) for frame in (1, 5, 8, 9, 99)] == ["old", "old", "old", "new", "new"]
    assert table.uuids_of(0x17, 1, 99) == ["old", "new"]
    assert (table.uuids_of(0x17, 1, 8), table.uuids_of(0x17, 9, 99)) == (["old"], ["new"])
    assert table.uuids_of(0x18, 1, 99) == []


def test_a_value_that_has_become_something_else_is_no_characteristic_any_more() -> None:
    table = AttributeTable(context := TableContext())
    table.add_declaration(0x16, DECLARATION)
    offset(context, 2)
    table.add_type(0x17, "descriptor")
    assert table.uuid_of(0x17) == "descriptor"
    assert table.characteristics == []


def test_a_declaration_that_has_become_something_else_takes_its_value_along() -> None:
    table = AttributeTable(context := TableContext())
    offset(context, 1)
    table.add_declaration(0x16, DECLARATION)
    offset(context, 2)
    table.add_type(0x16, "descriptor")
    assert [table.uuid_of(0x17, frame) for frame in (1, 2)] == [COMMAND, None]
    assert table.characteristics == []
    offset(context, 4)
    table.add_type(0x17, "later")
    assert [table.uuid_of(0x17, frame) for frame in (1, 2, 4)] == [COMMAND, "later", "later"]


def test_what_is_repeated_takes_no_room() -> None:
    table = AttributeTable(context := TableContext())
    for frame in range(9):
        offset(context, frame)
        table.add_declaration(0x16, DECLARATION)
    assert context.left == TableContext().left - 2


def test_where_there_is_no_room_for_another_word_the_newest_stays() -> None:
    table = AttributeTable(context := TableContext(1))
    for frame, uuid in enumerate("abc"):
        offset(context, frame)
        table.add_type(1, uuid)
    assert table.uuid_of(1) == table.uuid_of(1, 0) == "c"


def test_services_are_reported_by_handle() -> None:
    table = AttributeTable(TableContext())
    table.add_service(0x15, 0x19, SERVICE)
    table.add_service(1, 3, "other")
    table.add_service(4, 5, "")
    assert table.services == [Service(1, 3, "other"), Service(0x15, 0x19, SERVICE)]


def test_a_declaration_of_a_length_that_cannot_be_says_nothing() -> None:
    table = AttributeTable(TableContext())
    table.add_declaration(0x16, DECLARATION + b"x")
    assert not table.characteristics


def test_all_tables_of_a_log_share_their_room() -> None:
    context = TableContext(2)
    first, second = AttributeTable(context), AttributeTable(context)
    first.add_type(1, "a")
    first.add_service(1, 1, "a")
    second.add_type(1, "b")
    second.add_declaration(2, DECLARATION)
    second.add_service(1, 1, "a")
    assert (first.uuid_of(1), second.uuid_of(1), second.characteristics, second.services) == ("a", None, [], [])
    first.add_type(1, "c")
    assert first.uuid_of(1) == "c"
