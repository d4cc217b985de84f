"""The room's rules: curtain, knocks, quiet hours, who is here, and what survives a restart."""

import pytest
from tests.privacy.rig import EPOCH_S, PrivacyRig

from belvedere.errors import Refusal, VisitorError
from belvedere.privacy.core import SAVE_AGAIN_S, Doing
from belvedere.privacy.effects import Answered, Save
from belvedere.privacy.hours import QuietSpan
from belvedere.privacy.state import RoomState
from belvedere.privacy.visitor import ASK_AGAIN_S, KNOCK_TIMEOUT_S, VISIT_GRACE_S
from belvedere.privacy.words import AccessState, Answer, Fault, Welcome

CLOSED = RoomState(is_closed=True, by="mei", since_utc_s=5)
AFTERNOON = QuietSpan(0, 13 * 60, 14 * 60)  # Monday: an hour after the rig's beginning


def refusal_of(knock: VisitorError) -> Refusal:
    return knock.refusal


# the curtain


def test_the_curtain_closes_at_once_and_is_saved_after_everything_else() -> None:
    rig = PrivacyRig()
    rig.is_saving = False
    rig.curtain(is_closed=True)
    assert rig.access() is AccessState.CURTAIN
    assert rig.take_effects() == ["Withhold", "Cut", "Park", "Tell", "Save"]
    assert rig.core.state.by == "mei"
    assert rig.core.state.since_utc_s == int(rig.at.utc_s)
    assert rig.is_unsaved()
    rig.finish_save()
    assert not rig.is_unsaved()


def test_a_curtain_that_is_closed_is_cut_again_but_neither_saved_nor_does_the_head_move_again() -> None:
    rig = PrivacyRig(CLOSED)
    rig.curtain(is_closed=True)
    assert rig.take_effects() == ["Withhold", "Cut", "Tell"]
    assert rig.core.state.since_utc_s == 5


def test_the_curtain_opens_when_that_is_saved() -> None:
    rig = PrivacyRig(CLOSED)
    rig.is_saving = False
    rig.curtain(is_closed=False)
    assert rig.access() is AccessState.CURTAIN
    rig.finish_save()
    assert rig.access() is AccessState.OPEN
    assert rig.take_effects()[-3:] == ["Uncover", "Withhold", "Tell"]


def test_a_curtain_that_cannot_be_saved_is_closed_and_says_so_and_is_saved_again() -> None:
    rig = PrivacyRig()
    rig.is_saving = False
    rig.curtain(is_closed=True)
    rig.fail_save()
    assert rig.access() is AccessState.CURTAIN
    assert rig.core.faults == {Fault.STORE}
    assert rig.is_unsaved()
    rig.wait(SAVE_AGAIN_S)
    assert [save.state.is_closed for save in rig.saves] == [True]
    rig.finish_save()
    assert not rig.is_unsaved()
    assert not rig.core.faults


def test_another_tap_saves_at_once_what_could_not_be_saved() -> None:
    rig = PrivacyRig()
    rig.is_saving = False
    rig.curtain(is_closed=True)
    rig.fail_save()
    rig.curtain(is_closed=True)
    assert len(rig.saves) == 1


def test_a_curtain_whose_opening_cannot_be_saved_stays_closed_also_later() -> None:
    rig = PrivacyRig(CLOSED)
    rig.is_saving = False
    rig.curtain(is_closed=False)
    rig.fail_save()
    rig.is_saving = True
    rig.wait(10 * SAVE_AGAIN_S)
    assert rig.access() is AccessState.CURTAIN
    assert rig.core.is_saved
    assert rig.core.state.is_closed


def test_a_curtain_whose_closing_could_not_be_saved_does_not_open_before_that_is_saved() -> None:
    rig = PrivacyRig()
    rig.is_saving = False
    rig.curtain(is_closed=True)
    rig.fail_save()
    rig.curtain(is_closed=False)
    assert rig.access() is AccessState.CURTAIN
    rig.fail_save()
    assert rig.access() is AccessState.CURTAIN
    rig.curtain(is_closed=False)
    rig.finish_save()
    assert rig.access() is AccessState.OPEN


