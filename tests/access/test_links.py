"""A link is used once; of its secret only a digest is kept; nobody's links push out those of others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.access.links import MAX_LINKS_OF_PERSON, Links, link_to, require_frontend
from belvedere.access.rights import Role
from belvedere.access.sessions import digest
from belvedere.errors import VisitorError

UTC = 1.8e9
SITE = "https://family.example"


@pytest.mark.parametrize(
    ("role", "page"), [(Role.OWNER, "join"), (Role.RESIDENT, "room"), (Role.VISITOR, "join"), (Role.GUEST, "join")]
)
def test_a_residents_link_leads_to_the_rooms_page_and_others_to_the_visitors(role: Role, page: str) -> None:
    assert link_to("https://home.example", "s", role) == f"https://home.example/{page}#s"


def test_a_link_to_a_page_of_another_origin_says_which_house_it_is_for() -> None:
    link = link_to("https://home.example:8443", "s", Role.VISITOR, f"{SITE}/view?tab=2")
    assert link == f"{SITE}/view?tab=2#belvedere=s&house=home.example:8443"


@pytest.mark.parametrize("role", [Role.VISITOR, Role.GUEST])
def test_a_link_may_lead_to_a_listed_page(role: Role) -> None:
    for frontend in ("", SITE, f"{SITE}/view?tab=2"):
        require_frontend(frontend, role, [SITE])


@pytest.mark.parametrize(
    "frontend", ["https://other.example", f"{SITE}.evil.example", f"{SITE}/#top", "family.example"]
)
def test_a_link_may_lead_to_no_other_page(frontend: str) -> None:
    with pytest.raises(VisitorError, match="under frontends"):
        require_frontend(frontend, Role.VISITOR, [SITE])


@pytest.mark.parametrize("role", [Role.OWNER, Role.RESIDENT])
def test_who_runs_the_house_or_its_room_comes_in_on_its_own_page_only(role: Role) -> None:
    require_frontend("", role, [SITE])
    with pytest.raises(VisitorError, match="own page only"):
        require_frontend(SITE, role, [SITE])


def test_a_used_link_is_found_by_the_browser_that_used_it_only() -> None:
    links = Links(lifetime_s=100, at_most=8)
    secret = links.add(0.0, "ana")
    assert links.find(99.9, UTC, secret) is not None
    links.use(1.0, secret, "0123456789ab", "browser")
    assert links.find(2.0, UTC, secret, "browser") is not None
    for browser in ("", "another"):
        assert links.find(2.0, UTC, secret, browser) is None


def test_a_link_that_was_used_without_a_browsers_secret_is_gone() -> None:
    links = Links(lifetime_s=100, at_most=8)
    secret = links.add(0.0, "ana")
    links.use(1.0, secret, "0123456789ab", "")
    assert links.find(2.0, UTC, secret) is None
    assert links.saved(2.0, UTC) == []


def test_a_person_has_only_so_many_unused_links_and_loses_the_oldest() -> None:
    links = Links(lifetime_s=100, at_most=64)
    bens = links.add(0.0, "ben")
    secrets = [links.add(0.0, "ana") for _ in range(MAX_LINKS_OF_PERSON + 2)]
    found = [links.find(1.0, UTC, secret) is not None for secret in secrets]
    assert found == [False] * 2 + [True] * MAX_LINKS_OF_PERSON
    assert links.find(1.0, UTC, bens) is not None
    assert (links.count_unused(1.0, "ana"), links.count_unused(100.0, "ana")) == (MAX_LINKS_OF_PERSON, 0)


def test_where_there_are_too_many_links_whoever_has_most_loses_the_oldest() -> None:
    links = Links(lifetime_s=100, at_most=3)
    bens, anas, more = links.add(0.0, "ben"), links.add(0.0, "ana"), links.add(0.0, "ana")
    cems = links.add(0.0, "cem")
    assert links.find(1.0, UTC, anas) is None
    assert None not in [links.find(1.0, UTC, secret) for secret in (bens, more, cems)]


def test_a_restored_link_ends_by_either_clock_and_lasts_no_longer_than_a_new_one() -> None:
    links = Links(lifetime_s=100, at_most=8)
    secret = links.add(0.0, "ana")
    (saved,) = links.saved(40.0, UTC)
    assert (saved.digest, saved.left_s, saved.ends_utc_s) == (digest(secret), 60, int(UTC) + 60)
    fresh = Links(lifetime_s=50, at_most=8)
    fresh.restore(7.0, [saved])
    assert fresh.find(8.0, UTC + 59, secret) is not None
    assert fresh.find(8.0, UTC + 60, secret) is None
    assert fresh.find(57.0, UTC, secret) is None
    assert fresh.saved(8.0, 0.0)[0].ends_utc_s == saved.ends_utc_s


def test_no_secret_is_kept() -> None:
    links = Links(lifetime_s=100, at_most=8)
    secret = links.add(0.0, "ana")
    assert secret not in repr(vars(links))
    assert secret not in repr(links.saved(0.0, UTC))


@given(st.text(), st.sampled_from(["", "browser"]))
def test_no_guess_is_a_link(guess: str, browser: str) -> None:
    links = Links(lifetime_s=100, at_most=8)
    links.add(0.0, "ana")
    assert links.find(0.0, UTC, guess, browser) is None
