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


def test_what_was_reckoned_beyond_a_limit_is_put_back_to_it() -> None:
    odometer = Odometer(20)
    odometer.receive_written(0, 1)
    odometer.receive_limits(10, -40, 40)
    assert odometer.position_deg(10) == 40


def test_a_clock_that_goes_backwards_does_not_turn_the_axis_back() -> None:
    odometer = Odometer(20)
    odometer.receive_written(100, 1)
    odometer.receive_clock_jump(50)
    assert odometer.position_deg(51) == pytest.approx(20)
