"""Nobody hears or is heard unless the rules say so, and a device is open only while somebody does."""

from __future__ import annotations

import asyncio

import pytest
from tests.stage.voice.fake_hardware import LISTENS, TALKS, VoiceRig

from belvedere.stage.voice.devices import DeviceKind
from belvedere.stage.voice.interface import NO_VOICE, DeviceState, VoicePermission
from belvedere.stage.voice.voice import CHECK_S, LINGER_S, LOOK_S, VoiceConnection


async def connected(rig: VoiceRig, session: str, permission: VoicePermission) -> VoiceConnection:
    rig.permissions[session] = permission
    connection = rig.voice.join(session)
    connection.receive_connected()
    await asyncio.sleep(0.1)
    return connection


async def test_the_microphone_is_open_only_while_somebody_who_may_is_connected() -> None:
    rig = VoiceRig()
    rig.permissions["ann"] = LISTENS
    connection = rig.voice.join("ann")
    await asyncio.sleep(0.1)
    assert not rig.hardware.is_capturing()
    connection.receive_connected()
    await asyncio.sleep(0.1)
    assert rig.hardware.is_capturing()
    status = rig.voice.status
    assert (status.microphone, status.listening) == (DeviceState.OPEN, frozenset({"ann"}))
    connection.leave()
    assert not rig.hardware.is_capturing()
    await asyncio.sleep(0.1)
    status = rig.voice.status
    assert (status.microphone, status.connected) == (DeviceState.CLOSED, frozenset())
    await rig.voice.close()


async def test_frames_go_to_those_who_may_hear_and_to_nobody_else() -> None:
    rig = VoiceRig()
    ann = await connected(rig, "ann", LISTENS)
    bob = await connected(rig, "bob", NO_VOICE)
    rig.hardware.deliver(rig.frame(1))
    await asyncio.sleep(0.1)
    assert await ann.subscriber.next_frame() is not None
    bob.subscriber.close()
    assert await bob.subscriber.next_frame() is None
    await rig.voice.close()


async def test_who_may_not_hear_any_more_is_sent_nothing_from_that_call_on() -> None:
    rig = VoiceRig()
    ann = await connected(rig, "ann", LISTENS)
    rig.hardware.deliver(rig.frame(1))
    await asyncio.sleep(0.1)
    rig.hardware.deliver(rig.frame(2))  # on its way from the thread
    rig.permit(ann=NO_VOICE)
    assert not rig.hardware.is_capturing()
    await asyncio.sleep(0.1)
    ann.subscriber.close()
    assert await ann.subscriber.next_frame() is None
    await rig.voice.close()


async def test_one_who_may_talk_is_heard_once_that_is_asked_for_and_until_it_ends() -> None:
    rig = VoiceRig()
    ann = await connected(rig, "ann", TALKS)
    assert not ann.is_heard
    assert rig.voice.hear("ann", is_allowed=True)
    await asyncio.sleep(0.1)
    assert rig.hardware.is_playing()
    assert rig.voice.status.heard == {"ann"}
    assert not rig.voice.hear("ann", is_allowed=False)
    assert rig.voice.status.heard == frozenset()
    ann.receive_packet(0, b"late")
    assert not ann.talker._inbox
    await rig.voice.close()


@pytest.mark.parametrize("permission", [LISTENS, NO_VOICE])
async def test_who_may_not_talk_is_not_heard(permission: VoicePermission) -> None:
    rig = VoiceRig()
    ann = await connected(rig, "ann", permission)
    assert not rig.voice.hear("ann", is_allowed=True)
    assert not rig.voice.hear("nobody", is_allowed=True)
    ann.receive_packet(0, b"x")
    assert not ann.talker._inbox
    assert not rig.hardware.is_playing()
    await rig.voice.close()


@pytest.mark.parametrize("ends", ["rules", "connection", "failure"])
async def test_whatever_takes_the_permission_mutes_within_the_call_and_for_good(ends: str) -> None:
    rig = VoiceRig()
    ann = await connected(rig, "ann", TALKS)
    rig.voice.hear("ann", is_allowed=True)
    if ends == "rules":
        rig.permit(ann=LISTENS)
    elif ends == "connection":
        ann.leave()
    else:
        rig.permissions.clear()  # so that the rules raise
        rig.voice.receive_rules_changed()
    assert not ann.is_heard
    rig.permit(ann=TALKS)
    assert not ann.is_heard
    assert rig.voice.status.heard == frozenset()
    await rig.voice.close()


