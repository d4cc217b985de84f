from belvedere.control.core import LeaseStatus
from belvedere.engine.status import AxisState, EngineStatus
from belvedere.link.supervisor import LinkPhase


def test_two_states_are_the_same_when_nothing_in_them_differs() -> None:
    def state(velocity: float) -> EngineStatus:
        axis = AxisState(LinkPhase.READY, None, velocity, 1.5, 0, 0.03)
        return EngineStatus(axis, axis, LeaseStatus(1, "ann", 0))

    assert state(0.5) == state(0.5)
    assert state(0.5) != state(0.25)


def test_an_axis_rests_only_where_it_was_told_to_and_the_radio_took_that() -> None:
    def rests(velocity: float, written: float) -> bool:
        return AxisState(LinkPhase.READY, None, velocity, 1.5, 0, 0.03, written).is_at_rest

    assert [rests(0, 0), rests(0.5, 0), rests(0, 0.5), rests(1, 1)] == [True, False, False, False]
