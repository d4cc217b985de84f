"""Two states of the room are combined so that nothing is permitted that one of them withholds."""

from hypothesis import given
from hypothesis import strategies as st

from belvedere.privacy.hours import QuietSpan
from belvedere.privacy.state import RoomState
from belvedere.privacy.words import Welcome

PEOPLE = ("ann", "bo", "cy")
STATES = st.builds(
    RoomState,
    is_closed=st.booleans(),
    by=st.sampled_from(PEOPLE),
    since_utc_s=st.integers(0, 9),
    is_muted=st.booleans(),
    guests_hear=st.booleans(),
    quiet=st.lists(st.builds(QuietSpan, st.integers(0, 6), st.just(0), st.just(60)), max_size=2).map(tuple),
    welcomes=st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(Welcome)),
)


@given(STATES, STATES, st.sampled_from(Welcome))
def test_whatever_one_withholds_both_together_withhold(one: RoomState, other: RoomState, default: Welcome) -> None:
    both = one.restricted_by(other, default)
    assert both.is_closed == (one.is_closed or other.is_closed)
    assert both.is_muted == (one.is_muted or other.is_muted)
    assert both.guests_hear == (one.guests_hear and other.guests_hear)
    assert set(both.quiet) == {*one.quiet, *other.quiet}
    for person in (*PEOPLE, "somebody else"):
        of_each = {one.welcome_of(person, default), other.welcome_of(person, default)}
        assert (both.welcome_of(person, default) is Welcome.ASKED) == (Welcome.ASKED in of_each)


def test_who_closed_it_is_that_of_the_closed_one() -> None:
    is_open, closed = RoomState(by="ann", since_utc_s=1), RoomState(is_closed=True, by="bo", since_utc_s=2)
    for one, other in ((is_open, closed), (closed, is_open)):
        both = one.restricted_by(other, Welcome.ALWAYS)
        assert (both.by, both.since_utc_s) == ("bo", 2)
