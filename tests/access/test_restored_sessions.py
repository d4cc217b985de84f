"""A restored session is suspended while the wall clock is past its end, and is never made longer by any clock."""

from typing import Any

import msgspec
import pytest
from tests.access.joining import invite, join

from belvedere.access.invitations import AccessOptions, Invitations
from belvedere.access.links import REDEEM_AGAIN_S
from belvedere.access.restored_sessions import CHECK_EVERY_S, RestoredSessions
from belvedere.access.rights import NO_RIGHTS, Right, Role
from belvedere.access.sessions import EndReason, IssuedSession
from belvedere.events import Event, SessionRestored
from belvedere.testing.clock import FakeClock


def test_a_session_of_this_run_knows_no_wall_clock() -> None:
    restored = RestoredSessions()
    assert not restored.is_suspended("a", 1e12)
    assert restored.end_utc_s("a") is None
    assert restored.deadline() is None
    assert restored.check(0.0, 1e12) == []


def test_a_session_is_suspended_from_its_end_on_and_reported_once() -> None:
    restored = RestoredSessions()
    restored.add("a", 1100.0, now=5.0)
    assert restored.check(5.0, 1090.0) == []
    assert restored.deadline() == pytest.approx(15.0)
    assert not restored.is_suspended("a", 1099.9)
    assert restored.is_suspended("a", 1100.0)
    assert restored.check(14.9, 1100.0) == []  # not due yet
    assert restored.check(15.0, 1100.0) == ["a"]
    assert restored.check(15.0 + CHECK_EVERY_S, 1200.0) == []


def test_a_jump_is_noticed_within_a_minute_and_a_clock_that_comes_back_costs_the_moment_only() -> None:
    restored = RestoredSessions()
    restored.add("a", 100_000.0, now=0.0)
    assert restored.check(0.0, 1000.0) == []
    assert restored.deadline() == CHECK_EVERY_S
    assert restored.check(CHECK_EVERY_S, 2e9) == ["a"]
    assert restored.check(2 * CHECK_EVERY_S, 1120.0) == []
    assert not restored.is_suspended("a", 1120.0)
    assert restored.check(3 * CHECK_EVERY_S, 2e9) == ["a"]


def test_a_clock_that_is_behind_suspends_nothing() -> None:
    restored = RestoredSessions()
    restored.add("a", 1_800_000_000.0, now=0.0)
    assert not restored.is_suspended("a", 0.0)


def test_what_has_ended_for_good_is_forgotten() -> None:
    restored = RestoredSessions()
    restored.add("a", 100.0, now=0.0)
    assert restored.check(0.0, 200.0) == ["a"]
    restored.forget("a")
    restored.forget("a")
    assert restored.deadline() is None
    assert not restored.is_suspended("a", 200.0)


HOUR_S = 3600.0
UTC_S = 1_800_000_000.0


class Machine:
    """A computer with both clocks; `restart` is a new run with the sessions that were saved."""

    def __init__(self, options: AccessOptions | None = None) -> None:
        self.clock, self.utc = FakeClock(50), FakeClock(UTC_S)
        self.options = options or AccessOptions(session_s=12 * HOUR_S)
        self.events: list[Event] = []
        self.invitations = Invitations(self.clock, self.options, self.events.append, self.utc)

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.utc.advance(seconds)
        self.invitations.tick()

    def redeem(self, secret: str) -> IssuedSession:
        redemption = self.invitations.redeem(secret, "browser")
        assert redemption is not None
        return redemption.issued

    def restart(self, off_s: float = 60.0, utc: float | None = None) -> Invitations:
        saved = self.invitations.saved()
        self.clock = FakeClock(7)
        self.utc = FakeClock(self.utc.now + off_s if utc is None else utc)
        self.invitations = Invitations(self.clock, self.options, self.events.append, self.utc)
        self.invitations.restore(saved)
        return self.invitations


def test_a_session_survives_a_restart_with_all_its_cookies_and_what_was_left_of_its_time() -> None:
    machine = Machine()
    secret = invite(machine.invitations, "Ana", Role.RESIDENT)
    first, again = machine.redeem(secret), machine.redeem(secret)
    machine.invitations.change_rights(first.session.id, frozenset({Right.LOOK}))
    machine.pass_time(2 * HOUR_S)
    invitations = machine.restart(off_s=HOUR_S)
    session = invitations.session(first.cookie)
    assert session is not None
    assert session == invitations.session(again.cookie)
    assert (session.id, session.person, session.role) == (first.session.id, first.session.person, Role.RESIDENT)
    assert invitations.rights_of(session) == {Right.LOOK}
    assert machine.events[-1] == SessionRestored(session.id, session.person)
    machine.pass_time(9 * HOUR_S - 1)
    assert invitations.session(first.cookie) is not None
    machine.pass_time(1)
    assert invitations.session(first.cookie) is None
    assert not invitations.is_live(session)
    assert invitations.rights_of(session) == NO_RIGHTS