def test_a_curtain_closed_while_it_opens_stays_closed_whichever_save_is_done() -> None:
    rig = PrivacyRig(CLOSED)
    rig.is_saving = False
    rig.curtain(is_closed=False)
    rig.curtain(is_closed=True)
    rig.finish_save()
    assert rig.access() is AccessState.CURTAIN
    rig.fail_save()
    assert rig.access() is AccessState.CURTAIN


def test_until_it_is_known_whether_the_curtain_was_closed_it_is() -> None:
    rig = PrivacyRig(is_loaded=False)
    rig.core.receive_load_failed(rig.at)
    assert rig.access() is AccessState.CURTAIN
    assert rig.core.faults == {Fault.STORE}
    with pytest.raises(VisitorError) as refused:
        rig.core.receive_curtain(rig.at, "mei", is_closed=False)
    assert refused.value.refusal is Refusal.NOT_READY
    rig.core.receive_loaded(rig.at, RoomState())
    assert rig.access() is AccessState.OPEN
    assert not rig.core.faults


def test_a_tap_before_it_is_known_counts() -> None:
    rig = PrivacyRig(is_loaded=False)
    rig.curtain(is_closed=True)
    rig.core.receive_loaded(rig.at, RoomState(welcomes={"bo": Welcome.ASKED}))
    rig.tick()
    assert rig.access() is AccessState.CURTAIN
    assert rig.core.state.welcomes == {"bo": Welcome.ASKED}
    assert rig.core.is_saved


def test_at_the_very_first_start_the_curtain_is_open_and_that_is_saved() -> None:
    rig = PrivacyRig(None, is_loaded=False)
    rig.core.receive_loaded(rig.at, None)
    rig.tick()
    assert rig.access() is AccessState.OPEN
    assert [effect.state for effect in rig.effects if isinstance(effect, Save)] == [RoomState()]


def test_a_state_that_was_saved_is_not_saved_again() -> None:
    rig = PrivacyRig(is_loaded=False)
    rig.core.receive_loaded(rig.at, RoomState(welcomes={"bo": Welcome.ALWAYS}))
    rig.tick()
    assert rig.take_effects() == ["Uncover", "Withhold", "Tell"]


# knocks


def test_who_must_knock_sees_nothing_until_the_room_says_yes() -> None:
    rig = PrivacyRig(ask_first=True)
    assert rig.access() is AccessState.KNOCK
    rig.core.receive_knock(rig.at, "ann")
    rig.tick()
    assert rig.take_effects() == ["Chime", "Tell"]
    assert rig.access_of().until_utc_s == rig.at.utc_s + KNOCK_TIMEOUT_S
    assert [knock.person for knock in rig.core.knocks] == ["ann"]
    rig.core.receive_answer(rig.at, "ann", Answer.YES)
    rig.tick()
    assert rig.access() is AccessState.OPEN
    assert rig.access("bo") is AccessState.KNOCK
    assert rig.take_effects() == ["Answered", "Withhold", "Tell"]


def test_knocking_again_while_waiting_does_not_chime_again() -> None:
    rig = PrivacyRig(ask_first=True)
    for _ in range(1000):
        rig.core.receive_knock(rig.at, "ann")
    rig.tick()
    assert rig.take_effects() == ["Chime", "Tell"]


def test_silence_is_a_kind_no_and_after_a_pause_the_person_may_knock_again() -> None:
    rig = PrivacyRig(ask_first=True)
    rig.core.receive_knock(rig.at, "ann")
    rig.wait(KNOCK_TIMEOUT_S)
    assert rig.access() is AccessState.REFUSED
    assert Answered("ann", Answer.NO) in rig.effects
    with pytest.raises(VisitorError) as refused:
        rig.core.receive_knock(rig.at, "ann")
    assert refused.value.refusal is Refusal.NOT_WELCOMED
    rig.wait(ASK_AGAIN_S)
    assert rig.access() is AccessState.KNOCK
    rig.core.receive_knock(rig.at, "ann")
    assert rig.access() is AccessState.WAITING


