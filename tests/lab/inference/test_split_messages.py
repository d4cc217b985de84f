from random import Random

import msgspec
from tests.lab.app_stream import app_stream

from belvedere.head.frames import pack
from belvedere.head.profile import shipped_profile
from belvedere.lab.inference.split_messages import joined
from belvedere.lab.streams import Sample, ValueStream

PONS = shipped_profile("zeapon-pons-pt").frame
WHOLE = app_stream(lambda velocity: pack(PONS, velocity), Random(1))


def split(stream: ValueStream, size: int, gap_s: float) -> ValueStream:
    """The same messages, each in two writes."""
    halves = [
        Sample(2 * at + part, one.time_s + part * gap_s, one.value[size:] if part else one.value[:size])
        for at, one in enumerate(stream.samples)
        for part in (0, 1)
    ]
    return msgspec.structs.replace(stream, samples=tuple(halves))


def test_halves_are_joined_at_the_time_of_the_first() -> None:
    found = joined(split(WHOLE, 8, 0.004))
    assert found is not None
    assert [(one.time_s, one.value) for one in found.samples] == [(one.time_s, one.value) for one in WHOLE.samples]


def test_a_log_that_has_lost_some_halves_is_joined_without_them() -> None:
    halves = split(WHOLE, 8, 0.004)
    kept = tuple(one for at, one in enumerate(halves.samples) if at % 50)
    found = joined(msgspec.structs.replace(halves, samples=kept))
    assert found is not None
    assert {one.value for one in found.samples} <= {one.value for one in WHOLE.samples}


def test_values_of_one_length_or_at_even_times_are_messages_of_their_own() -> None:
    assert joined(WHOLE) is None
    assert joined(split(WHOLE, 6, 0.004)) is None
    assert joined(split(WHOLE, 8, 0.025)) is None


def test_keep_alives_of_another_length_are_no_halves() -> None:
    beats = [Sample(9000 + at, 0.52 + at, b"\x01\x02") for at in range(60)]
    samples = sorted([*WHOLE.samples, *beats], key=lambda sample: sample.time_s)
    assert joined(msgspec.structs.replace(WHOLE, samples=tuple(samples))) is None
