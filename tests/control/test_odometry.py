import math

import pytest

from belvedere.control.odometry import Odometer


def test_the_position_follows_what_was_written() -> None:
    odometer = Odometer(20)
    odometer.receive_written(10, 0.5)
    odometer.receive_written(12, -1)
    odometer.receive_written(15, 0)
    assert odometer.position_deg(99) == pytest.approx(0.5 * 20 * 2 - 20 * 3)


def test_a_unit_is_reckoned_to_turn_until_the_next_write() -> None:
    odometer = Odometer(20, position_deg=5)
    odometer.receive_written(0, 1)
    assert odometer.position_deg(3) == 65


def test_without_calibration_there_is_no_position() -> None:
    odometer = Odometer(None)
    odometer.receive_written(0, 1)
    assert odometer.position_deg(1) is None


def test_a_clock_that_goes_backwards_does_not_change_the_reckoned_position() -> None:
    odometer = Odometer(20)
    odometer.receive_written(100, 1)
    odometer.receive_clock_jump(103, 50)
    assert odometer.position_deg(51) == pytest.approx(80)


def lost_and_found(odometer: Odometer, lost_at: float, found_at: float) -> None:
    odometer.receive_lost(lost_at)
    odometer.receive_attempted(found_at, 0)
    odometer.receive_written(found_at, 0)
    odometer.receive_found(found_at, -40, 40)


def test_rotation_out_of_reach_counts_even_beyond_the_limit() -> None:
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


def test_after_a_long_outage_the_position_is_clamped_to_the_limit_and_not_sure() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    lost_and_found(odometer, 1, 10)
    assert odometer.position_deg(10) == 40
    assert not odometer.is_sure


@pytest.mark.parametrize("direction", [1, -1])
def test_after_a_long_outage_a_position_already_beyond_the_limit_is_kept(direction: int) -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, direction)
    lost_and_found(odometer, 1, 3)  # it turned to 60, and was found in time
    odometer.receive_attempted(4, direction)
    lost_and_found(odometer, 4.1, 99)
    assert odometer.position_deg(99) == 60 * direction
    assert not odometer.is_sure


def test_a_unit_at_rest_keeps_its_position_during_an_outage() -> None:
    odometer = Odometer(20, position_deg=7)
    lost_and_found(odometer, 1, 1000)
    assert odometer.position_deg(1000) == 7
    assert odometer.is_sure


def test_the_position_is_not_sure_while_the_unit_turns_out_of_reach() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    odometer.receive_lost(1)
    assert not odometer.is_sure


def test_an_attempted_move_widens_the_interval_until_it_is_written() -> None:
    odometer = Odometer(20)
    odometer.receive_attempted(0, 1)
    assert not odometer.is_sure
    assert [odometer.farthest_deg(0.5, direction, 99) for direction in (1, -1)] == [10, 0]
    odometer.receive_written(0.5, 1)
    assert [odometer.farthest_deg(1, direction, 99) for direction in (1, -1)] == [10, 10]
    assert odometer.is_sure


def test_a_move_attempted_when_the_link_is_lost_widens_the_interval_until_the_stop() -> None:
    odometer = Odometer(20)
    odometer.receive_attempted(0, -1)
    lost_and_found(odometer, 1, 3)
    assert odometer.position_deg(9) == 0
    assert not odometer.is_sure
    assert [odometer.farthest_deg(9, direction, math.inf) for direction in (1, -1)] == [0, -60]


def test_a_stop_written_just_before_the_link_was_lost_may_have_been_missed() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    odometer.receive_written(4, 0)
    lost_and_found(odometer, 4.2, 6)
    assert odometer.position_deg(9) == 80
    assert odometer.farthest_deg(9, 1, math.inf) == pytest.approx(80 + 20 * 2)
    assert not odometer.is_sure


def test_uncertainty_from_before_a_long_outage_stays() -> None:
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


def test_a_write_long_before_the_link_was_lost_has_arrived() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    odometer.receive_written(4, 0)
    lost_and_found(odometer, 5, 9)
    assert odometer.is_sure


def test_a_stop_that_did_not_complete_after_a_reconnect_leaves_uncertainty() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    odometer.receive_lost(1)
    odometer.receive_attempted(2, 0)
    lost_and_found(odometer, 2.5, 4)
    assert odometer.position_deg(4) == 80
    assert odometer.farthest_deg(4, -1, math.inf) == pytest.approx(40)