def test_always_welcome_is_let_in_now_and_saved_for_later() -> None:
    rig = PrivacyRig(ask_first=True)
    rig.is_saving = False
    rig.core.receive_answer(rig.at, "ann", Answer.ALWAYS)
    rig.tick()
    assert rig.access() is AccessState.OPEN
    rig.finish_save()
    rig.wait(2 * VISIT_GRACE_S)
    assert rig.access() is AccessState.OPEN
    assert rig.core.state.welcomes == {"ann": Welcome.ALWAYS}


def test_a_welcome_that_cannot_be_saved_is_for_this_visit_only() -> None:
    rig = PrivacyRig(ask_first=True)
    rig.is_saving = False
    rig.core.receive_answer(rig.at, "ann", Answer.ALWAYS)
    rig.tick()
    rig.fail_save()
    rig.wait(2 * VISIT_GRACE_S)
    assert rig.access() is AccessState.KNOCK


def test_a_visit_that_was_permitted_once_ends_when_the_person_is_away() -> None:
    rig = PrivacyRig(ask_first=True)
    rig.core.receive_answer(rig.at, "ann", Answer.YES)
    rig.present("ann")
    rig.wait(3600)
    assert rig.access() is AccessState.OPEN
    rig.present()
    rig.wait(VISIT_GRACE_S)
    assert rig.access() is AccessState.KNOCK


def test_no_ends_the_visit_of_whoever_is_always_welcome() -> None:
    rig = PrivacyRig()
    rig.present("ann")
    rig.take_effects()
    rig.core.receive_answer(rig.at, "ann", Answer.NO)
    rig.tick()
    assert rig.access() is AccessState.REFUSED
    assert rig.take_effects() == ["Withhold", "Tell"]
    rig.wait(ASK_AGAIN_S)
    assert rig.access() is AccessState.OPEN


def test_who_must_knock_from_now_on_is_withheld_from_at_once() -> None:
    rig = PrivacyRig()
    rig.is_saving = False
    rig.core.receive_welcome(rig.at, "ann", Welcome.ASKED)
    rig.tick()
    assert rig.access() is AccessState.KNOCK
    assert rig.access("bo") is AccessState.OPEN
    rig.fail_save()
    assert rig.access() is AccessState.KNOCK


def test_the_closed_curtain_ends_visits_and_knocks_and_takes_no_knock() -> None:
    rig = PrivacyRig(ask_first=True)
    rig.core.receive_answer(rig.at, "ann", Answer.YES)
    rig.core.receive_knock(rig.at, "bo")
    rig.curtain(is_closed=True)
    with pytest.raises(VisitorError) as refused:
        rig.core.receive_knock(rig.at, "bo")
    assert refused.value.refusal is Refusal.CURTAIN_CLOSED
    with pytest.raises(VisitorError) as not_open:
        rig.core.receive_answer(rig.at, "bo", Answer.YES)
    assert not_open.value.refusal is Refusal.CURTAIN_CLOSED
    rig.curtain(is_closed=False)
    assert rig.access("ann") is AccessState.KNOCK
    assert rig.access("bo") is AccessState.KNOCK
    assert not rig.core.knocks


def test_who_is_forgotten_begins_anew() -> None:
    rig = PrivacyRig(ask_first=True)
    rig.core.receive_answer(rig.at, "ann", Answer.ALWAYS)
    rig.core.receive_forgotten(rig.at, "ann")
    rig.tick()
    assert rig.access() is AccessState.KNOCK
    assert not rig.core.state.welcomes


# quiet hours


