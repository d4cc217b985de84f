"""Drawn app sessions: heads of many layouts, with keep-alives, queries, jitter, loss and noise on the same handle.

What a draw means is known, so that what is concluded from it can be judged. Nothing here knows how inference works.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from belvedere.head.checks import Check, Order
from belvedere.head.frames import stop_frame
from belvedere.head.profile import load_profile
from belvedere.lab.inference.infer import infer
from belvedere.lab.profile_draft import draft_profile, is_explained
from belvedere.lab.streams import Sample, ValueStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class DrawnHead(NamedTuple):
    """A head's frames: `move` makes one of a velocity in [-1, 1], `stop` one of the velocity before the release."""

    name: str
    move: Callable[[float], bytes]
    stop: Callable[[float], bytes]
    is_two_axes: bool = False


class DrawnSession(NamedTuple):
    """A session, the frames that its releases sent, and what was drawn, in words."""

    stream: ValueStream
    released: frozenset[bytes]
    is_two_axes: bool
    description: str


FULLY_JUDGED = 7  # one draw in so many has each of its frames compared
SUM, XOR = Check("sum"), Check("xor", first_byte=1)
MODBUS = Check("CRC-16/MODBUS", Order.LOW_FIRST, 1)


def _word(velocity: float) -> int:
    return 1 if velocity > 0 else 2


def _level(velocity: float, most: int) -> int:
    return max(1, round(abs(velocity) * most))


def _pons(velocity: float) -> bytes:
    return bytes.fromhex(f"020{_word(velocity)}000{_level(velocity, 999):03}") + bytes(7)


def _checked(check: Check, body: bytes, end: bytes = b"") -> bytes:
    return body + check.of(body) + end


def _signed(velocity: float, size: int, most: int) -> bytes:
    return (round(velocity * most) or 1).to_bytes(size, "little", signed=True)


def _offset(velocity: float) -> bytes:
    return _checked(SUM, bytes([0x55, 0x80 + (round(velocity * 120) or 1)]))


def _magnitude(velocity: float) -> bytes:
    return bytes([0x11, 0x80 * (velocity < 0) + _level(velocity, 127), 0x0D])


def _counted() -> DrawnHead:
    count = 0

    def frame(velocity: float) -> bytes:
        nonlocal count
        count += 1
        return bytes([0x7A, count % 256, _word(velocity) if velocity else 0, _level(velocity, 200) if velocity else 0])

    return DrawnHead("counter", frame, lambda _last: frame(0))


def _two_axes(chance: Random) -> DrawnHead:
    size, is_alone = chance.choice((1, 2)), chance.random() < 0.5
    turn = chance.uniform(0.1, 1.4)

    def frame(velocity: float) -> bytes:
        nonlocal turn
        if is_alone:
            turn = 0 if int(abs(velocity) * 1e6) % 2 else math.pi / 2
        else:
            turn += 0.05
        pan, tilt = velocity * math.cos(turn), velocity * math.sin(turn)
        most = 2 ** (8 * size - 1) - 1
        return b"\xa5\x01" + b"".join(round(one * most).to_bytes(size, "little", signed=True) for one in (pan, tilt))

    return DrawnHead(f"two axes of {size}", frame, lambda _last: b"\xa5\x01" + bytes(2 * size), is_two_axes=True)


HEADS: tuple[Callable[[Random], DrawnHead], ...] = (
    lambda _: DrawnHead("decimal", _pons, lambda _last: b"\x02" + bytes(11)),
    lambda _: DrawnHead("byte", lambda v: bytes([2, _word(v), _level(v, 255), 0]), lambda _last: b"\2\0\0\0"),
    lambda _: DrawnHead(
        "word", lambda v: bytes([2, _word(v)]) + _level(v, 5000).to_bytes(2, "big"), lambda _last: b"\2\0\0\0"
    ),
    lambda _: DrawnHead(
        "low byte first",
        lambda v: bytes([2, _word(v)]) + _level(v, 799).to_bytes(2, "little"),
        lambda _last: b"\2\0\0\0",
    ),
    lambda _: DrawnHead("signed", lambda v: b"\xaa" + _signed(v, 1, 100), lambda _last: b"\xaa\0"),
    lambda _: DrawnHead(
        "signed word with check and end",
        lambda v: _checked(MODBUS, b"\xa5\1" + _signed(v, 2, 1000), b"\x5a"),
        lambda _last: _checked(MODBUS, b"\xa5\1\0\0", b"\x5a"),
    ),
    lambda _: DrawnHead("offset", _offset, lambda _last: _checked(SUM, b"\x55\x80")),
    lambda _: DrawnHead("sign bit", _magnitude, lambda _last: b"\x11\0\x0d"),
    lambda _: DrawnHead("resting speed", lambda v: bytes([2, _word(v), _level(v, 200)]), lambda _last: b"\2\0\x32"),
    lambda _: DrawnHead("short stop", lambda v: bytes([0x30, _word(v), _level(v, 255)]), lambda _last: b"\x3f"),
    lambda _: DrawnHead(
        "another opcode", lambda v: bytes([0x30, _word(v), _level(v, 255), 0x0A]), lambda _last: b"\x3f\0\0\x0a"
    ),
    lambda _: DrawnHead(
        "direction kept", lambda v: bytes([0xAA, v < 0, _level(v, 200), 0x55]), lambda _last: b"\xaa\0\0\x55"
    ),
    lambda _: DrawnHead(
        "last direction kept",
        lambda v: bytes([9, _word(v), _level(v, 200)]),
        lambda last: bytes([9, _word(last), 0]),
    ),
    lambda _: DrawnHead(
        "sum before the end",
        lambda v: _checked(SUM, bytes([0x3A, 1, _word(v), _level(v, 250)]), b"\x0a"),
        lambda _last: _checked(SUM, b"\x3a\1\0\0", b"\x0a"),
    ),
    lambda _: DrawnHead(
        "xor", lambda v: _checked(XOR, bytes([0xFE, _word(v), _level(v, 90)])), lambda _last: _checked(XOR, b"\xfe\0\0")
    ),
    lambda _: DrawnHead("reversed words", lambda v: bytes([_word(-v), _level(v, 100), 7]), lambda _last: b"\0\0\7"),
    lambda _: _counted(),
    _two_axes,
)


