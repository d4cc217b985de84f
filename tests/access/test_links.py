"""A link is used once; of its secret only a digest is kept; nobody's links push out those of others."""

from hypothesis import given
from hypothesis import strategies as st

from belvedere.access.links import MAX_LINKS_OF_PERSON, Links
from belvedere.access.sessions import digest

UTC = 1.8e9


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
