from belvedere.control.setpoint import Setpoint
from belvedere.head.axes import Axis


def test_each_axis_has_its_own_velocity() -> None:
    setpoint = Setpoint(epoch=1, hold=1, seq=1, pan=0.25, tilt=-0.5, sent_at_s=0)
    assert [setpoint.velocity(axis) for axis in (Axis.PAN, Axis.TILT)] == [0.25, -0.5]
    assert setpoint.is_possible


def test_what_is_not_a_number_is_not_possible() -> None:
    assert not Setpoint(epoch=1, hold=1, seq=1, pan=float("nan"), tilt=0, sent_at_s=0).is_possible