class _Habits(NamedTuple):
    """How the app sends: `tick_s` is 0 where it sends a press and a release only."""

    tick_s: float
    stops: int  # after a release; 0: none, the head stops by itself
    is_never_silent: bool
    speeds: tuple[float, ...]  # of buttons; none for a stick
    jitter_s: float
    lost: float
    presses: int


def _habits(chance: Random) -> _Habits:
    tick_s = 0.0 if chance.random() < 0.2 else chance.choice((0.04, 0.06, 0.1, 0.1, 0.2))
    stops = chance.choice((0, 1, 1, 1, 1, 2, 3, 3))
    return _Habits(
        tick_s=tick_s,
        stops=stops,
        is_never_silent=bool(tick_s and stops) and chance.random() < 0.2,
        speeds=tuple(sorted(chance.sample((0.1, 0.2, 0.4, 0.6, 0.8, 1.0), 4))) if chance.random() < 0.3 else (),
        jitter_s=chance.choice((0.0, 0.002, 0.01, 0.02)),
        lost=chance.choice((0.0, 0.0, 0.02, 0.1)),
        presses=chance.randint(3, 10),
    )


class _Sent(NamedTuple):
    time_s: float
    value: bytes


def judge_draw(seed: int) -> bool:
    """Draft a profile of the session drawn with this seed; whether there is a draft.

    Raises AssertionError if it is wrong.

    A draft is wrong if no release sent its stop, if it describes two axes as one unit, or if a frame of the log is
    neither made by it nor listed in it.
    """
    session = drawn_session(Random(seed))
    is_drafted = False
    for found in infer([session.stream]):
        try:
            text = draft_profile(found)
        except ValueError:
            continue
        is_drafted = True
        layout = load_profile(text, "draft.toml").frame
        about = f"seed {seed}: {session.description}\n{text}"
        assert stop_frame(layout) in session.released, f"no release sent the stop; {about}"
        assert not session.is_two_axes, f"two axes as one; {about}"
        if seed % FULLY_JUDGED == 0:  # that takes longer than all the rest
            counts = Counter(one.value for one in session.stream.samples)
            missing = sum(count for value, count in counts.items() if not is_explained(layout, value))
            listed = sum(int(count) for count in re.findall(r"(?m)^# not explained: (\d+) ", text))
            assert missing <= listed, f"{missing} frames are not explained, and {listed} are listed; {about}"
    return is_drafted


def drawn_session(chance: Random) -> DrawnSession:
    """A session; its head, the app's habits, and what else is sent are all drawn."""
    head, habits = chance.choice(HEADS)(chance), _habits(chance)
    released: set[bytes] = set()
    sent = list(_driven(head, habits, chance, released))
    end_s = sent[-1].time_s + 3
    # Where releases send no stop but always a query, no log can tell that from a stop.
    possible = tuple(kind for kind in BACKGROUNDS if habits.stops or kind != AFTER_RELEASES)
    kinds = chance.sample(possible, chance.choice((0, 0, 1, 1, 2)))
    for kind in kinds:
        sent += BACKGROUNDS[kind](chance, sent, end_s, len(sent[0].value))
    if chance.random() < 0.2:
        sent += [
            _Sent(chance.uniform(0, end_s), chance.randbytes(len(sent[0].value))) for _ in range(chance.randint(1, 3))
        ]
    jittered = sorted(_Sent(one.time_s + chance.uniform(0, habits.jitter_s), one.value) for one in sent)
    kept = [one for one in jittered if chance.random() >= habits.lost]
    samples = tuple(Sample(frame, one.time_s, one.value) for frame, one in enumerate(kept, 1))
    stream = ValueStream("C0:DE:00:00:5A:1E", "sent", 0x52, 0x17, None, samples)
    description = f"{head.name}; {habits}; {', '.join(kinds)}"
    return DrawnSession(stream, frozenset(released), head.is_two_axes and _has_both_axes(stream), description)


