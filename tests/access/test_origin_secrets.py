"""Secrets for pages of one origin: for whom, from where, until when, and how many."""

from __future__ import annotations

from belvedere.access.origin_secrets import OriginSecrets

PAGE = "https://family.example"


def found(secrets: OriginSecrets, now: float, secret: str, origin: str = PAGE) -> str | None:
    proved = secrets.find(now, secret, origin)
    return None if proved is None else proved.session


def test_a_secret_proves_its_session_in_its_origin_until_its_end() -> None:
    secrets = OriginSecrets(10.0, at_most=2)
    secrets.add(0.0, "a", "s-1", PAGE)
    assert found(secrets, 9.9, "a") == "s-1"
    assert found(secrets, 10.0, "a") is None
    assert found(secrets, 0.0, "a", "https://other.example") is None
    assert found(secrets, 0.0, "b") is None


def test_one_more_than_a_session_may_have_ends_its_oldest_and_nobody_elses() -> None:
    secrets = OriginSecrets(10.0, at_most=2)
    secrets.add(0.0, "other", "s-2", PAGE)
    for secret in ("a", "b", "c"):
        secrets.add(0.0, secret, "s-1", PAGE)
    assert [found(secrets, 0.0, each) for each in ("a", "b", "c", "other")] == [None, "s-1", "s-1", "s-2"]


def test_what_has_ended_takes_no_place() -> None:
    secrets = OriginSecrets(10.0, at_most=2)
    secrets.add(0.0, "a", "s-1", PAGE)
    secrets.add(10.0, "b", "s-1", PAGE)
    assert len(list(secrets)) == 1


def test_one_is_ended_by_itself_or_with_all_of_its_session() -> None:
    secrets = OriginSecrets(10.0, at_most=2)
    for secret, session in (("a", "s-1"), ("b", "s-1"), ("c", "s-2")):
        secrets.add(0.0, secret, session, PAGE)
    secrets.end("a")
    secrets.end("a")
    assert [found(secrets, 0.0, each) for each in ("a", "b", "c")] == [None, "s-1", "s-2"]
    secrets.end_all_of("s-1")
    assert [found(secrets, 0.0, each) for each in ("b", "c")] == [None, "s-2"]


def test_a_restored_one_lasts_no_longer_than_a_new_one() -> None:
    before, after = OriginSecrets(10.0, at_most=2), OriginSecrets(10.0, at_most=2)
    before.add(0.0, "a", "s-1", PAGE)
    [(known, each)] = before
    after.restore(100.0, known, each.session, each.origin, left_s=1000.0)
    assert found(after, 109.9, "a") == "s-1"
    assert found(after, 110.0, "a") is None
