from __future__ import annotations

from belvedere.stage.keyframe_requests import APART_S, BURST, PER_S, REPEAT_S, KeyframeBudget, ViewerRequests


def test_a_first_request_is_passed_on_at_once() -> None:
    assert ViewerRequests().receive_request(5.0)


def test_a_repeated_request_waits_and_is_passed_on_once_when_due() -> None:
    viewer = ViewerRequests()
    assert viewer.receive_request(5.0)
    assert [viewer.receive_request(5.0 + step / 10) for step in range(1, 6)] == [False] * 5
    assert not viewer.is_due(5.0 + REPEAT_S * 0.99)
    assert viewer.is_due(5.0 + REPEAT_S)
    assert not viewer.is_due(5.0 + 10 * REPEAT_S)


def test_any_key_frame_satisfies_a_waiting_request() -> None:
    viewer = ViewerRequests()
    assert viewer.receive_request(5.0)
    assert not viewer.receive_request(5.5)
    viewer.receive_keyframe()
    assert not viewer.is_due(5.0 + 10 * REPEAT_S)


def test_endless_requests_get_one_key_frame_a_second() -> None:
    viewer = ViewerRequests()
    assert sum(viewer.receive_request(step / 100) for step in range(1000)) == 10


def test_one_viewers_requests_do_not_delay_anothers() -> None:
    greedy, honest = ViewerRequests(), ViewerRequests()
    for step in range(10):
        greedy.receive_request(step / 10)
    assert honest.receive_request(1.0)


def test_simultaneous_requests_share_one_key_frame() -> None:
    budget = KeyframeBudget()
    assert budget.take(5.0)
    budget.receive_keyframe(5.0)
    assert not budget.take(5.0 + APART_S * 0.9)
    assert budget.take(5.0 + APART_S * 1.1)


def test_all_viewers_together_get_a_bounded_number() -> None:
    budget, taken = KeyframeBudget(), 0
    for step in range(10 * 30):
        if budget.take(step / 30):
            budget.receive_keyframe(step / 30)
            taken += 1
    assert taken <= BURST + 10 * PER_S
    assert taken >= 10 * PER_S
