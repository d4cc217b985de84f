"""The voice without sound obeys the rules, like a real one."""

from __future__ import annotations

from tests.support.fake_voice import FakeVoice

from belvedere.stage.voice.interface import DeviceState, VoicePermission


class Rules:
    def __init__(self) -> None:
        self.permission = VoicePermission(may_listen=True, may_talk=True)

    def permission_of(self, _session: str) -> VoicePermission:
        return self.permission


def test_only_who_is_connected_and_permitted_hears_and_is_heard() -> None:
    rules = Rules()
    told: list[None] = []
    voice = FakeVoice(rules, lambda: told.append(None))
    assert not voice.hear("ann", is_allowed=True)
    voice.connect("ann")
    assert voice.status.listening == {"ann"}
    assert voice.status.microphone is DeviceState.OPEN
    assert voice.hear("ann", is_allowed=True)
    voice.speak("ann")
    assert voice.status.talking == {"ann"}
    rules.permission = VoicePermission()
    voice.receive_rules_changed()
    assert (voice.status.heard, voice.status.listening) == (frozenset(), frozenset())
    assert not voice.hear("ann", is_allowed=True)
    assert len(told) == 5


async def test_a_cut_a_lost_connection_and_a_missing_device_are_told() -> None:
    voice = FakeVoice(Rules())
    voice.connect("ann")
    voice.hear("ann", is_allowed=True)
    await voice.cut()
    assert voice.status.heard == frozenset()
    voice.hear("ann", is_allowed=True)
    voice.disconnect("ann")
    assert voice.status.heard == frozenset()
    voice.unplug(microphone=True, speaker=True)
    assert {voice.status.microphone, voice.status.speaker} == {DeviceState.MISSING}
