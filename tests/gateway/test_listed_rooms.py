"""The list of rooms is checked where it is read: names, addresses, and that no two are alike."""

import pytest

from belvedere.errors import SettingsError
from belvedere.gateway.listed_rooms import ListedRoom, check_rooms
from belvedere.head.document import read_document


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://home.example.org", "https://home.example.org"),
        ("https://home.example.org:8443/flat/kitchen", "https://home.example.org:8443"),
        ("http://127.0.0.1:8080/kitchen", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://kitchen.home.localhost", "http://kitchen.home.localhost"),
    ],
)
def test_a_room_is_reached_by_https_or_on_this_computer(url: str, origin: str) -> None:
    room = read_document(f'name = "厨房"\nurl = "{url}"', ListedRoom, "x.toml")
    assert (room.name, room.url, room.origin) == ("厨房", url, origin)


@pytest.mark.parametrize(
    "url",
    [
        "http://home.example.org",
        "http://10.0.0.7:8080",
        "http://localhost.example.org",
        "https://ana:secret@home.example.org",
        "https://home.example.org/",
        "https://home.example.org/kitchen/",
        "https://home.example.org/?x",
        "https://home.example.org/#x",
        "https://HOME.example.org",
        "https://home.example.org/a b",
        "https://home.example.org; script-src *",
        "wss://home.example.org",
        "javascript:alert(1)",
        "https://",
        "",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="url"):
        read_document(f'name = "Kitchen"\nurl = "{url}"', ListedRoom, "x.toml")


@pytest.mark.parametrize("name", ["", " ", " Kitchen", "Kitchen ", "a\\nb", "x" * 65])
def test_a_name_that_nobody_could_read_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="name"):
        read_document(f'name = "{name}"\nurl = "https://home.example.org"', ListedRoom, "x.toml")


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        (ListedRoom(name="KITCHEN", url="https://b.example.org"), "kitchen"),
        (ListedRoom(name="Study", url="https://a.example.org"), "https://a.example.org"),
    ],
)
def test_two_rooms_with_one_name_or_address_are_refused(second: ListedRoom, problem: str) -> None:
    kitchen = ListedRoom(name="Kitchen", url="https://a.example.org")
    check_rooms([kitchen, ListedRoom(name="Study", url="https://a.example.org/study")])
    with pytest.raises(ValueError, match=f"two rooms have the name or url '{problem}'"):
        check_rooms([kitchen, second])
