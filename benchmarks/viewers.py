"""How late the loop that drives is while the picture is as large as it gets and four people watch it.

A client drives all the time, so that the picture moves. The viewers decode nothing and have only what the server and
the driver leave of the processors: on other machines they would take nothing of them. What the loop waits for a
processor while other programs have both does not count.
"""

from __future__ import annotations

from tests.attacks.rig import Rig

from benchmarks.report import Result, compare, percentile

ROUNDS = 3
DRIVE_S = 8.0
VIEWERS = 4
SHARE = 0.99
LATE_MS = 5.0
CAMERA = 'kind = "room"'
STAGE = "width = 1920\nheight = 1080\nbitrate_kbps = 6000"
SCENE = f"1920x1080 at 30 fps, 6 Mbit/s, {VIEWERS} viewers, driving"


def run() -> list[Result]:
    """Drive several times."""
    with Rig(camera=CAMERA, stage=STAGE, viewers=VIEWERS) as rig:
        rounds = [rig.quiet(DRIVE_S) for _ in range(ROUNDS)]
    for measured in rounds:
        if measured.errors:
            raise RuntimeError(f"driving failed: {measured}")
        seen = [viewer.get("packets", 0) for viewer in measured.viewers]
        print(f"  packets that the viewers received in {DRIVE_S:.0f} s: {seen}")
    figures = (
        ("lag-p99", "how late the event loop's timers are, less the wait for a processor", "held_ms", LATE_MS),
        ("lag-p99-clock", "the same by the clock", "lags_ms", None),
        ("message-p99", "from sending a message to the server's reply to it", "pings_ms", LATE_MS),
        ("stop-p99", "from a released finger to giving its stop to the radio", "stops_ms", None),
    )
    return [
        compare(
            f"viewers-{name}",
            f"{what}, 99th percentile of {DRIVE_S:.0f} s; {SCENE}",
            "ms",
            ours=[percentile(getattr(measured, attribute), SHARE) for measured in rounds],
            budget=budget,
        )
        for name, what, attribute, budget in figures
    ]
