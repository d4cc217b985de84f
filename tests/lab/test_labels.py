import pytest

from belvedere.lab.labels import assigned_name, short_uuid, signal_label, uuid_label, value_label

PRIVATE = "6f1a0001-77aa-4e0c-9f6b-000000000001"


@pytest.mark.parametrize(
    ("uuid", "short"),
    [("0000FFF0-0000-1000-8000-00805F9B34FB", "fff0"), (PRIVATE, PRIVATE), (PRIVATE.upper(), PRIVATE)],
)
def test_a_uuid_is_written_as_short_as_it_can_be(uuid: str, short: str) -> None:
    assert short_uuid(uuid) == short


def test_a_uuid_that_the_world_knows_is_named_and_a_makers_own_is_not() -> None:
    assert uuid_label("0000180a-0000-1000-8000-00805f9b34fb") == "180a Device Information"
    assert uuid_label("0000fff0-0000-1000-8000-00805f9b34fb") == "fff0"
    assert assigned_name(PRIVATE) == ""


@pytest.mark.parametrize(
    ("rssi_dbm", "word"), [(-40, "very near"), (-55, "very near"), (-56, "good"), (-82, "weak"), (-95, "very weak")]
)
def test_a_strength_has_a_word(rssi_dbm: int, word: str) -> None:
    assert signal_label(rssi_dbm) == word


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"", "(empty)"),
        (b"PONS PT\0", '"PONS PT"'),
        (b"\x57", "57 (87)"),
        (b"A", "41 (65)"),
        (b"\x02\x00\x07", "02 00 07"),
        ("Küche".encode(), "4b c3 bc 63 68 65"),
    ],
)
def test_a_value_is_shown_as_what_it_seems_to_be(value: bytes, words: str) -> None:
    assert value_label(value) == words