def test_an_ended_session_does_not_survive_a_restart() -> None:
    machine = Machine()
    issued = join(machine.invitations)
    machine.invitations.end(issued.session.id, EndReason.REVOKED)
    invitations = machine.restart()
    assert invitations.session(issued.cookie) is None
    assert invitations.deadline() is None


def test_an_unused_invitation_survives_a_restart_for_the_rest_of_its_time_and_a_used_one_stays_used() -> None:
    machine = Machine(AccessOptions(invite_s=10 * HOUR_S))
    unused, used, late = (invite(machine.invitations, name) for name in ("Ana", "Ben", "Cem"))
    issued = machine.redeem(used)
    machine.pass_time(4 * HOUR_S)
    machine.restart(off_s=HOUR_S)
    assert machine.invitations.redeem(used, "another browser") is None
    assert machine.invitations.session(issued.cookie) is not None
    machine.pass_time(5 * HOUR_S - 61)
    assert machine.redeem(unused).session.role is Role.VISITOR
    machine.pass_time(2 * HOUR_S)
    assert machine.invitations.redeem(late) is None


def test_a_browser_may_redeem_its_link_again_right_after_a_kill_that_cost_it_the_answer() -> None:
    machine = Machine()
    secret = invite(machine.invitations)
    lost = machine.redeem(secret)
    machine.restart(off_s=5)
    assert machine.redeem(secret).session.id == lost.session.id
    assert machine.invitations.redeem(secret, "another browser") is None
    machine.pass_time(REDEEM_AGAIN_S)
    assert machine.invitations.redeem(secret, "browser") is None


def test_a_person_is_as_before_after_a_restart() -> None:
    machine = Machine()
    ana = machine.invitations.people.add("Ana", Role.GUEST, "ana@example.org")
    machine.restart()
    assert machine.invitations.people.find_by_email("ana@example.org") == ana


def test_a_session_that_was_not_used_for_long_ends_while_the_computer_is_off() -> None:
    machine = Machine(AccessOptions(session_s=100 * HOUR_S, idle_s=10 * HOUR_S))
    idle, used = join(machine.invitations), join(machine.invitations)
    machine.pass_time(8 * HOUR_S)
    assert machine.invitations.session(used.cookie) is not None
    invitations = machine.restart(off_s=3 * HOUR_S)
    assert invitations.session(idle.cookie) is None
    assert invitations.session(used.cookie) is not None
    machine.pass_time(9 * HOUR_S)
    assert invitations.session(used.cookie) is not None
    machine.pass_time(10 * HOUR_S)
    assert invitations.session(used.cookie) is None


def test_no_number_of_restarts_keeps_an_unused_session_alive() -> None:
    machine = Machine(AccessOptions(session_s=100 * HOUR_S, idle_s=10 * HOUR_S))
    issued = join(machine.invitations)
    for _ in range(10):
        machine.pass_time(HOUR_S + 1)
        machine.restart(utc=0.0)
    assert machine.invitations.session(issued.cookie) is None


def test_when_a_session_was_used_last_is_known_after_a_restart() -> None:
    machine = Machine()
    join(machine.invitations)
    machine.pass_time(2 * HOUR_S)
    ((session, used_utc_s),) = machine.restart(off_s=HOUR_S).sessions()
    assert (session.opened_utc_s, used_utc_s) == (UTC_S, UTC_S)


@pytest.mark.parametrize("start_utc", [0.0, UTC_S - 1e6, UTC_S + 1.0])
def test_no_clock_at_the_start_and_no_number_of_restarts_makes_a_session_longer(start_utc: float) -> None:
    machine = Machine()
    issued = join(machine.invitations)
    lived_s = 0.0
    while machine.restart(utc=start_utc).session(issued.cookie) is not None:
        machine.pass_time(HOUR_S)
        lived_s += HOUR_S
        assert lived_s <= 12 * HOUR_S
    assert lived_s >= 11 * HOUR_S