def test_a_stop_that_may_be_missed_because_the_link_was_lost_again_leaves_uncertainty() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    odometer.receive_lost(1)
    odometer.receive_written(2, 0)
    lost_and_found(odometer, 2.1, 4)
    assert odometer.position_deg(4) == 40
    assert odometer.farthest_deg(4, 1, math.inf) == pytest.approx(80)


def test_only_a_bounded_part_of_the_uncertainty_counts_against_limits() -> None:
    odometer = Odometer(20)
    odometer.receive_attempted(0, -1)
    odometer.receive_attempted(0, 1)
    lost_and_found(odometer, 1, 3)
    assert [odometer.farthest_deg(3, direction, 15) for direction in (1, -1)] == [15, -15]


def test_a_position_that_was_not_sure_when_saved_stays_so() -> None:
    assert not Odometer(20, 5, is_position_sure=False).is_sure


def test_an_outage_is_counted_from_the_first_report_of_the_loss() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    odometer.receive_lost(1)
    lost_and_found(odometer, 5, 7)
    assert odometer.position_deg(7) == 40
    assert not odometer.is_sure


@pytest.mark.parametrize("direction", [1, -1])
def test_rotation_counts_again_in_a_short_outage_after_a_long_one(direction: int) -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, direction)
    lost_and_found(odometer, 1, 10)
    odometer.receive_written(20, direction)
    lost_and_found(odometer, 21, 22)
    assert odometer.position_deg(22) == direction * (40 + 2 * 20)


@pytest.mark.parametrize("direction", [1, -1])
def test_possibly_missed_writes_count_alike_in_both_directions(direction: int) -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, direction)
    odometer.receive_written(4, 0)
    lost_and_found(odometer, 4.2, 6)
    assert odometer.farthest_deg(9, direction, math.inf) == pytest.approx(direction * 120)
    nearest_deg = odometer.farthest_deg(9, -direction, math.inf)
    assert nearest_deg is not None
    assert 70 <= direction * nearest_deg <= 80


@pytest.mark.parametrize("direction", [1, -1])
def test_rotation_in_a_short_outage_leaves_the_position_sure(direction: int) -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, direction)
    lost_and_found(odometer, 10, 11)
    assert odometer.position_deg(11) == direction * 220
    assert odometer.is_sure


@pytest.mark.parametrize("direction", [1, -1])
def test_an_attempted_reversal_widens_the_interval_in_its_direction_only(direction: int) -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, direction)
    odometer.receive_attempted(1, -direction)
    assert odometer.farthest_deg(1.5, -direction, math.inf) == pytest.approx(direction * 10)
    assert odometer.farthest_deg(1.5, direction, math.inf) == pytest.approx(direction * 30)


def test_without_calibration_there_is_no_uncertainty_of_position() -> None:
    odometer = Odometer(None)
    for begins in (0, 10, 20, 30):
        odometer.receive_written(begins, 1)
        odometer.receive_written(begins + 1, -1)
        odometer.receive_attempted(begins + 1, 0)
        lost_and_found(odometer, begins + 1.2, begins + 4)
    assert odometer.is_sure


def test_the_stop_after_a_reconnect_resolves_earlier_writes() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    lost_and_found(odometer, 1, 3)
    lost_and_found(odometer, 3.2, 4)
    assert odometer.is_sure
    assert odometer.farthest_deg(4, 1, math.inf) == 60


@pytest.mark.parametrize(("away_s", "expected"), [(3, (80, True)), (6, (40, False))])
def test_the_duration_of_an_outage_does_not_depend_on_a_clock_jump(away_s: float, expected: tuple[float, bool]) -> None:
    results = []
    for back_s in (0, 49):
        odometer = Odometer(20)
        odometer.receive_written(100, 1)
        odometer.receive_lost(101)
        odometer.receive_clock_jump(102, 102 - back_s)
        found_at = 101 + away_s - back_s
        odometer.receive_written(found_at, 0)
        odometer.receive_found(found_at, -40, 40)
        results.append((odometer.position_deg(found_at), odometer.is_sure))
    assert results == [expected] * 2


def test_possibly_missed_writes_do_not_depend_on_a_clock_jump() -> None:
    results = []
    for back_s in (0, 49):
        odometer = Odometer(20)
        odometer.receive_written(100, 1)
        odometer.receive_written(104, 0)
        odometer.receive_clock_jump(104.1, 104.1 - back_s)
        lost_and_found(odometer, 104.2 - back_s, 106 - back_s)
        results += [odometer.farthest_deg(106 - back_s, direction, math.inf) for direction in (1, -1)]
    assert results[:2] == pytest.approx(results[2:])
    assert results[0] == pytest.approx(120)
