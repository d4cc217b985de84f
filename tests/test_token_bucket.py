"""A bucket refills with time, and only with time."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from belvedere.token_bucket import TokenBucket, TokenBuckets


def test_a_burst_is_granted_at_once_and_then_the_rate() -> None:
    bucket = TokenBucket(rate_per_s=10, burst=3)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.wait_s(100.0) == 0.1
    assert not bucket.take(100.09)
    assert bucket.take(100.1001)


def test_a_long_pause_gives_no_more_than_a_burst() -> None:
    bucket = TokenBucket(rate_per_s=10, burst=3)
    assert bucket.take(0.0, 3)
    assert bucket.take(1000.0, 3)
    assert not bucket.take(1000.0)


def test_a_refusal_takes_nothing() -> None:
    bucket = TokenBucket(rate_per_s=1, burst=2)
    assert not bucket.take(0.0, 3)
    assert bucket.take(0.0, 2)


def test_a_clock_that_goes_backwards_grants_nothing_and_takes_nothing_away() -> None:
    bucket = TokenBucket(rate_per_s=1, burst=1)
    assert bucket.take(10.0)
    assert not bucket.take(5.0)
    assert not bucket.take(5.9)
    assert bucket.take(6.0)


def test_the_time_at_which_it_will_be_full_is_known() -> None:
    bucket = TokenBucket(rate_per_s=2, burst=4)
    assert bucket.full_at(7.0) == 7.0
    bucket.take(7.0, 3)
    assert bucket.full_at(8.0) == 8.5


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 5)), max_size=50))
def test_never_more_than_burst_and_rate_allow(steps: list[tuple[float, float]]) -> None:
    bucket = TokenBucket(rate_per_s=3, burst=7)
    now = granted = 0.0
    for pause_s, tokens in steps:
        now += pause_s
        granted += tokens if bucket.take(now, tokens) else 0.0
        assert granted <= 7 + 3 * now + 1e-6


def test_each_name_has_a_bucket_of_its_own() -> None:
    buckets = TokenBuckets(rate_per_s=1, burst=1)
    assert buckets.take(0.0, "ana")
    assert not buckets.take(0.0, "ana")
    assert buckets.take(0.0, "ben")


def test_names_with_a_full_bucket_are_forgotten() -> None:
    buckets = TokenBuckets(rate_per_s=1, burst=2)
    for name in "abcdef":
        buckets.take(0.0, name)
    assert len(buckets) == 6
    buckets.take(1.0, "g")
    assert len(buckets) == 1


def test_a_name_that_has_used_its_tokens_up_is_told_how_long_to_wait() -> None:
    buckets = TokenBuckets(rate_per_s=0.5, burst=2)
    assert buckets.wait_s(1000.0, "ana") == 0
    while buckets.take(1000.0, "ana"):
        pass
    assert buckets.wait_s(1000.0, "ana") == 2
    assert buckets.wait_s(1001.0, "ana") == 1
    assert buckets.wait_s(1000.0, "ben") == 0