def test_a_clock_that_starts_in_the_past_is_no_reason_to_end_a_visit_until_the_network_says_how_late_it_is() -> None:
    machine = Machine()
    issued = join(machine.invitations)
    invitations = machine.restart(utc=0.0)
    assert invitations.session(issued.cookie) is not None
    ended_for: list[EndReason | None] = []
    invitations.events.subscribe(lambda change: ended_for.append(change.end))
    machine.utc.now = UTC_S + 24 * HOUR_S  # the house was without power for a day
    assert invitations.session(issued.cookie) is None
    machine.clock.advance(60)
    invitations.tick()
    invitations.tick()
    assert ended_for == [EndReason.EXPIRED]


def test_a_moments_wrong_clock_ends_no_session_for_good() -> None:
    machine = Machine()
    issued = join(machine.invitations)
    assert machine.restart(utc=UTC_S + 1e9).session(issued.cookie) is None
    machine.pass_time(HOUR_S)
    assert machine.restart(utc=UTC_S + 1e9).session(issued.cookie) is None
    machine.utc.now = UTC_S + HOUR_S
    assert machine.invitations.session(issued.cookie) is not None
    assert machine.restart().session(issued.cookie) is not None


def test_a_clock_that_jumps_during_a_run_ends_no_session_of_that_run_and_its_end_is_saved_anew() -> None:
    machine = Machine()
    machine.utc.now = 1000.0  # 1970: the network has not set the clock yet
    issued = join(machine.invitations)
    machine.utc.now = UTC_S
    machine.pass_time(HOUR_S)
    assert machine.invitations.session(issued.cookie) is not None
    assert machine.restart().session(issued.cookie) is not None


def test_a_restored_session_lasts_no_longer_than_a_new_one_whatever_the_row_says() -> None:
    machine = Machine()
    issued = join(machine.invitations)
    saved = machine.invitations.saved()
    (row,) = saved.sessions
    fresh = Invitations(machine.clock, machine.options, utc=machine.utc)
    row = msgspec.structs.replace(row, left_s=2**39, ends_utc_s=2**39, idle_left_s=2**39, seen_utc_s=2**39)
    fresh.restore(msgspec.structs.replace(saved, sessions=[row]))
    assert fresh.session(issued.cookie) is not None
    machine.clock.advance(12 * HOUR_S)
    assert fresh.session(issued.cookie) is None


@pytest.mark.parametrize("wrong", [{"role": "king"}, {"rights": ("look", "fly")}])
def test_a_saved_session_with_an_unknown_role_or_right_is_ended_and_the_others_are_not(
    wrong: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine()
    first, second = join(machine.invitations), join(machine.invitations)
    saved = machine.invitations.saved()
    row, other = saved.sessions
    fresh = Invitations(machine.clock, machine.options, utc=machine.utc)
    fresh.restore(msgspec.structs.replace(saved, sessions=[msgspec.structs.replace(row, **wrong), other]))
    assert fresh.session(first.cookie) is None
    assert fresh.session(second.cookie) is not None
    assert "unknown role or right" in caplog.text


def test_where_more_sessions_were_saved_than_may_be_open_those_with_most_time_left_are_restored() -> None:
    machine = Machine(AccessOptions(max_sessions=2))
    first = join(machine.invitations)
    machine.pass_time(10)
    others = [join(machine.invitations)]
    rows = machine.invitations.saved()
    fresh = Invitations(machine.clock, AccessOptions(max_sessions=1), utc=machine.utc)
    fresh.restore(rows)
    assert fresh.session(first.cookie) is None
    assert [fresh.session(each.cookie) is not None for each in others] == [True]


def test_whoever_saves_is_called_after_each_change_and_for_nothing_else() -> None:
    machine = Machine()
    invitations, saved = machine.invitations, []
    invitations.watch_saved(lambda: saved.append(len(invitations.saved().sessions)))
    secret = invite(invitations, "Ana")
    assert saved == [0]
    invitations.invited(secret)
    invitations.redeem("wrong")
    assert saved == [0]
    issued = machine.redeem(secret)
    machine.redeem(secret)
    invitations.change_rights(issued.session.id, NO_RIGHTS)
    invitations.change_rights("unknown", NO_RIGHTS)
    invitations.end("unknown", EndReason.LEFT)
    invitations.end(issued.session.id, EndReason.LEFT)
    assert saved == [0, 1, 1, 1, 1, 0]
