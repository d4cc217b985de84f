import pytest

from belvedere.errors import LinkError, LinkReason
from belvedere.link.adapters import BluezAdapter, chosen

INSIDE = BluezAdapter("hci0", "B8:27:EB:00:00:01")
DONGLE = BluezAdapter("hci1", "00:1A:7D:DA:71:13")


@pytest.mark.parametrize("wanted", ["hci1", "00:1A:7D:DA:71:13", "00:1a:7d:da:71:13"])
def test_an_adapter_is_chosen_by_its_name_or_its_address(wanted: str) -> None:
    assert chosen(wanted, [INSIDE, DONGLE]) == "hci1"


def test_an_address_is_the_same_adapter_whatever_its_number() -> None:
    moved = BluezAdapter("hci3", DONGLE.address)
    assert chosen(DONGLE.address, [INSIDE, moved]) == "hci3"


def test_an_adapter_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(LinkError) as caught:
        chosen("hci7", [INSIDE, DONGLE])
    assert caught.value.reason is LinkReason.NO_ADAPTER
    assert str(caught.value) == (
        "no such Bluetooth adapter: hci7; this computer has hci0 (B8:27:EB:00:00:01), hci1 (00:1A:7D:DA:71:13)"
    )


def test_a_computer_without_any_is_told_as_such() -> None:
    with pytest.raises(LinkError, match="this computer has none"):
        chosen("hci0", [])
