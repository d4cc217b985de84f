import pytest

from belvedere.control.lease import Driver, Lease, LeaseStatus
from belvedere.control.options import ControlOptions
from belvedere.errors import Refusal, VisitorError

ANN = Driver("a", "ann", 0)
ANN_AGAIN = Driver("a2", "ann", 0)
BOB = Driver("b", "bob", 0)
ROOM = Driver("r", "resident", 1)


def test_every_grant_raises_the_epoch() -> None:
    lease = Lease(ControlOptions())
    epochs = []
    for driver in (ANN, ROOM, ANN):
        lease.grant(0, driver)
        epochs.append(lease.epoch)
    assert epochs == [1, 2, 3]


def test_asking_again_for_ones_own_lease_changes_nothing() -> None:
    lease = Lease(ControlOptions())
    assert lease.receive_acquire(0, ANN)
    assert not lease.receive_acquire(1, ANN)
    assert not lease.receive_take(1, ANN)
    assert lease.epoch == 1


def test_a_second_tab_of_the_same_person_does_not_get_a_lease_that_is_in_use() -> None:
    lease = Lease(ControlOptions())
    lease.receive_acquire(0, ANN)
    with pytest.raises(VisitorError) as caught:
        lease.receive_acquire(0, ANN_AGAIN)
    assert caught.value.refusal is Refusal.SOMEONE_ELSE_DRIVES


def test_a_higher_rank_takes_from_a_lower_and_not_the_other_way_round() -> None:
    lease = Lease(ControlOptions())
    lease.receive_acquire(0, ANN)
    lease.receive_take(0, ROOM)
    with pytest.raises(VisitorError) as caught:
        lease.receive_take(0, ANN)
    assert caught.value.refusal is Refusal.OUTRANKED


def test_the_grace_time_is_for_the_same_person_only() -> None:
    lease = Lease(ControlOptions(lease_grace_s=10))
    lease.receive_acquire(0, ANN)
    lease.receive_gone(1, ANN.session)
    with pytest.raises(VisitorError):
        lease.receive_acquire(2, BOB)
    assert lease.receive_acquire(3, ANN_AGAIN)


def test_a_lease_ends_when_its_driver_is_silent_or_does_not_reconnect() -> None:
    lease = Lease(ControlOptions(lease_stale_s=5, lease_grace_s=10))
    lease.receive_acquire(0, ANN)
    lease.receive_heartbeat(3, ANN.session)
    assert (lease.deadline(3), lease.tick(7.9)) == (8, None)
    assert lease.tick(8) == ANN
    lease.receive_acquire(8, BOB)
    assert lease.receive_gone(9, BOB.session)
    assert (lease.tick(18.9), lease.tick(19)) == (None, BOB)
    assert lease.deadline(19) is None


def test_a_session_that_does_not_drive_cannot_return_end_or_renew_the_lease() -> None:
    lease = Lease(ControlOptions())
    lease.receive_acquire(0, ANN)
    lease.receive_heartbeat(4, BOB.session)
    assert (lease.receive_return(BOB.session), lease.receive_gone(1, BOB.session)) == (False, False)
    assert lease.deadline(4) == 5


def test_after_a_clock_jump_the_driver_has_no_more_than_the_full_time() -> None:
    lease = Lease(ControlOptions(lease_stale_s=5, lease_grace_s=10))
    lease.receive_acquire(1000, ANN)
    lease.receive_clock_jump(10)
    assert lease.deadline(10) == 20


def test_asking_again_for_ones_own_lease_renews_it() -> None:
    lease = Lease(ControlOptions(lease_stale_s=5))
    lease.receive_acquire(0, ANN)
    lease.receive_acquire(3, ANN)
    assert lease.deadline(3) == 8


def test_taking_says_whether_anything_changed() -> None:
    lease = Lease(ControlOptions())
    assert [lease.receive_take(0, driver) for driver in (ANN, ANN, ROOM)] == [True, False, True]


def test_a_returned_lease_is_free_for_any_session() -> None:
    lease = Lease(ControlOptions())
    lease.receive_acquire(0, ANN)
    assert lease.receive_return(ANN.session)
    assert (lease.driver, lease.deadline(0), lease.receive_return(ANN.session)) == (None, None, False)
    assert lease.receive_acquire(1, BOB)


def test_a_clock_jump_while_the_lease_is_free_changes_nothing() -> None:
    lease = Lease(ControlOptions(lease_stale_s=5))
    lease.receive_clock_jump(-1000)
    lease.receive_acquire(-1000, ANN)
    assert lease.deadline(-1000) == -995


def test_an_equal_takes_nothing_from_a_driver_who_is_there_nor_in_the_grace_time() -> None:
    lease = Lease(ControlOptions())
    lease.receive_acquire(0, ANN)
    for _ in range(2):
        with pytest.raises(VisitorError) as caught:
            lease.receive_take(9, BOB)
        assert caught.value.refusal is Refusal.SOMEONE_ELSE_DRIVES
        lease.receive_gone(9, ANN.session)


def test_a_person_takes_the_lease_from_their_own_other_window() -> None:
    lease = Lease(ControlOptions())
    lease.receive_acquire(0, ANN)
    assert lease.receive_take(1, ANN_AGAIN)


def test_an_idle_driver_may_be_replaced_by_anybody_and_a_fresh_one_is_not_idle() -> None:
    lease = Lease(ControlOptions(lease_idle_s=10, lease_stale_s=60))
    lease.receive_acquire(100, ROOM)
    assert lease.deadline(100) == 110
    assert [lease.status(now).is_idle for now in (109.9, 110)] == [False, True]
    lease.receive_motion(105)
    assert (lease.deadline(105), lease.status(114.9).is_idle) == (115, False)
    assert lease.receive_take(115, BOB)
    assert not lease.status(124.9).is_idle


def test_an_idle_driver_needs_no_second_deadline() -> None:
    lease = Lease(ControlOptions(lease_idle_s=10, lease_stale_s=60))
    lease.receive_acquire(0, ANN)
    assert (lease.deadline(9.9), lease.deadline(10)) == (10, 60)


def test_a_clock_that_goes_back_does_not_put_off_the_time_at_which_a_driver_is_idle() -> None:
    lease = Lease(ControlOptions(lease_idle_s=10, lease_stale_s=60))
    lease.receive_acquire(1000, ANN)
    lease.receive_clock_jump(10)
    assert lease.status(20).is_idle


def test_the_status_says_when_the_lease_of_a_lost_driver_will_be_free() -> None:
    lease = Lease(ControlOptions(lease_grace_s=10))
    lease.receive_acquire(0, ANN)
    assert lease.status(1) == LeaseStatus(1, "a", 0, "ann")
    lease.receive_gone(1, ANN.session)
    assert lease.status(1) == LeaseStatus(1, "a", 0, "ann", free_at_s=11)
    lease.receive_acquire(3, ANN_AGAIN)
    assert lease.status(3) == LeaseStatus(2, "a2", 0, "ann")
    lease.receive_return(ANN_AGAIN.session)
    assert lease.status(3) == LeaseStatus(2, None, 0)
