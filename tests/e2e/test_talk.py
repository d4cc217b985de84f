"""A visitor talks with Chromium's own microphone, and nothing leaves it open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.e2e.residents import Tablet, admit, come_in, end_all_sessions, open_curtain
from tests.e2e.voices import LIVE_TRACKS, ServerVoice, give_sound, voice_of

from belvedere.access.rights import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import RunningServer, Visitor

pytestmark = [pytest.mark.realtime, pytest.mark.browser]


@pytest.fixture
def voice(server: RunningServer) -> Iterator[ServerVoice]:
    """A house with sound, and nobody in it."""
    end_all_sessions(server)
    with voice_of(server) as voice:
        yield voice
    open_curtain(server)
    end_all_sessions(server)


def enter(visitor: Visitor, server: RunningServer, name: str = "Ana", role: Role = Role.VISITOR) -> None:
    """Come in by WebRTC with sound."""
    visitor.page.context.grant_permissions(["microphone"])
    give_sound(visitor.page)
    come_in(visitor, server, admit(server, name, role))
    visitor.tap("Look around")
    visitor.expect("way", "direct")
    visitor.expect("microphone", "open")
    server.do(server._belvedere.voice.receive_voice_changed)  # as a voice says when a connection carries sound


def microphones(visitor: Visitor) -> int:
    """How many tracks of a microphone are live."""
    count: int = visitor.page.evaluate(LIVE_TRACKS)
    return count


def wait_mute(server: RunningServer, voice: ServerVoice) -> None:
    server.wait("nobody is heard", lambda: not voice.allowed)


@pytest.mark.any_size
def test_holding_the_key_talks_the_room_sees_who_and_letting_go_ends_it(
    server: RunningServer, voice: ServerVoice, visitor: Visitor, visit: Callable[[], Visitor]
) -> None:
    tablet_visitor = visit()
    tablet = Tablet(tablet_visitor, server, "Rosa")
    enter(visitor, server)
    expect(visitor.page.get_by_text("The room can be heard")).to_be_visible()
    expect(tablet.people).to_contain_text("is listening")
    assert microphones(visitor) == 0
    visitor.photograph("talk-off")

    visitor.press_key("t")
    visitor.expect("talk", "talking")
    server.wait("the room hears her", lambda: voice.allowed)
    expect(tablet_visitor.page.locator(".room-talking")).to_contain_text("Ana is talking")
    assert microphones(visitor) == 1
    visitor.photograph("talk-on")
    tablet.photograph("room-hears-a-visitor")
    visitor.sees_it_turn_after_a_fresh_press()
    visitor.expect("talk", "talking")

    visitor.page.keyboard.up("t")
    visitor.expect("talk", "off")
    wait_mute(server, voice)
    assert microphones(visitor) == 0
    expect(tablet_visitor.page.locator(".room-talking p")).to_have_count(0)


@pytest.mark.any_size
def test_the_curtain_and_a_lost_focus_end_it_and_nothing_begins_again_by_itself(
    server: RunningServer, voice: ServerVoice, visitor: Visitor, visit: Callable[[], Visitor]
) -> None:
    tablet = Tablet(visit(), server, "Rosa")
    enter(visitor, server)
    visitor.press_key("t")
    visitor.expect("talk", "talking")
    visitor.page.evaluate("window.dispatchEvent(new Event('blur'))")
    visitor.expect("talk", "off")
    wait_mute(server, voice)
    assert microphones(visitor) == 0
    visitor.page.keyboard.up("t")

    visitor.press_key("t")
    visitor.expect("talk", "talking")
    tablet.press("c")
    expect(tablet.curtain).to_have_attribute("data-curtain", "closed")
    wait_mute(server, voice)
    expect(visitor.status).to_contain_text("The curtain is closed.")
    assert microphones(visitor) == 0


@pytest.mark.any_size
def test_the_microphone_that_the_room_switches_off_is_off_on_every_page(
    server: RunningServer, voice: ServerVoice, visitor: Visitor, visit: Callable[[], Visitor]
) -> None:
    tablet_visitor = visit()
    tablet = Tablet(tablet_visitor, server, "Rosa")
    enter(visitor, server)
    tablet.tap("Microphone off")
    expect(tablet_visitor.page.locator(".microphone")).to_have_attribute("data-microphone", "off")
    visitor.expect("microphone", "off")
    server.wait("nobody hears the room", lambda: not voice.status.listening)
    visitor.photograph("microphone-off")
    tablet.photograph("room-microphone-off")
    tablet.press("m")
    visitor.expect("microphone", "open")


@pytest.mark.any_size
def test_a_browser_without_permission_is_told_kindly(
    server: RunningServer, voice: ServerVoice, visitor: Visitor
) -> None:
    enter(visitor, server)
    visitor.page.context.clear_permissions()
    visitor.press_key("t")
    expect(visitor.page.locator(".voice-note")).to_contain_text("allow this page to use the microphone")
    visitor.photograph("talk-denied")
    assert not voice.allowed
