"""The page's start, driving and states in three engines: Chromium, Firefox, and WebKitGTK, the nearest to Safari.

What each cannot do here: Debian's Firefox has no H.264 for WebRTC (its plugin is fetched from elsewhere), and its
WebKitGTK no WebRTC at all. Both get the picture by the socket, decoded by FFmpeg.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.e2e.engines import NO_H264, SIZE, Chromium, Engine, Firefox, WebKitGtk, click, closing_engine, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser
    from tests.e2e.conftest import RunningServer

pytestmark = [pytest.mark.realtime, pytest.mark.interop]

WAY = {"chromium": "direct", "firefox": "stream", "webkit": "stream"}
ENGINES = tuple(WAY)
MIDDLE = (SIZE[0] // 2, SIZE[1] // 2)


def fact(name: str, value: str) -> str:
    """An expression that is true once the page's fact has this value."""
    return f"document.querySelector('main')?.getAttribute('data-{name}') === '{value}'"


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path, browser: Browser) -> Iterator[Engine]:
    """One of the engines, with a fresh profile.

    The browser is asked for by all, so that they run last: while Playwright's loop runs, tests cannot have their own.
    """
    start: dict[str, Callable[[], Engine]] = {
        "chromium": lambda: Chromium(browser),
        "firefox": lambda: Firefox(tmp_path),
        "webkit": lambda: WebKitGtk(tmp_path),
    }
    with closing_engine(start[request.param]) as started:
        yield started


def come_in(engine: Engine, server: RunningServer, name: str) -> None:
    """Open a link, and wait until the picture is live by the way that this engine has, and the head can be turned."""
    engine.goto(server.invite())
    click(engine, "Come in")
    wait_for(engine, "a live picture", fact("picture", "live"))
    wait_for(engine, f"the way {WAY[name]}", fact("way", WAY[name]))
    wait_for(engine, "the head", fact("pan-link", "ready"))


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_a_visit_from_the_link_to_leaving(
    engine: Engine, server: RunningServer, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.params["engine"]
    come_in(engine, server, name)
    x, y = MIDDLE

    began = time.monotonic()
    engine.mouse({"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0})
    engine.mouse(*({"type": "pointerMove", "x": x + step, "y": y} for step in (60, 120, 200)))
    server.wait_turning(began)
    wait_for(engine, "a hold", fact("hold", "live"))
    engine.mouse({"type": "pointerUp", "button": 0})
    server.wait_stopped()

    began = time.monotonic()
    engine.key("keyDown", "ArrowRight")
    server.wait_turning(began)
    engine.key("keyDown", "Escape")
    server.wait_stopped()
    wait_for(engine, "the stop", fact("topic", "hold_cut"))
    engine.key("keyUp", "Escape")
    engine.key("keyUp", "ArrowRight")

    click(engine, "Leave")
    wait_for(engine, "the focus on the button to come back", "document.activeElement?.textContent === 'Look around'")
    click(engine, "Look around")
    wait_for(engine, "a live picture again", fact("picture", "live"))
    click(engine, "Leave")
    server.take_back()


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_a_picture_that_breaks_off_comes_back_and_says_so_meanwhile(
    engine: Engine, server: RunningServer, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.params["engine"]
    come_in(engine, server, name)
    seen = "window.seen = new Set([document.querySelector('main').dataset.picture])"
    watch = (
        "new MutationObserver(() => window.seen.add(document.querySelector('main')?.dataset.picture))"
        ".observe(document.body, { subtree: true, attributes: true })"
    )
    engine.evaluate(f"({seen}, {watch}, true)")
    server.break_picture_off()
    wait_for(engine, "the loss", "window.seen.size > 1")
    wait_for(engine, "a live picture again", fact("picture", "live"))
    click(engine, "Leave")


def test_a_browser_without_h264_names_the_codec_and_does_not_ask_again(server: RunningServer, tmp_path: Path) -> None:
    with closing_engine(lambda: Firefox(tmp_path, NO_H264)) as engine:
        engine.goto(server.invite())
        click(engine, "Come in")
        wait_for(engine, "the message", "document.querySelector('[data-topic=no_codec]') !== null")
        assert "H.264" in engine.evaluate("document.body.innerText")
        engine.evaluate("(performance.clearResourceTimings(), true)")
        click(engine, "Try again")
        wait_for(engine, "one more offer", "performance.getEntriesByType('resource').length > 0")
        wait_for(engine, "the message", "document.querySelector('[data-topic=no_codec]') !== null")
