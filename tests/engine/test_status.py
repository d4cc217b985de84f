from belvedere.control.core import LeaseStatus
from belvedere.engine.status import AxisState, EngineStatus
from belvedere.link.supervisor import LinkPhase


def test_two_states_are_the_same_when_nothing_in_them_differs() -> None:
    def state(velocity: float) -> EngineStatus:
        axis = AxisState(LinkPhase.READY, None, velocity, 1.5, 0, 0.03)
        return EngineStatus(axis, axis, LeaseStatus(1, "ann", 0))

    assert state(0.5) == state(0.5)
    assert state(0.5) != state(0.25)
