import math

import pytest

from belvedere.control.odometry import Odometer


def test_the_position_follows_what_was_written() -> None:
    odometer = Odometer(20)
    odometer.receive_written(10, 0.5)
    odometer.receive_written(12, -1)
    odometer.receive_written(13, 0)
    assert odometer.position_deg(99) == pytest.approx(0.5 * 20 * 2 - 20)


def test_a_unit_turns_on_in_the_books_until_it_is_told_otherwise() -> None:
    odometer = Odometer(20, position_deg=5)
    odometer.receive_written(0, 1)
    assert odometer.position_deg(3) == 65


def test_without_calibration_there_is_no_position() -> None:
    odometer = Odometer(None)
    odometer.receive_written(0, 1)
    assert odometer.position_deg(1) is None


def test_a_clock_that_goes_backwards_neither_turns_the_axis_back_nor_forgets_what_it_turned() -> None:
    odometer = Odometer(20)
    odometer.receive_written(100, 1)
    odometer.receive_clock_jump(103, 50)
    assert odometer.position_deg(51) == pytest.approx(80)


def lost_and_found(odometer: Odometer, lost_at: float, found_at: float) -> None:
    odometer.receive_lost(lost_at)
    odometer.receive_attempted(found_at, 0)
    odometer.receive_written(found_at, 0)
    odometer.receive_found(found_at, -40, 40)


def test_what_was_turned_out_of_reach_counts_beyond_the_limit_too() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    lost_and_found(odometer, 1, 4)
    assert odometer.position_deg(4) == 80
    assert odometer.is_sure


def test_link_drops_at_a_limit_do_not_ratchet_past_it() -> None:
    odometer = Odometer(20, position_deg=39)
    truth, now = 39.0, 0.0
    for velocity in (1.0, -1.0) * 5:
        odometer.receive_written(now, velocity)
        lost_and_found(odometer, now + 1, now + 3)
        truth, now = truth + velocity * 20 * 3, now + 10
        assert odometer.position_deg(now) == pytest.approx(truth)


def test_after_a_long_way_out_of_reach_the_limit_is_as_good_a_guess_as_any_and_not_sure() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    lost_and_found(odometer, 1, 10)
    assert odometer.position_deg(10) == 40
    assert not odometer.is_sure


@pytest.mark.parametrize("way", [1, -1])
def test_where_it_stood_beyond_a_limit_is_not_forgotten_on_a_long_way_out_of_reach(way: int) -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, way)
    lost_and_found(odometer, 1, 3)  # it turned to 60, and was found in time
    odometer.receive_attempted(4, way)
    lost_and_found(odometer, 4.1, 99)
    assert odometer.position_deg(99) == 60 * way
    assert not odometer.is_sure


def test_a_unit_that_rested_out_of_reach_stands_where_it_stood() -> None:
    odometer = Odometer(20, position_deg=7)
    lost_and_found(odometer, 1, 1000)
    assert odometer.position_deg(1000) == 7
    assert odometer.is_sure


def test_while_it_turns_out_of_reach_it_is_not_sure() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    odometer.receive_lost(1)
    assert not odometer.is_sure


def test_a_move_on_its_way_is_reckoned_with_until_it_is_settled() -> None:
    odometer = Odometer(20)
    odometer.receive_attempted(0, 1)
    assert not odometer.is_sure
    assert [odometer.farthest_deg(0.5, way, 99) for way in (1, -1)] == [10, 0]
    odometer.receive_written(0.5, 1)
    assert [odometer.farthest_deg(1, way, 99) for way in (1, -1)] == [10, 10]
    assert odometer.is_sure


def test_a_move_on_its_way_when_the_link_is_lost_stays_a_doubt_that_grows_until_the_stop() -> None:
    odometer = Odometer(20)
    odometer.receive_attempted(0, -1)
    lost_and_found(odometer, 1, 3)
    assert odometer.position_deg(9) == 0
    assert not odometer.is_sure
    assert [odometer.farthest_deg(9, way, math.inf) for way in (1, -1)] == [0, -60]


def test_a_stop_written_just_before_the_link_was_lost_may_have_been_missed() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    odometer.receive_written(4, 0)
    lost_and_found(odometer, 4.2, 6)
    assert odometer.position_deg(9) == 80
    assert odometer.farthest_deg(9, 1, math.inf) == pytest.approx(80 + 20 * 2)
    assert not odometer.is_sure


def test_a_doubt_from_before_a_long_way_out_of_reach_stays() -> None:
    odometer = Odometer(20)
    odometer.receive_attempted(0, 1)
    lost_and_found(odometer, 0.5, 1)
    doubtful_deg = odometer.farthest_deg(2, 1, math.inf)
    odometer.receive_attempted(3, 1)
    lost_and_found(odometer, 3.1, 99)
    farthest_deg = odometer.farthest_deg(99, 1, math.inf)
    assert doubtful_deg is not None
    assert farthest_deg is not None
    assert 20 <= doubtful_deg <= farthest_deg <= 40
    assert not odometer.is_sure


def test_what_was_written_long_before_the_link_was_lost_arrived() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    odometer.receive_written(4, 0)
    lost_and_found(odometer, 5, 9)
    assert odometer.is_sure