def test_quiet_hours_begin_and_end_by_themselves() -> None:
    rig = PrivacyRig(RoomState(quiet=(AFTERNOON,)))
    rig.present("ann")
    rig.wait(3599.9)
    assert rig.access() is AccessState.OPEN
    rig.take_effects()
    rig.wait(0.1)
    assert rig.take_effects() == ["Withhold", "Tell"]
    assert rig.access_of().state is AccessState.QUIET
    assert rig.access_of().until_utc_s == EPOCH_S + 14 * 3600
    with pytest.raises(VisitorError) as refused:
        rig.core.receive_knock(rig.at, "ann")
    assert refused.value.refusal is Refusal.QUIET_HOURS
    rig.wait(3600)
    assert rig.access() is AccessState.OPEN
    assert rig.take_effects() == ["Withhold", "Tell"]


def test_quiet_hours_end_a_visit_that_was_permitted_before() -> None:
    rig = PrivacyRig(RoomState(quiet=(AFTERNOON,)))
    rig.present("ann")
    rig.core.receive_answer(rig.at, "ann", Answer.YES)
    rig.wait(3600)
    assert rig.access() is AccessState.QUIET


def test_the_room_may_make_an_exception_in_quiet_hours() -> None:
    rig = PrivacyRig(RoomState(quiet=(AFTERNOON,)))
    rig.wait(3600)
    rig.core.receive_answer(rig.at, "ann", Answer.YES)
    rig.present("ann")
    assert rig.access() is AccessState.OPEN
    assert rig.access("bo") is AccessState.QUIET


def test_quiet_hours_are_in_force_at_once_and_fewer_ones_once_they_are_saved() -> None:
    rig = PrivacyRig()
    rig.is_saving = False
    noon = QuietSpan(0, 0, 0)
    rig.core.receive_quiet(rig.at, [noon])
    rig.tick()
    assert rig.access() is AccessState.QUIET
    rig.finish_save()
    rig.core.receive_quiet(rig.at, [])
    rig.tick()
    assert rig.access() is AccessState.QUIET
    rig.finish_save()
    assert rig.access() is AccessState.OPEN


def test_hours_that_never_end_have_no_end_to_tell() -> None:
    rig = PrivacyRig(RoomState(quiet=tuple(QuietSpan(day, 0, 0) for day in range(7))))
    assert rig.access_of().state is AccessState.QUIET
    assert rig.access_of().until_utc_s is None


# who is here


def test_who_is_here_is_known_with_the_beginning_and_in_order() -> None:
    rig = PrivacyRig()
    rig.present("bo")
    began = rig.at.utc_s
    rig.wait(30)
    rig.take_effects()
    rig.core.receive_presence(rig.at, {"ann": Doing(drives=True), "bo": Doing(looks=True, hears=True)})
    rig.tick()
    assert list(rig.core.here) == ["bo", "ann"]
    assert rig.core.here["bo"].since_utc_s == began
    assert rig.core.here["bo"].doing == Doing(looks=True, hears=True)
    assert rig.core.here["ann"].since_utc_s == began + 30
    assert rig.take_effects() == ["Tell"]
    rig.core.receive_presence(rig.at, {"ann": Doing(drives=True), "bo": Doing(looks=True, hears=True)})
    rig.tick()
    assert rig.take_effects() == []


def test_a_fault_is_told_once_and_until_it_is_over() -> None:
    rig = PrivacyRig()
    rig.core.receive_fault(rig.at, Fault.PARK, is_failed=True)
    rig.core.receive_fault(rig.at, Fault.PARK, is_failed=True)
    rig.tick()
    assert rig.core.faults == {Fault.PARK}
    assert rig.take_effects() == ["Tell"]
    rig.core.receive_fault(rig.at, Fault.PARK, is_failed=False)
    assert not rig.core.faults


