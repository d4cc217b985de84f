"""Driving under attack, compared with driving without, in turn on the same running server.

A client presses and releases, three well-behaved viewers watch, and a process attacks, at rates that one other machine
could reach. The delay of a stop is measured from sending the release to giving the stop to the radio, over the stops of
all rounds; the delay of the event loop by a timer of five milliseconds; both less the time in which other programs used
the processor. The budget is 1.5 times the figure without attacks, or a delay that nobody notices, whichever is more.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from tests.attacks.catalogue import ATTACKS, NOTHING
from tests.attacks.rig import Rig

from benchmarks.report import Result, compare, percentile

if TYPE_CHECKING:
    from tests.attacks.rig import Measured

ROUNDS = 3  # of all attacks: in 3.5 seconds there are about forty stops, too few for a percentile of one round
ATTACK_S = 3.5
QUIET_EVERY = 6  # attacks
SHARE = 0.99
RATIO = 1.5
UNFELT_STOP_MS = 10.0  # a third of the link's interval
UNFELT_LAG_MS = 5.0
IDRS_PER_S = 1.5  # one viewer's requests wait a second, and another viewer may join meanwhile
STOP_IS = "from a released finger to giving its stop to the radio, 99th percentile"
LAG_IS = "how late the event loop's timers are, 99th percentile"
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
    lags, calm_lags = [_lag_ms(each) for each in rounds], [_lag_ms(each) for each in quiet]
    return [
        compare(
            f"attack-{name.replace('_', '-')}-{figure}",
            f"under the attack {name!r}: {what}",
            "ms",
            ours=attacked,
            rival=calm,
            rival_is=RIVAL_IS,
            budget=round(max(unfelt, RATIO * statistics.median(calm)), 3),
        )
        for figure, what, attacked, calm, unfelt in (
            ("stop-p99", STOP_IS, [_stop_ms(rounds)], [_stop_ms(quiet)], UNFELT_STOP_MS),
            ("lag-p99", LAG_IS, lags, calm_lags, UNFELT_LAG_MS),
        )
    ]


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


def _stop_ms(rounds: list[Measured]) -> float:
    return percentile([each for measured in rounds for each in measured.begun_ms], SHARE)


def _lag_ms(measured: Measured) -> float:
    return percentile(measured.held_ms, SHARE)
