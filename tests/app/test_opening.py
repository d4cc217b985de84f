"""A house without an owner prints a link for one, and one with an owner prints none."""

import pytest

from belvedere.access.invitations import Invitations
from belvedere.access.rights import Role
from belvedere.app.opening import Opened, first_links, public_address
from belvedere.gateway.options import GatewayOptions
from belvedere.testing.clock import FakeClock

ADDRESS = "http://127.0.0.1:8080"


def test_a_new_house_prints_its_owners_link_at_each_start_until_the_owner_has_come_in() -> None:
    invitations = Invitations(FakeClock())
    first = first_links(invitations, [Role.OWNER], ADDRESS)
    second = first_links(invitations, [Role.OWNER], ADDRESS)
    assert len(invitations.people) == 1
    secrets = [links[Role.OWNER].removeprefix(f"{ADDRESS}/join#") for links in (first, second)]
    for secret in secrets:
        person = invitations.invited(secret)
        assert person is not None
        assert person.role is Role.OWNER
    invitations.redeem(secrets[0])
    assert first_links(invitations, [Role.OWNER], ADDRESS) == {}


def test_the_demo_has_a_link_for_the_rooms_page_too() -> None:
    invitations = Invitations(FakeClock())
    links = first_links(invitations, [Role.OWNER, Role.RESIDENT], ADDRESS)
    assert [links[role].partition("#")[0] for role in (Role.OWNER, Role.RESIDENT)] == [
        f"{ADDRESS}/join",
        f"{ADDRESS}/room",
    ]
    assert Opened(ADDRESS, links).link == links[Role.OWNER]
    assert Opened(ADDRESS, {}).link == ADDRESS


@pytest.mark.parametrize(
    ("options", "address"),
    [
        (GatewayOptions(), ADDRESS),
        (GatewayOptions(names=("home.example.org",)), "https://home.example.org"),
        (GatewayOptions(base_path="/kitchen"), f"{ADDRESS}/kitchen"),
        (GatewayOptions(names=("home.example.org",), base_path="/kitchen"), "https://home.example.org/kitchen"),
        (GatewayOptions(host="0.0.0.0", names=("pi.local",)), "http://pi.local:8080"),  # noqa: S104 - a LAN
        (
            GatewayOptions(host="0.0.0.0", names=("home.example.org",), trusted_proxies=("::1", "10.42.0.0/16")),  # noqa: S104 - in a pod
            "https://home.example.org",
        ),
    ],
)
def test_links_have_the_name_that_people_use(options: GatewayOptions, address: str) -> None:
    assert public_address(options, ADDRESS) == address
