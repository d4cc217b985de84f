"""Driving under attack, compared with driving without, in turn on the same running server.

A client presses and releases, three well-behaved viewers watch, and a process attacks, at rates that one other machine
could reach. The delay of a stop is measured from sending the release to giving the stop to the radio; the delay of the
event loop by a timer of five milliseconds, less the time in which other programs used the processor. The budget is 1.5
times the figure without attacks, or a delay that nobody notices, whichever is more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.attacks.catalogue import ATTACKS, NOTHING
from tests.attacks.rig import Rig

from benchmarks.report import Result, compare, percentile

if TYPE_CHECKING:
    from tests.attacks.rig import Measured

ROUNDS = 3  # of all attacks: in 3.5 seconds there are about ten stops, so one unlucky moment is a round's percentile
ATTACK_S = 3.5
QUIET_EVERY = 6  # attacks
SHARE = 0.99
RATIO = 1.5
UNFELT_STOP_MS = 10.0  # a third of the link's interval
UNFELT_LAG_MS = 5.0
IDRS_PER_S = 1.5  # one viewer's requests wait a second, and another viewer may join meanwhile
RIVAL_IS = "the same server without an attack"


def run() -> list[Result]:
    """Run all attacks in turn, several times, with measurements without attack in between."""
    quiet: list[Measured] = []
    attacked: dict[str, list[Measured]] = {name: [] for name in sorted(set(ATTACKS) - {NOTHING})}
    with Rig() as rig:
        for _ in range(ROUNDS):
            for number, (name, measured) in enumerate(attacked.items()):
                if number % QUIET_EVERY == 0:
                    quiet.append(rig.measure(NOTHING, ATTACK_S))
                measured.append(rig.measure(name, ATTACK_S))
    results = [result for name, rounds in attacked.items() for result in _results(name, rounds, quiet)]
    return [*results, _idrs_result(attacked["pli_storm"], quiet)]


def _results(name: str, rounds: list[Measured], quiet: list[Measured]) -> list[Result]:
    figures = (
        (
            "stop-p99",
            "from a released finger to giving its stop to the radio, 99th percentile",
            _stop_ms,
            UNFELT_STOP_MS,
        ),
        ("lag-p99", "how late the event loop's timers are, 99th percentile", _lag_ms, UNFELT_LAG_MS),
    )
    results = []
    for figure, what, of, unfelt in figures:
        calm = [of(each) for each in quiet]
        budget = max(unfelt, RATIO * sorted(calm)[len(calm) // 2])
        results.append(
            compare(
                f"attack-{name.replace('_', '-')}-{figure}",
                f"under the attack {name!r}: {what}",
                "ms",
                ours=[of(each) for each in rounds],
                rival=calm,
                rival_is=RIVAL_IS,
                budget=round(budget, 3),
            )
        )
    return results


def _idrs_result(rounds: list[Measured], quiet: list[Measured]) -> Result:
    return compare(
        "attack-pli-storm-idrs",
        "key frames a second that the other viewers are sent while one asks for fifty; each blurs what follows",
        "Hz",
        ours=[viewer.get("idrs", 0) / ATTACK_S for each in rounds for viewer in each.viewers],
        rival=[viewer.get("idrs", 0) / ATTACK_S for each in quiet for viewer in each.viewers],
        rival_is=RIVAL_IS,
        budget=IDRS_PER_S,
    )


def _stop_ms(measured: Measured) -> float:
    return percentile(measured.stops_ms, SHARE)


def _lag_ms(measured: Measured) -> float:
    return percentile(measured.held_ms, SHARE)
