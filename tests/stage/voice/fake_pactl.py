"""Behaves as pactl for the tests: devices and modules are in a folder, and the canceller can be missing."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """#!{python} -IS
import json, pathlib, sys
folder = pathlib.Path({folder!r})
state = json.loads((folder / "state.json").read_text())
arguments = [each for each in sys.argv[1:] if not each.startswith("--")]
with (folder / "calls").open("a") as calls:
    calls.write(" ".join(arguments) + "\\n")
if state["refuses"]:
    sys.exit("Connection failure: Connection refused")
match arguments:
    case ["list", "sources" | "sinks" as kind]:
        print(json.dumps(state[kind]))
    case ["info"]:
        print(json.dumps({{"default_source_name": "mic", "default_sink_name": "box", "host_name": "x"}}))
    case ["list", "short", "modules"]:
        for number, text in state["modules"].items():
            print(f"{{number}}\\tmodule-echo-cancel\\t{{text}}\\t")
    case ["load-module", "module-echo-cancel", *rest]:
        if not any(f"aec_method={{each}}" in rest for each in state["methods"]):
            sys.exit("Failure: Module initialization failed")
        state["modules"]["77"] = " ".join(rest)
        if state["works"]:
            state["sources"].append({{"name": "belvedere.microphone"}})
            state["sinks"].append({{"name": "belvedere.speaker"}})
        print(77)
    case ["unload-module", number]:
        del state["modules"][number]
        for kind in ("sources", "sinks"):
            state[kind] = [each for each in state[kind] if not each["name"].startswith("belvedere.")]
    case _:
        sys.exit("what?")
(folder / "state.json").write_text(json.dumps(state))
"""


class FakePactl:
    """A program in a folder, and what it knows."""

    def __init__(self, folder: Path) -> None:
        self.program = folder / "pactl"
        self.program.write_text(PROGRAM.format(python=sys.executable, folder=str(folder)))
        self.program.chmod(0o755)
        self._state = folder / "state.json"
        self._calls = folder / "calls"
        self._calls.touch()
        self.set(
            sources=[{"name": "mic", "description": "Desk microphone", "mute": False}],
            sinks=[{"name": "box", "description": None}],
            modules={},
            methods=["webrtc", "speex"],
            works=True,
            refuses=False,
        )

    def set(self, **state: object) -> None:
        self._state.write_text(json.dumps((self.state if self._state.exists() else {}) | state))

    @property
    def state(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self._state.read_text())
        return found

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines()
