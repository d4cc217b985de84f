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
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-loopback-in-peer-connection",  # a machine without a network has no other interface
]
PATIENCE_S = 30.0  # for anything that happens within a second or two on an idle machine
WORDS_WHEN_READY = 2  # the port and a path


class LoneBrowser:
    """A browser as people have it, in a process that may be killed: Playwright's own never hide a page."""

    def __init__(self, playwright: Playwright, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        options = ["--remote-debugging-port=0", f"--user-data-dir={folder}"]
        # not its page for new tabs, which swaps processes while it loads: whoever attaches meanwhile waits for ever
        command = [CHROMIUM, *CHROMIUM_ARGUMENTS, *options, "about:blank"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self._renderers: list[int] = []
        self._playwright = playwright
        self._folder = folder

    def open(self) -> Page:
        """Its first tab."""
        told = self._folder / "DevToolsActivePort"
        deadline_at = time.monotonic() + PATIENCE_S
        while not (told.exists() and len(words := told.read_text().split()) == WORDS_WHEN_READY):
            assert time.monotonic() < deadline_at, "the browser did not start"
            time.sleep(0.02)  # the browser writes it when it can be spoken to, and tells in no other way
        port = words[0]
        self.browser = self._playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
        page = self.browser.contexts[0].pages[0]
        page.set_default_timeout(PATIENCE_S * 1000)
        return page

    def renderers(self) -> list[int]:
        """The processes that run pages."""
        told = self.browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
        self._renderers = [process["id"] for process in told["processInfo"] if process["type"] == "renderer"]
        return self._renderers

    def end(self) -> None:
        """End it whatever has become of it; a page that was frozen does not notice that its browser is gone."""
        self.process.kill()
        self.process.wait(PATIENCE_S)
        for renderer in self._renderers:
            with suppress(ProcessLookupError):
                os.kill(renderer, signal.SIGKILL)
