from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from belvedere.stage.token_bucket import TokenBucket


def test_a_burst_is_there_at_once_and_then_the_rate() -> None:
    bucket = TokenBucket(per_s=10, burst=3)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.wait_s(100.0) == 0.1
    assert not bucket.take(100.09)
    assert bucket.take(100.1001)


def test_a_long_pause_gives_no_more_than_a_burst() -> None:
    bucket = TokenBucket(per_s=10, burst=3)
    assert bucket.take(0.0, 3)
    assert bucket.take(1000.0, 3)
    assert not bucket.take(1000.0)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 5)), max_size=50))
def test_never_is_more_spent_than_came(steps: list[tuple[float, int]]) -> None:
    bucket, now_s, spent = TokenBucket(per_s=7, burst=5), 0.0, 0
    for pause_s, tokens in steps:
        now_s += pause_s
        spent += tokens if bucket.take(now_s, tokens) else 0
        assert spent <= 5 + 7 * now_s + 1e-6