def test_nothing_is_due_in_an_open_room() -> None:
    rig = PrivacyRig()
    assert rig.core.deadline(rig.at) == float("inf")
    rig.core.receive_fault(rig.at, Fault.PARK, is_failed=True)
    assert rig.core.deadline(rig.at) == rig.at.now


def test_an_unknown_save_changes_nothing() -> None:
    rig = PrivacyRig(CLOSED)
    rig.core.receive_saved(rig.at, 99)
    rig.core.receive_save_failed(rig.at, 99)
    rig.tick()
    assert rig.take_effects() == []
    assert rig.access() is AccessState.CURTAIN


# the microphone


def test_the_microphone_is_off_at_once_and_on_when_that_is_saved_and_the_picture_stays() -> None:
    rig = PrivacyRig()
    rig.is_saving = False
    assert rig.hears()
    rig.microphone(is_off=True)
    assert not rig.hears()
    assert rig.access() is AccessState.OPEN
    assert rig.take_effects() == ["Save", "Withhold", "Tell"]
    rig.finish_save()
    rig.microphone(is_off=False)
    assert not rig.hears()
    rig.take_effects()
    rig.finish_save()
    assert rig.hears()
    assert rig.take_effects() == ["Withhold", "Tell"]


def test_the_microphone_stays_off_over_a_restart_and_the_curtain() -> None:
    rig = PrivacyRig(RoomState(is_muted=True))
    assert not rig.hears()
    rig.curtain(is_closed=True)
    rig.curtain(is_closed=False)
    assert (rig.access(), rig.hears()) == (AccessState.OPEN, False)


def test_a_microphone_that_could_not_be_switched_on_stays_off_and_one_that_could_not_be_saved_off_is_off() -> None:
    rig = PrivacyRig(RoomState(is_muted=True))
    rig.is_saving = False
    rig.microphone(is_off=False)
    rig.fail_save()
    assert not rig.hears()
    rig.wait(SAVE_AGAIN_S)
    rig.finish_save()
    assert not rig.hears()
    rig.microphone(is_off=False)
    rig.finish_save()
    rig.microphone(is_off=True)
    rig.fail_save()
    assert not rig.hears()
    rig.microphone(is_off=True)  # is saved again at once, not only after a while
    assert rig.saves[-1].state.is_muted


def test_until_the_store_is_read_the_microphone_is_off_and_only_that_can_be_asked_for() -> None:
    rig = PrivacyRig(is_loaded=False)
    with pytest.raises(VisitorError) as refused:
        rig.microphone(is_off=False)
    assert refused.value.refusal is Refusal.NOT_READY
    with pytest.raises(VisitorError) as refused:
        rig.core.receive_guests(rig.at, may_hear=True)
    assert refused.value.refusal is Refusal.NOT_READY
    assert rig.core.state.is_muted
    rig.microphone(is_off=True)
    rig.core.receive_loaded(rig.at, RoomState())
    rig.tick()
    assert not rig.hears()
    assert rig.access() is AccessState.OPEN


def test_curtain_quiet_hours_and_a_no_leave_nobody_hearing() -> None:
    rig = PrivacyRig(RoomState(quiet=(AFTERNOON,)))
    assert rig.hears()
    rig.curtain(is_closed=True)
    assert not rig.hears()
    rig.curtain(is_closed=False)
    rig.core.receive_answer(rig.at, "ann", Answer.NO)
    assert (rig.hears("ann"), rig.hears("bo")) == (False, True)
    rig.wait(3600)
    assert not rig.hears("bo")


def test_guests_hear_the_room_only_once_it_has_said_so() -> None:
    rig = PrivacyRig()
    rig.is_saving = False
    assert not rig.hears(is_guest=True)
    rig.core.receive_guests(rig.at, may_hear=True)
    rig.tick()
    assert not rig.hears(is_guest=True)
    rig.finish_save()
    assert rig.hears(is_guest=True)
    rig.core.receive_guests(rig.at, may_hear=False)
    assert not rig.hears(is_guest=True)
    assert rig.hears()
