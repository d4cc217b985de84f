"""Who looks, drives, hears and talks, by events and by the voice."""

from belvedere.events import (
    DriverChanged,
    SessionEnded,
    SessionOpened,
    SessionRestored,
    StillTaken,
    ViewerJoined,
    ViewerLeft,
)
from belvedere.privacy.core import Doing
from belvedere.room.presence import NO_VOICES, Presence, Voices

PEOPLE = {"ann", "bo"}
PROGRAMS = {"player-tv": "player-tv", "script-5f0c": "script-lamp"}


def test_a_person_looks_while_one_of_the_viewers_is_there() -> None:
    presence = Presence(PEOPLE.__contains__, PROGRAMS.__getitem__)
    assert not presence.receive(SessionOpened("s1", "ann"))
    assert not presence.receive(SessionRestored("s2", "ann"))
    assert presence.receive(ViewerJoined("v1", "s1", "WebRTC"))
    assert presence.receive(ViewerJoined("v2", "s2", "stream"))
    assert presence.receive(ViewerLeft("v1", "s1", 1.0))
    assert not presence.receive(SessionEnded("s2", "ann", "left"))  # the viewer's own end follows
    assert presence.doing() == {"ann": Doing(looks=True)}
    presence.receive(ViewerLeft("v2", "s2", 1.0))
    presence.receive(ViewerLeft("v2", "s2", 1.0))
    assert presence.doing() == {}


def test_a_programs_viewer_is_shown_by_the_programs_name() -> None:
    presence = Presence(PEOPLE.__contains__, PROGRAMS.__getitem__)
    presence.receive(ViewerJoined("v1", "player-tv", "WebRTC"))
    presence.receive(ViewerJoined("v2", "script-5f0c", "WebRTC"))
    assert presence.doing() == {"player-tv": Doing(looks=True), "script-lamp": Doing(looks=True)}


def test_a_person_drives_while_holding_the_lease_also_without_a_picture() -> None:
    presence = Presence(PEOPLE.__contains__, PROGRAMS.__getitem__)
    presence.receive(SessionOpened("s1", "ann"))
    presence.receive(ViewerJoined("v1", "s1", "WebRTC"))
    presence.receive(DriverChanged(1, "s9-1", "bo"))
    assert presence.doing() == {"ann": Doing(looks=True), "bo": Doing(drives=True)}
    presence.receive(DriverChanged(2, "parking", "(parking)"))
    assert presence.doing() == {"ann": Doing(looks=True)}
    presence.receive(DriverChanged(3, "s1-1", "ann"))
    assert presence.doing() == {"ann": Doing(looks=True, drives=True)}
    presence.receive(DriverChanged(4, None, None))
    assert presence.doing() == {"ann": Doing(looks=True)}


def test_other_events_say_nothing_about_it() -> None:
    assert not Presence(PEOPLE.__contains__, PROGRAMS.__getitem__).receive(StillTaken("s1", "ann"))


def test_who_hears_and_talks_is_known_by_the_voice_also_without_a_picture() -> None:
    presence = Presence(PEOPLE.__contains__, PROGRAMS.__getitem__)
    voices = Voices(hearing=frozenset({"ann", "bo"}), talking=frozenset({"bo"}), heard=frozenset({"bo"}))
    presence.receive(SessionOpened("s1", "ann"))
    presence.receive(ViewerJoined("v1", "s1", "WebRTC"))
    assert presence.receive_voices(voices)
    assert not presence.receive_voices(voices)
    assert presence.doing() == {
        "ann": Doing(looks=True, hears=True),
        "bo": Doing(hears=True, talks=True, is_heard=True),
    }
    assert presence.receive_voices(NO_VOICES)
    assert presence.doing() == {"ann": Doing(looks=True)}