def test_a_stop_that_never_ended_on_the_way_back_is_a_doubt_too() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    odometer.receive_lost(1)
    odometer.receive_attempted(2, 0)
    lost_and_found(odometer, 2.5, 4)
    assert odometer.position_deg(4) == 80
    assert odometer.farthest_deg(4, -1, math.inf) == pytest.approx(40)


def test_a_stop_missed_on_the_way_back_because_the_link_went_again_is_a_doubt() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    odometer.receive_lost(1)
    odometer.receive_written(2, 0)
    lost_and_found(odometer, 2.1, 4)
    assert odometer.position_deg(4) == 40
    assert odometer.farthest_deg(4, 1, math.inf) == pytest.approx(80)


def test_of_a_doubt_only_so_much_counts_that_the_head_can_still_be_driven() -> None:
    odometer = Odometer(20)
    odometer.receive_attempted(0, -1)
    odometer.receive_attempted(0, 1)
    lost_and_found(odometer, 1, 3)
    assert [odometer.farthest_deg(3, way, 15) for way in (1, -1)] == [15, -15]


def test_a_position_that_was_not_sure_when_kept_stays_so() -> None:
    assert not Odometer(20, 5, is_position_sure=False).is_sure


def test_a_unit_that_is_told_again_to_be_out_of_reach_has_been_so_since_the_first_time() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    odometer.receive_lost(1)
    lost_and_found(odometer, 5, 7)
    assert odometer.position_deg(7) == 40
    assert not odometer.is_sure


@pytest.mark.parametrize("way", [1, -1])
def test_after_a_long_way_out_of_reach_a_short_one_counts_again(way: int) -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, way)
    lost_and_found(odometer, 1, 10)
    odometer.receive_written(20, way)
    lost_and_found(odometer, 21, 22)
    assert odometer.position_deg(22) == way * (40 + 2 * 20)


@pytest.mark.parametrize("way", [1, -1])
def test_what_may_have_been_missed_is_reckoned_alike_both_ways(way: int) -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, way)
    odometer.receive_written(4, 0)
    lost_and_found(odometer, 4.2, 6)
    assert odometer.farthest_deg(9, way, math.inf) == pytest.approx(way * 120)
    nearest_deg = odometer.farthest_deg(9, -way, math.inf)
    assert nearest_deg is not None
    assert 70 <= way * nearest_deg <= 80


@pytest.mark.parametrize("way", [1, -1])
def test_a_unit_that_turned_on_out_of_reach_for_a_short_while_is_surely_where_that_took_it(way: int) -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, way)
    lost_and_found(odometer, 10, 11)
    assert odometer.position_deg(11) == way * 220
    assert odometer.is_sure


@pytest.mark.parametrize("way", [1, -1])
def test_a_reversal_on_its_way_is_reckoned_with_from_where_the_axis_turns_now(way: int) -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, way)
    odometer.receive_attempted(1, -way)
    assert odometer.farthest_deg(1.5, -way, math.inf) == pytest.approx(way * 10)
    assert odometer.farthest_deg(1.5, way, math.inf) == pytest.approx(way * 30)


def test_without_calibration_there_are_no_degrees_to_doubt() -> None:
    odometer = Odometer(None)
    for begins in (0, 10, 20, 30):
        odometer.receive_written(begins, 1)
        odometer.receive_written(begins + 1, -1)
        odometer.receive_attempted(begins + 1, 0)
        lost_and_found(odometer, begins + 1.2, begins + 4)
    assert odometer.is_sure


def test_what_was_written_before_a_unit_was_found_is_settled_by_its_stop() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    lost_and_found(odometer, 1, 3)
    lost_and_found(odometer, 3.2, 4)
    assert odometer.is_sure
    assert odometer.farthest_deg(4, 1, math.inf) == 60


@pytest.mark.parametrize(("away_s", "expected"), [(3, (80, True)), (6, (40, False))])
def test_how_long_a_unit_was_out_of_reach_does_not_depend_on_a_clock_that_goes_back(
    away_s: float, expected: tuple[float, bool]
) -> None:
    reckoned = []
    for back_s in (0, 49):
        odometer = Odometer(20)
        odometer.receive_written(100, 1)
        odometer.receive_lost(101)
        odometer.receive_clock_jump(102, 102 - back_s)
        found_at = 101 + away_s - back_s
        odometer.receive_written(found_at, 0)
        odometer.receive_found(found_at, -40, 40)
        reckoned.append((odometer.position_deg(found_at), odometer.is_sure))
    assert reckoned == [expected] * 2


def test_what_may_have_been_missed_does_not_depend_on_a_clock_that_goes_back() -> None:
    reckoned = []
    for back_s in (0, 49):
        odometer = Odometer(20)
        odometer.receive_written(100, 1)
        odometer.receive_written(104, 0)
        odometer.receive_clock_jump(104.1, 104.1 - back_s)
        lost_and_found(odometer, 104.2 - back_s, 106 - back_s)
        reckoned += [odometer.farthest_deg(106 - back_s, way, math.inf) for way in (1, -1)]
    assert reckoned[:2] == pytest.approx(reckoned[2:])
    assert reckoned[0] == pytest.approx(120)
