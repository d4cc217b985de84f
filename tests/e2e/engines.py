"""Three browser engines behind one small interface: Debian's Chromium, Firefox and WebKitGTK.

Each is driven by what it speaks itself: Chromium by Playwright, Firefox by WebDriver BiDi, WebKitGTK by WebDriver.
Playwright drives Firefox and WebKit only in builds of its own, which it would have to download, and Debian has no
geckodriver.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

import httpx
from tests.e2e.lone_browser import WAIT_TIMEOUT_S
from tests.support.serving import free_ports
from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

SIZE: Final = (1024, 768)
START_TIMEOUT_S: Final = 90.0  # a first start makes a profile, on a busy machine
POLL_S: Final = 0.05
KEYS: Final = {"ArrowRight": "\ue014", "Escape": "\ue00c", "Tab": "\ue004", "Enter": "\ue007"}
NO_H264: Final = {"media.ffmpeg.enabled": False, "media.ffvpx.enabled": False, "media.gmp.decoder.enabled": False}
"""A Firefox without FFmpeg, and without the plugin that Debian does not ship anyway."""
FIREFOX_SETTINGS: Final = {
    "app.normandy.enabled": False,
    "app.update.auto": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "intl.accept_languages": "en-GB",
    "media.gmp-manager.updateEnabled": False,  # it would fetch a codec, or try to
    "media.peerconnection.ice.loopback": True,  # a machine without a network has no other interface
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.active-protocols": 1,  # WebDriver BiDi
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}
MINI_BROWSER: Final = "/usr/lib/{}-linux-gnu/webkit2gtk-4.1/MiniBrowser"


class Engine(Protocol):
    """One window of one browser."""

    def goto(self, url: str) -> None:
        """Open an address, and wait until it is loaded."""
        ...

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 (JSON)
        """The value of an expression, as JSON carries it."""
        ...

    def mouse(self, *actions: dict[str, Any]) -> None:
        """Actions of the mouse, as WebDriver describes them."""
        ...

    def key(self, what: str, name: str) -> None:
        """Press (`keyDown`) or release (`keyUp`) a key."""
        ...

    def close(self) -> None:
        """End it."""
        ...


def wait_for(engine: Engine, what: str, expression: str) -> Any:  # noqa: ANN401 (JSON)
    """Wait until an expression is true in the page; returns its value."""
    deadline_at = time.monotonic() + WAIT_TIMEOUT_S
    while not (value := engine.evaluate(expression)):
        if time.monotonic() > deadline_at:
            said = engine.evaluate("document.body.innerText")
            raise AssertionError(f"timed out waiting for {what}; the page says: {said!r}")
        time.sleep(POLL_S)  # no engine tells the others' way that something has changed
    return value


def click(engine: Engine, label: str) -> None:
    """Click the button with this text or name, once it is there."""
    found = f"""(() => {{
      const button = [...document.querySelectorAll("button")].find((each) => !each.closest("[inert]") &&
        (each.getAttribute("aria-label") ?? each.textContent).startsWith({json.dumps(label)}));
      if (button === undefined) return null;
      const {{ left, top, width, height }} = button.getBoundingClientRect();
      return [Math.round(left + width / 2), Math.round(top + height / 2)];
    }})()"""
    x, y = wait_for(engine, f"the button {label}", found)
    engine.mouse(
        {"type": "pointerMove", "x": x, "y": y},
        {"type": "pointerDown", "button": 0},
        {"type": "pointerUp", "button": 0},
    )


class Chromium:
    """By Playwright."""

    def __init__(self, browser: Browser) -> None:
        width, height = SIZE
        self._context = browser.new_context(locale="en-GB", viewport={"width": width, "height": height})
        self._page = self._context.new_page()

    def goto(self, url: str) -> None:
        self._page.goto(url)

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 (JSON)
        return self._page.evaluate(expression)

    def mouse(self, *actions: dict[str, Any]) -> None:
        mouse = self._page.mouse
        for action in actions:
            if action["type"] == "pointerMove":
                mouse.move(action["x"], action["y"])
            else:
                (mouse.down if action["type"] == "pointerDown" else mouse.up)()

    def key(self, what: str, name: str) -> None:
        (self._page.keyboard.down if what == "keyDown" else self._page.keyboard.up)(name)

    def close(self) -> None:
        self._context.close()


class Firefox:
    """By WebDriver BiDi, which Firefox speaks itself.

    Args:
        folder: for its profile.
        settings: of its `about:config`, beside those that keep it quiet.
    """

    def __init__(self, folder: Path, settings: dict[str, Any] | None = None) -> None:
        profile = folder / "firefox"
        profile.mkdir()
        lines = (
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in (FIREFOX_SETTINGS | (settings or {})).items()
        )
        (profile / "user.js").write_text("".join(lines), encoding="utf-8")
        options = ("--headless", "--no-remote", "--remote-debugging-port=0", "--profile", str(profile))
        command = ["firefox-esr", *options, "about:blank"]
        self._process = _start(command, {"HOME": str(folder)})
        address = _read_until(self._process, re.compile(r"BiDi listening on (ws://[0-9.:]+)"))
        self._ids = itertools.count(1)
        self._closing = contextlib.ExitStack()
        session = connect(f"{address}/session", open_timeout=START_TIMEOUT_S, max_size=None)
        self._socket = self._closing.enter_context(session)
        self._send("session.new", capabilities={})
        self._window = self._send("browsingContext.getTree")["contexts"][0]["context"]
        size = {"width": SIZE[0], "height": SIZE[1]}
        self._send("browsingContext.setViewport", context=self._window, viewport=size)

    def goto(self, url: str) -> None:
        self._send("browsingContext.navigate", context=self._window, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 (JSON)
        asked = f"JSON.stringify({expression}) ?? 'null'"
        target = {"context": self._window}
        answer = self._send("script.evaluate", expression=asked, target=target, awaitPromise=False)
        assert answer["type"] == "success", answer
        return json.loads(answer["result"]["value"])

    def mouse(self, *actions: dict[str, Any]) -> None:
        source = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": list(actions)}
        self._send("input.performActions", context=self._window, actions=[source])

    def key(self, what: str, name: str) -> None:
        source = {"type": "key", "id": "keys", "actions": [{"type": what, "value": KEYS[name]}]}
        self._send("input.performActions", context=self._window, actions=[source])

    def close(self) -> None:
        self._closing.close()
        _end(self._process)

    def _send(self, method: str, **params: object) -> Any:  # noqa: ANN401 (JSON)
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=START_TIMEOUT_S))
            if message.get("id") == number:  # others are events
                assert message["type"] == "success", message
                return message["result"]


class WebKitGtk:
    """By WebDriver, with WebKitGTK's own small browser on a screen that nobody sees."""

    def __init__(self, folder: Path) -> None:
        (port,) = free_ports(1)
        self._screen, display = _screen()
        environment = {
            "HOME": str(folder),
            "DISPLAY": display,
            "GDK_BACKEND": "x11",
            "LANGUAGE": "en_GB",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "NO_AT_BRIDGE": "1",
            "WEBKIT_DISABLE_DMABUF_RENDERER": "1",
            "XDG_RUNTIME_DIR": str(folder),
        }
        self._driver = _start(["WebKitWebDriver", "--host=127.0.0.1", f"--port={port}"], environment)
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=START_TIMEOUT_S)
        machine = os.uname().machine
        options = {"binary": MINI_BROWSER.format(machine), "args": ["--automation"]}
        wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        self._session = ""
        self._session = self._first("/session", {"capabilities": wanted})["sessionId"]
        self._post("/window/rect", {"x": 0, "y": 0, "width": SIZE[0], "height": SIZE[1]})

    def goto(self, url: str) -> None:
        self._post("/url", {"url": url})

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 (JSON)
        asked = f"return JSON.stringify({expression}) ?? 'null'"
        return json.loads(self._post("/execute/sync", {"script": asked, "args": []}))

    def mouse(self, *actions: dict[str, Any]) -> None:
        source = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": list(actions)}
        self._post("/actions", {"actions": [source]})

    def key(self, what: str, name: str) -> None:
        source = {"type": "key", "id": "keys", "actions": [{"type": what, "value": KEYS[name]}]}
        self._post("/actions", {"actions": [source]})

    def close(self) -> None:
        with contextlib.suppress(httpx.HTTPError):
            self._http.delete(f"/session/{self._session}", timeout=WAIT_TIMEOUT_S)
        self._http.close()
        _end(self._driver)
        _end(self._screen)

    def _first(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 (JSON)
        """The first request, while the driver is starting."""
        deadline_at = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                return self._answer(self._http.post(path, json=body))
            except httpx.ConnectError:
                assert time.monotonic() < deadline_at, "WebKitWebDriver did not start"
                time.sleep(POLL_S)  # it says nothing once it listens

    def _post(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 (JSON)
        return self._answer(self._http.post(f"/session/{self._session}{path}", json=body))

    @staticmethod
    def _answer(response: httpx.Response) -> Any:  # noqa: ANN401 (JSON)
        value = response.json()["value"]
        assert response.is_success, value
        return value


def _screen() -> tuple[subprocess.Popen[str], str]:
    """An X server without a screen, and its display."""
    width, height = SIZE
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", f"{width}x{height + 200}x24", "-nolisten", "tcp"]
    process = _start(command, {})
    return process, f":{_read_until(process, re.compile(r'^([0-9]+)$'))}"


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    program = shutil.which(command[0])
    assert program is not None, f"{command[0]} is not installed: run scripts/bootstrap interop"
    return subprocess.Popen(
        [program, *command[1:]],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # its children end with it
    )


def _read_until(process: subprocess.Popen[str], wanted: re.Pattern[str]) -> str:
    """What the pattern's group is in the first line that has it; what follows is read and dropped."""
    found: list[str] = []
    lines: list[str] = []
    is_found = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            match = wanted.search(line.strip())
            if match is not None and not found:
                found.append(match[1])
                is_found.set()
        is_found.set()

    threading.Thread(target=read, daemon=True).start()
    assert is_found.wait(START_TIMEOUT_S), f"no {wanted.pattern!r} in {lines}"
    assert found, f"it ended: {lines}"
    return found[0]


def _end(process: subprocess.Popen[str]) -> None:
    """Kill a program and its children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(WAIT_TIMEOUT_S)
    if process.stdout is not None:
        process.stdout.close()


@contextlib.contextmanager
def closing_engine(start: Callable[[], Engine]) -> Iterator[Engine]:
    """An engine that is ended in any case."""
    engine = start()
    try:
        yield engine
    finally:
        engine.close()
