"""Debian's Chromium in a process that a test may kill."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page, Playwright

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGUMENTS = [
    "--headless=new",
    "--lang=en-GB",
    "--accept-lang=en-GB",  # the tests read what the page says
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--test-third-party-cookie-phaseout",  # cookies of other sites are blocked, as most browsers do
    "--use-fake-device-for-media-stream",  # its microphone beeps
    "--allow-loopback-in-peer-connection",  # a machine without a network has no other interface
]
WAIT_TIMEOUT_S = 30.0  # for anything that happens within a second or two on an idle machine
FIELDS_WHEN_READY = 2  # the port and a path


class LoneBrowser:
    """A browser in a process that may be killed, and whose tabs can be hidden, which Playwright's own cannot."""

    def __init__(self, playwright: Playwright, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        options = ["--remote-debugging-port=0", f"--user-data-dir={folder}"]
        # not the new-tab page, which changes its process while loading: attaching meanwhile would hang
        command = [CHROMIUM, *CHROMIUM_ARGUMENTS, *options, "about:blank"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self._renderers: list[int] = []
        self._playwright = playwright
        self._folder = folder

    def open(self) -> Page:
        """Its first tab."""
        port_file = self._folder / "DevToolsActivePort"
        deadline_at = time.monotonic() + WAIT_TIMEOUT_S
        while not (port_file.exists() and len(fields := port_file.read_text().split()) == FIELDS_WHEN_READY):
            assert time.monotonic() < deadline_at, "the browser did not start"
            time.sleep(0.02)  # the browser writes the file once it accepts connections; there is no other sign
        port = fields[0]
        self.browser = self._playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
        page = self.browser.contexts[0].pages[0]
        page.set_default_timeout(WAIT_TIMEOUT_S * 1000)
        return page

    def renderers(self) -> list[int]:
        """The processes that run pages."""
        info = self.browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
        self._renderers = [process["id"] for process in info["processInfo"] if process["type"] == "renderer"]
        return self._renderers

    def end(self) -> None:
        """Kill the browser and its renderers; a frozen renderer does not notice that its browser is gone."""
        self.process.kill()
        self.process.wait(WAIT_TIMEOUT_S)
        for renderer in self._renderers:
            with suppress(ProcessLookupError):
                os.kill(renderer, signal.SIGKILL)
