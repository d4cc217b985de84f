"""`python -m benchmarks [names]`: run the scenarios, or those named; print the table and write results.json."""

from __future__ import annotations

import importlib
import os
import sys
import time
import traceback

from benchmarks.report import RESULTS, Result, machine, print_table, write_results

SCENARIOS = {
    "age": "the age of a command when the unit receives it",
    "attacks": "driving under attack, compared with driving without",
    "message": "the processor time of a WebSocket message",
    "footprint": "how soon the server is ready, and how much memory it takes",
    "guardian": "what the process costs that stops the head when the server cannot",
    "glass": "from the camera to the screen, and what each viewer costs",
    "large": "the same with larger pictures and more of them",
    "voice": "from a visitor's mouth to the room's loudspeaker, and what the voice costs",
    "viewers": "how late the loop that drives is while four viewers watch 1080p30",
    "lossy": "the picture on lines with little bandwidth, delay and loss (needs root)",
    "ivs_token": "what a page waits for before it can join Amazon IVS",
    "ivs_publishing": "what publishing to Amazon IVS adds to a picture that is encoded anyway",
    "press": "from a key to the first moved pixel",
    "sharpness": "how similar the encoded picture is to its source, at rest and in a pan",
    "shown": "the same of what the browser shows",
    "roaming": "without a picture when the visitor changes networks (needs root)",
    "snoop": "how fast a phone's log is read, and in how much memory",
}


def main(names: list[str]) -> int:
    """Run them; exit status 2 for an unknown name, 1 for a scenario that failed."""
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        print(f"no such scenario: {', '.join(unknown)}. There are:", file=sys.stderr)
        for name, what in SCENARIOS.items():
            print(f"  {name:10}{what}", file=sys.stderr)
        return 2
    print(f"{machine()}\n")
    if os.getloadavg()[0] > 0.5:
        print("The machine is busy with something else: expect wide spreads.\n")
    results: list[Result] = []
    failed: list[str] = []
    for name in names or SCENARIOS:
        began = time.monotonic()
        print(f"{name}: {SCENARIOS[name]} ...", file=sys.stderr, flush=True)
        try:
            results += importlib.import_module(f"benchmarks.{name}").run()
        except Exception:  # noqa: BLE001 - the other scenarios still run
            failed.append(name)
            traceback.print_exc()
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        write_results(results)
    print()
    print_table(results)
    print(f"\nin {RESULTS}")
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