def _has_both_axes(stream: ValueStream) -> bool:
    """Whether both axes were driven; where one never was, its bytes are as constant as any."""
    moves = [one.value[2:] for one in stream.samples if one.value.startswith(b"\xa5\x01")]
    half = len(moves[0]) // 2
    return len({one[:half] for one in moves}) > 2 < len({one[half:] for one in moves})


def _driven(head: DrawnHead, habits: _Habits, chance: Random, released: set[bytes]) -> Iterator[_Sent]:
    """The commands of all presses; the frames that releases send are added to `released`."""
    now_s = chance.uniform(0, 2)
    is_one_way, is_to_the_end = chance.random() < 0.1, chance.random() < 0.3
    for _ in range(habits.presses):
        way = 1 if is_one_way else chance.choice((-1, 1))
        target = chance.choice(habits.speeds) if habits.speeds else 1.0 if is_to_the_end else chance.uniform(0.2, 1)
        held_s, velocity = (
            chance.uniform(0.4, 1.6),
            min(0.05, target) if habits.tick_s and not habits.speeds else target,
        )
        begun_s = now_s
        while now_s < begun_s + held_s:
            yield _Sent(now_s, head.move(way * velocity))
            if not habits.tick_s:
                now_s = begun_s + held_s
                break
            now_s += habits.tick_s
            if not habits.speeds:
                velocity = min(target, max(0.02, velocity + chance.uniform(0, 0.12)))
        rest_s = chance.uniform(0.8, 3)
        count = round(rest_s / habits.tick_s) if habits.is_never_silent else habits.stops
        for number in range(count):
            stop = head.stop(way * velocity)
            released.add(stop)
            yield _Sent(now_s + number * (habits.tick_s or 0.05), stop)
        now_s += max(rest_s, (count + 1) * (habits.tick_s or 0.05))


def _keep_alive(chance: Random, _sent: list[_Sent], end_s: float, length: int) -> list[_Sent]:
    """A keep-alive by a clock of its own."""
    period_s, value = chance.choice((0.2, 0.5, 1.0, 1.0, 2.0, 5.0)), _other_value(chance, length)
    start_s = chance.uniform(0, period_s)
    return [_Sent(start_s + number * period_s, value) for number in range(int((end_s - start_s) / period_s))]


def _idle_keep_alive(chance: Random, sent: list[_Sent], end_s: float, length: int) -> list[_Sent]:
    """A keep-alive where nothing else was sent for a time."""
    period_s, value = chance.choice((0.5, 1.0, 1.5)), _other_value(chance, length)
    times = [one.time_s for one in sorted(sent)]
    return [
        _Sent(before + number * period_s, value)
        for before, after in zip(times, [*times[1:], end_s], strict=True)
        for number in range(1, math.ceil((after - before) / period_s))
    ]


def _query_after_releases(chance: Random, sent: list[_Sent], _end_s: float, length: int) -> list[_Sent]:
    """A query of the position, soon after each silence begins."""
    delay_s, value = chance.choice((0.03, 0.1, 0.3)), _other_value(chance, length)
    times = [one.time_s for one in sorted(sent)]
    return [_Sent(before + delay_s, value) for before, after in itertools.pairwise(times) if after - before > 0.7]


def _poll(chance: Random, _sent: list[_Sent], end_s: float, length: int) -> list[_Sent]:
    """A query by a loose clock, of another length."""
    value, now_s, found = _other_value(chance, max(1, length - 1)), 0.0, []
    while now_s < end_s:
        now_s += chance.uniform(0.3, 0.9)
        found.append(_Sent(now_s, value))
    return found


def _prelude(chance: Random, sent: list[_Sent], _end_s: float, length: int) -> list[_Sent]:
    """A frame before each press, such as one that switches the motor on."""
    value, times = _other_value(chance, length), [one.time_s for one in sorted(sent)]
    begins = [after for before, after in itertools.pairwise(times) if after - before > 0.7]
    return [_Sent(time_s - 0.02, value) for time_s in [times[0], *begins]]


def _other_value(chance: Random, length: int) -> bytes:
    """A value that is no command: of another opcode, or like a command with an unknown direction."""
    if chance.random() < 0.5:
        return b"\x02\x0f" + bytes(max(0, length - 2)) if length > 1 else b"\x0f"
    return bytes([chance.randrange(0xC0, 0xF0)]) + bytes(length - 1)


AFTER_RELEASES = "query after releases"
BACKGROUNDS: dict[str, Callable[[Random, list[_Sent], float, int], list[_Sent]]] = {
    "keep-alive": _keep_alive,
    "idle keep-alive": _idle_keep_alive,
    AFTER_RELEASES: _query_after_releases,
    "poll": _poll,
    "prelude": _prelude,
}
