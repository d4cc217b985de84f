"""Programs are let in by the tokens of the settings, for as long as those name them."""

from __future__ import annotations

import pytest

from belvedere.access.invitations import Invitations
from belvedere.access.programs import Player, Programs, check_token, player_session, publisher_session
from belvedere.access.rights import Right, Role
from belvedere.access.sessions import EndReason
from belvedere.secret import Secret
from belvedere.testing.clock import FakeClock

TOKEN = Secret("a-token-of-the-settings")
TV = player_session(Player(name="tv", token=TOKEN))


def test_a_player_may_look_and_a_publisher_publish_and_neither_anything_else() -> None:
    assert (TV.id, TV.role) == ("player-tv", Role.PROGRAM)
    assert TV.rights == {Right.LOOK}
    assert publisher_session().rights == {Right.PUBLISH}


def test_a_program_is_found_by_its_token_only() -> None:
    programs = Programs([(TV, TOKEN), (publisher_session(), Secret("another-token-of-theirs"))])
    assert programs.find(TOKEN.reveal()) is TV
    for wrong in ("", TOKEN.reveal()[:-1], TOKEN.reveal() + "x", "\udcff"):
        assert programs.find(wrong) is None
    assert TOKEN.reveal() not in repr(vars(programs))
    assert programs
    assert not Programs()


def test_a_programs_session_lives_on_whatever_ends_and_is_not_saved() -> None:
    clock = FakeClock()
    invitations = Invitations(clock, programs=Programs([(TV, TOKEN)]))
    invitations.end(TV.id, EndReason.REVOKED)
    clock.advance(1e9)
    invitations.tick()
    assert invitations.is_live(TV)
    assert invitations.rights_of(TV) == {Right.LOOK}
    assert invitations.saved().sessions == []
    assert invitations.deadline() is None


def test_a_program_that_the_settings_do_not_name_any_more_has_no_session() -> None:
    invitations = Invitations(FakeClock(), programs=Programs())
    assert not invitations.is_live(TV)
    assert not invitations.rights_of(TV)


@pytest.mark.parametrize(
    "text", ["short", "x" * 513, "a token with spaces in it", "a-token-with-a-line\nbreak", "=" * 30]
)
def test_a_token_that_is_weak_or_cannot_be_sent_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="token_file must contain one line of 20 to 512") as caught:
        check_token(Secret(text))
    assert text not in str(caught.value)
