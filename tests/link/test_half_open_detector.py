"""A unit that only the chip is connected to is freed by a reset, and by nothing that others would miss."""

from __future__ import annotations

from belvedere.head.profile import shipped_profile
from belvedere.link.half_open_detector import MAX_SUSPECTS, RESET_EVERY_S, UNSEEN_S, HalfOpenDetector

PROFILE = shipped_profile("zeapon-pons-pt")
HCI0, HCI1 = "/org/bluez/hci0", "/org/bluez/hci1"


def test_a_unit_that_was_not_seen_for_long_since_connecting_to_it_failed_is_suspected() -> None:
    half_open = HalfOpenDetector()
    assert half_open.suspect(0) is None
    half_open.receive_failed("pan", HCI0, 10)
    assert half_open.suspect(10 + UNSEEN_S - 0.1) is None
    assert half_open.suspect(10 + UNSEEN_S) == ("pan", HCI0)


def test_a_unit_that_was_seen_is_not_suspected_until_connecting_to_it_fails_again() -> None:
    half_open = HalfOpenDetector()
    half_open.receive_failed("pan", HCI0, 0)
    half_open.receive_seen("pan")
    half_open.receive_seen("tilt")
    assert half_open.suspect(1e6) is None
    half_open.receive_failed("pan", HCI0, 1e6)
    assert half_open.suspect(1e6 + UNSEEN_S) == ("pan", HCI0)


def test_each_failure_gives_a_unit_its_whole_time_again() -> None:
    half_open = HalfOpenDetector()
    half_open.receive_failed("pan", HCI0, 0)
    half_open.receive_failed("pan", HCI0, 15)
    assert half_open.suspect(UNSEEN_S) is None


def test_one_reset_clears_all_units_of_its_adapter_and_no_other() -> None:
    half_open = HalfOpenDetector()
    for address, adapter in (("pan", HCI0), ("tilt", HCI0), ("other", HCI1)):
        half_open.receive_failed(address, adapter, 0)
    half_open.receive_reset(HCI0, UNSEEN_S)
    assert half_open.suspect(UNSEEN_S) == ("other", HCI1)


def test_an_adapter_is_not_reset_again_before_it_has_had_its_rest() -> None:
    half_open = HalfOpenDetector()
    half_open.receive_reset(HCI0, 0)
    half_open.receive_failed("pan", HCI0, 1)
    half_open.receive_failed("other", HCI1, 2)
    assert half_open.suspect(RESET_EVERY_S - 1) == ("other", HCI1)
    half_open.receive_seen("other")
    assert half_open.suspect(RESET_EVERY_S - 1) is None
    assert half_open.suspect(RESET_EVERY_S) == ("pan", HCI0)


def test_strangers_that_come_and_go_under_ever_new_addresses_are_forgotten() -> None:
    half_open = HalfOpenDetector()
    for number in range(1000):
        half_open.receive_failed(str(number), HCI0, 0)
    for number in range(1000 - MAX_SUSPECTS, 1000):
        half_open.receive_seen(str(number))
    assert half_open.suspect(UNSEEN_S) is None


def test_as_many_units_as_it_remembers_are_all_suspected() -> None:
    half_open = HalfOpenDetector()
    for number in range(MAX_SUSPECTS):
        half_open.receive_failed(str(number), HCI0, number)
    assert half_open.suspect(UNSEEN_S) == ("0", HCI0)