async def test_the_speaker_stays_open_between_two_sentences_and_no_longer() -> None:
    rig = VoiceRig()
    await connected(rig, "ann", TALKS)
    rig.voice.hear("ann", is_allowed=True)
    await asyncio.sleep(3 * LINGER_S)
    rig.voice.hear("ann", is_allowed=False)
    await asyncio.sleep(LINGER_S - 1)
    assert rig.hardware.is_playing()
    await asyncio.sleep(2)
    assert not rig.hardware.is_playing()
    assert len(rig.hardware.speakers) == 1
    await rig.voice.close()


async def test_the_chime_opens_the_speaker_and_rings() -> None:
    rig = VoiceRig()
    rig.voice.chime()
    await asyncio.sleep(0.1)
    assert rig.hardware.is_playing()
    assert rig.hardware.programme is not None
    assert any(sample for _ in range(10) for sample in rig.hardware.programme.take())
    await asyncio.sleep(LINGER_S + 1)
    assert not rig.hardware.is_playing()
    await rig.voice.close()


async def test_a_cut_closes_both_devices_and_who_talked_has_to_ask_again() -> None:
    rig = VoiceRig()
    ann = await connected(rig, "ann", TALKS)
    rig.voice.hear("ann", is_allowed=True)
    rig.permissions["ann"] = NO_VOICE
    await rig.voice.cut()
    assert not rig.hardware.is_capturing()
    assert not rig.hardware.is_playing()
    assert rig.voice.status.microphone is DeviceState.CLOSED
    await asyncio.sleep(10)
    assert len(rig.hardware.microphones) == 1
    rig.permit(ann=TALKS)
    await asyncio.sleep(0.1)
    assert rig.hardware.is_capturing()
    assert not ann.is_heard
    await rig.voice.close()


async def test_rules_that_change_without_a_word_are_obeyed_within_a_moment() -> None:
    rig = VoiceRig()
    await connected(rig, "ann", LISTENS)
    rig.permissions["ann"] = NO_VOICE
    await asyncio.sleep(LOOK_S + 0.1)
    assert not rig.hardware.is_capturing()
    await rig.voice.close()


async def test_a_device_that_is_not_the_one_that_is_meant_any_more_is_opened_anew() -> None:
    rig = VoiceRig()
    await connected(rig, "ann", LISTENS)
    rig.hardware.changed.add(DeviceKind.MICROPHONE)
    await asyncio.sleep(CHECK_S + LOOK_S)
    rig.hardware.changed.clear()
    await asyncio.sleep(2 * CHECK_S)
    assert len(rig.hardware.microphones) == 2
    assert rig.hardware.is_capturing()
    await rig.voice.close()


async def test_the_microphone_moves_behind_the_echo_canceller_as_soon_as_somebody_is_heard() -> None:
    rig = VoiceRig()
    await connected(rig, "ann", TALKS)
    await asyncio.sleep(1)
    rig.hardware.changed.add(DeviceKind.MICROPHONE)
    rig.voice.hear("ann", is_allowed=True)
    await asyncio.sleep(2 * LOOK_S)
    assert len(rig.hardware.microphones) == 2
    rig.hardware.changed.clear()
    await rig.voice.close()


async def test_what_is_shown_is_told_when_it_changes_and_not_otherwise() -> None:
    rig = VoiceRig()
    await connected(rig, "ann", LISTENS)
    told = rig.told
    assert told >= 2
    await asyncio.sleep(60)
    assert rig.told == told
    rig.hardware.problem = "no canceller"
    await asyncio.sleep(1)
    assert rig.told == told + 1
    assert rig.voice.status.problem == "no canceller"
    await rig.voice.close()


async def test_without_rules_nobody_hears_anything() -> None:
    rig = VoiceRig()
    rig.voice.rules = None
    await connected(rig, "ann", TALKS)
    assert not rig.hardware.is_capturing()
    assert not rig.voice.hear("ann", is_allowed=True)
    await rig.voice.close()


async def test_two_pages_of_one_session_are_both_heard_until_the_last_one_leaves() -> None:
    rig = VoiceRig()
    first, second = await connected(rig, "ann", TALKS), await connected(rig, "ann", TALKS)
    rig.voice.hear("ann", is_allowed=True)
    assert (first.is_heard, second.is_heard) == (True, True)
    first.leave()
    assert second.is_heard
    second.leave()
    second.leave()
    assert rig.voice.status.heard == frozenset()
    await rig.voice.close()
