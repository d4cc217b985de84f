from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from belvedere.stage.direct.loss_window import LossWindow


def test_many_reports_in_a_short_time_are_one_share() -> None:
    window, found = LossWindow(), []
    for number in range(101):  # every 10 ms: 5 packets, and every fourth time 2 of them are lost
        share = window.receive_report(number / 100, number * 5, number // 4 * 2)
        found += [] if share is None else [share]
    assert len(found) == 2
    assert all(abs(share - 0.1) < 0.02 for share in found)


def test_a_stream_of_few_packets_is_measured_for_longer() -> None:
    window = LossWindow()
    shares = [window.receive_report(float(second), second * 5, second) for second in range(6)]
    assert shares == [None, None, None, None, 0.2, None]


def test_packets_that_were_found_again_are_no_loss_and_counters_that_go_back_begin_anew() -> None:
    window = LossWindow()
    window.receive_report(0.0, 1000, 50)
    assert window.receive_report(1.0, 1100, 40) == 0.0
    assert window.receive_report(2.0, 3, 0) is None
    assert window.receive_report(3.0, 103, 100) == 1.0
    assert window.receive_report(4.0, 203, 2**23 - 1) == 1.0


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 2**32 - 1), st.integers(-(2**23), 2**23 - 1))))
def test_whatever_is_reported_the_share_is_one(reports: list[tuple[float, int, int]]) -> None:
    window, now_s = LossWindow(), 0.0
    for passed_s, highest, lost in reports:
        now_s += passed_s
        share = window.receive_report(now_s, highest, lost)
        assert share is None or 0 <= share <= 1
