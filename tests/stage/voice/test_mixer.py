from __future__ import annotations

from array import array

from tests.stage.voice.tones import strength, tone

from belvedere.stage.voice.mixer import chime, mix


def test_both_voices_are_heard() -> None:
    mixed = mix([tone(440, 4800, 5000), tone(700, 4800, 5000)])
    assert 4500 < strength(mixed, 440) < 5500
    assert 4500 < strength(mixed, 700) < 5500


def test_one_voice_is_not_changed_and_what_is_too_loud_is_cut_off() -> None:
    one = tone(440, 480)
    assert mix([one]) == one
    assert mix([array("h", [30_000, -30_000, 1])] * 3) == array("h", [32_767, -32_767, 3])


def test_the_chime_has_two_notes_begins_softly_and_ends_in_silence() -> None:
    sound = chime()
    assert strength(sound[:4800], 659.3) > 1000
    assert strength(sound[9600:14_400], 523.3) > 1000
    assert abs(sound[0]) < 50
    assert max(map(abs, sound[-480:])) < 300
    assert max(map(abs, sound)) < 12_000
