"""A running server in a thread, Debian's Chromium, and visitors who open the printed link in it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Locator, Page, expect, sync_playwright
from tests.access.joining import invite
from tests.e2e.devices import DESKTOP, PHONE, Device
from tests.e2e.family_page import family_site
from tests.e2e.lone_browser import CHROMIUM, CHROMIUM_ARGUMENTS, WAIT_TIMEOUT_S, LoneBrowser
from tests.support.tcp_relay import TcpRelay

from belvedere.access.invitations import MAX_SESSIONS_OF_PERSON
from belvedere.app.lifecycle import run_until_ended
from belvedere.app.settings import DEMO, RoomCameraSettings, resolve
from belvedere.control.lease import LeaseVerb
from belvedere.gateway.options import GatewayOptions
from belvedere.head.axes import AXES
from belvedere.head.frames import stop_frame
from belvedere.link.supervisor import LinkPhase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Playwright

    from belvedere.app.build import Belvedere
    from belvedere.app.opening import Opened
    from belvedere.sim.head import VirtualHead
    from belvedere.sim.unit import ReceivedFrame, VirtualUnit
    from belvedere.stage.options import StageOptions

    Grey = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

T = TypeVar("T")

BETWEEN_TESTS, HIGHEST_RANK = "between tests", 99  # a session that outranks every visitor
SLACK_S = 0.5  # what a busy machine may add to times that tests/faults hold to the millisecond

SCREENSHOTS = os.environ.get("BELVEDERE_SCREENSHOTS")  # a folder for pictures of the page, for people to look at
PICTURE = (1280, 720) if SCREENSHOTS else (640, 360)  # the page does not care; the smaller one is quicker
GREY = (160, 90)  # pictures are compared this small
ROOM_PX_PER_DEG = 6592 / 360  # the room's panorama is 6592 pixels around

PROFILE = resolve(DEMO).profile
STOP = stop_frame(PROFILE.frame)
RIGHT = bytes.fromhex("0201")

LOOK = """([width, height]) => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  context.drawImage(document.querySelector("video"), 0, 0, width, height);
  const data = context.getImageData(0, 0, width, height).data;
  return Array.from({ length: width * height }, (_, i) => data[4 * i + 1]);
}"""
FRAMES = """(count) => new Promise((done) => {
  const video = document.querySelector("video");
  const next = () => (count-- > 0 ? video.requestVideoFrameCallback(next) : done(true));
  next();
})"""


class RunningServer:
    """The whole program with a virtual head and room, on an event loop in its own thread.

    All methods may be called from the test's thread. Times are `time.monotonic()`, as on the frames.
    """

    def __init__(
        self,
        *,
        has_time_bar: bool = False,
        store: Path | None = None,
        frontends: tuple[str, ...] = (),
        stage: StageOptions = DEMO.stage,
    ) -> None:
        self.link = ""
        self._store = store
        self._frontends = frontends
        self._stage = stage
        self._camera = RoomCameraSettings(time_bar=has_time_bar)
        self.status: int | None = None
        self._built: Belvedere | None = None
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run_until_ended, name="server")
        self._thread.start()
        assert self._opened.wait(WAIT_TIMEOUT_S), "the server did not start"
        self.wait_ready()

    @property
    def port(self) -> int:
        """The server's port."""
        return int(self.link.partition("/join#")[0].rpartition(":")[2])

    @property
    def head(self) -> VirtualHead:
        """The virtual head; use it within `do` or `wait` only."""
        head = self._belvedere.virtual_head
        assert head is not None
        return head

    def invite(self, port: int | None = None) -> str:
        """A fresh link; by way of another port, such as a relay's, where one is given."""
        secret = self.do(lambda: invite(self._belvedere.invitations))
        return f"http://127.0.0.1:{port or self.port}/join#{secret}"

    def crowd_in(self) -> None:
        """Open so many sessions of each person that all earlier ones are displaced."""
        invitations = self._belvedere.invitations

        def crowd_in() -> None:
            for person in {session.person for session, _ in invitations.sessions()}:
                for _ in range(MAX_SESSIONS_OF_PERSON):
                    invitations.open_session(person)

        self.do(crowd_in)

    def do(self, what: Callable[[], T]) -> T:
        """Call something on the server's event loop."""

        async def there() -> T:
            return what()

        return asyncio.run_coroutine_threadsafe(there(), self._loop).result(WAIT_TIMEOUT_S)

    def wait(self, what: str, condition: Callable[[], T], timeout_s: float = WAIT_TIMEOUT_S) -> T:
        """Wait until a condition holds, checked on the server's event loop; returns its value."""

        async def there() -> T:
            deadline_at = time.monotonic() + timeout_s
            while not (result := condition()):
                assert time.monotonic() < deadline_at, f"timed out waiting for: {what}"
                await asyncio.sleep(0.005)  # frames cause no event, so they are polled
            return result

        return asyncio.run_coroutine_threadsafe(there(), self._loop).result(timeout_s + WAIT_TIMEOUT_S)

    @contextmanager
    def relay(self, kind: type[TcpRelay] = TcpRelay) -> Iterator[TcpRelay]:
        """A relay to the server that can be reset or stalled; use it within `do` only."""
        relay = kind(self.port)
        asyncio.run_coroutine_threadsafe(relay.open(), self._loop).result(WAIT_TIMEOUT_S)
        try:
            yield relay
        finally:
            asyncio.run_coroutine_threadsafe(relay.close(), self._loop).result(WAIT_TIMEOUT_S)

    def break_picture_off(self) -> None:
        """End the connection of everybody who watches."""

        def end_all() -> None:
            for viewer in list(self._belvedere.stage._viewers.values()):
                viewer.receive_ended()

        self.do(end_all)

    def angle(self) -> float:
        """The pan unit's true angle in degrees."""
        return self.do(lambda: self.head.pan.angle_deg)

    def frames_since(self, at_s: float) -> list[ReceivedFrame]:
        """The frames that the pan unit has obeyed since then."""
        return self.do(lambda: _obeyed(self.head.pan, at_s))

    def is_still_since(self, at_s: float) -> bool:
        """Whether the pan unit has received nothing but stops since then."""
        return all(frame.frame == STOP for frame in self.frames_since(at_s))

    def wait_turning(self, since_s: float, at_least_deg: float = 1.0) -> None:
        """Wait for a command to turn right since then, and until the pan unit has turned this far from now on."""
        before = self.angle()

        def is_turning() -> bool:
            is_commanded = any(frame.frame.startswith(RIGHT) for frame in _obeyed(self.head.pan, since_s))
            return is_commanded and self.head.pan.angle_deg >= before + at_least_deg

        self.wait("it turns right", is_turning)

    def wait_stopped(self) -> float:
        """Wait until both units have a stop and are at rest; returns when pan received its first stop."""

        def at_rest() -> bool:
            now = asyncio.get_running_loop().time()
            units = [self.head.unit(axis) for axis in AXES]
            return all(unit.frames[-1].frame == STOP and unit.speed_at(now) == 0 for unit in units)

        self.wait("both units are at rest", at_rest)
        frames = self.frames_since(0)
        last_move = max(index for index, frame in enumerate(frames) if frame.frame != STOP)
        return frames[last_move + 1].at_s

    def wait_ready(self) -> None:
        """Wait until both units take commands."""
        units = self._belvedere.units.values
        self.wait("both units are ready", lambda: all(unit.status.state is LinkPhase.READY for unit in units()))

    def rest(self) -> None:
        """Wait until nobody drives, and both units are connected."""
        self.wait("nobody drives", lambda: self._belvedere.engine.status.lease.session is None)
        self.wait_ready()

    def take_back(self) -> None:
        """Take the lease from any driver, without its grace time, and wait until both units are connected."""

        def taken() -> None:
            engine = self._belvedere.engine
            engine.receive_session_opened(BETWEEN_TESTS, BETWEEN_TESTS, HIGHEST_RANK)
            engine.receive_lease(BETWEEN_TESTS, LeaseVerb.TAKE)
            engine.receive_lease(BETWEEN_TESTS, LeaseVerb.RETURN)
            engine.receive_session_closed(BETWEEN_TESTS)

        self.do(taken)
        self.rest()

    def end(self) -> int | None:
        """End the server as SIGTERM does; returns its exit status."""
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(WAIT_TIMEOUT_S)
        return self.status

    def close(self) -> None:
        """End the server; it must exit with status 0."""
        assert self.end() == 0

    @property
    def _belvedere(self) -> Belvedere:
        assert self._built is not None
        return self._built

    def _run_until_ended(self) -> None:
        stage = msgspec.structs.replace(self._stage, width=PICTURE[0], height=PICTURE[1])
        control = msgspec.structs.replace(DEMO.control, lease_grace_s=1.0)  # so that the next test may drive soon
        access = msgspec.structs.replace(DEMO.access, frontends=self._frontends)
        store = msgspec.structs.replace(DEMO.store, file=str(self._store or ""))
        config = resolve(
            msgspec.structs.replace(
                DEMO,
                stage=stage,
                control=control,
                server=GatewayOptions(port=0),
                camera=self._camera,
                access=access,
                store=store,
            ),
        )

        config = msgspec.structs.replace(config, store=self._store)

        async def run() -> int:
            self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
            return await run_until_ended(config, self._open, ending=self._ending, on_built=self._build)

        with asyncio.Runner() as runner:
            self.status = runner.run(run())

    def _build(self, belvedere: Belvedere) -> None:
        self._built = belvedere

    def _open(self, opened: Opened) -> None:
        self.link = opened.link
        self._opened.set()


def _obeyed(unit: VirtualUnit, since_s: float) -> list[ReceivedFrame]:
    return [frame for frame in unit.frames if frame.at_s >= since_s and frame.is_obeyed]


class Visitor:
    """A visitor with a page, and a mouse or, on a phone, fingers."""

    def __init__(self, page: Page, server: RunningServer, device: Device) -> None:
        self.page = page
        self.device = device
        self.room: Locator = page.locator("main")
        self.status: Locator = page.get_by_role("status")
        self._server = server
        self._cdp: CDPSession | None = None

    def redeem(self, link: str) -> None:
        """Open a link and tap the one button; returns when the picture comes by WebRTC and pan is connected."""
        self.page.goto(link)
        self.tap("Come in")
        self.expect("picture", "live")
        self.expect("way", "direct")
        self.expect("pan-link", "ready")

    def tap(self, name: str) -> None:
        """Tap or click the button of this name."""
        button = self.page.get_by_role("button", name=name)
        if self.device.is_phone:
            button.tap()
        else:
            button.click()

    def expect(self, fact: str, value: str) -> None:
        """Wait until the page's fact has this value."""
        expect(self.room).to_have_attribute(f"data-{fact}", value)

    def drag_right(self, share: float = 0.3) -> float:
        """Press in the middle and drag to the right by this share of the screen; returns when it began."""
        began = time.monotonic()
        x, y = self.device.middle
        self.press()
        for step in (1, 2, 3):
            self.move_to(x + round(self.device.width * share * step / 3), y)
        return began

    def press(self) -> None:
        """Press in the middle."""
        x, y = self.device.middle
        if self.device.is_phone:
            self.touch("touchStart", {0: (x, y)})
        else:
            self.page.mouse.move(x, y)
            self.page.mouse.down()

    def move_to(self, x: int, y: int) -> None:
        """Move while pressed."""
        if self.device.is_phone:
            self.touch("touchMove", {0: (x, y)})
        else:
            self.page.mouse.move(x, y)

    def release(self) -> float:
        """Release; returns when."""
        released_at = time.monotonic()
        if self.device.is_phone:
            self.touch("touchEnd")
        else:
            self.page.mouse.up()
        return released_at

    def touch(self, what: str, fingers: dict[int, tuple[int, int]] | None = None) -> None:
        """Send a touch event with all fingers that are down, by number; or those lifted, None for all."""
        if self._cdp is None:
            self._cdp = self.page.context.new_cdp_session(self.page)
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in (fingers or {}).items()]
        self._cdp.send("Input.dispatchTouchEvent", {"type": what, "touchPoints": points})

    def press_key(self, key: str = "ArrowRight") -> float:
        """Hold a key down; returns when that began."""
        began = time.monotonic()
        self.page.keyboard.down(key)
        return began

    def sees_it_turn_after_a_fresh_press(self) -> None:
        """Press: it turns; release: it stops."""
        pressed_at = self.drag_right()
        try:
            self._server.wait_turning(pressed_at)
        except AssertionError as error:
            raise AssertionError(f"{error}; the page says: {self.page.inner_text('main')!r}") from error
        released_at = self.release()
        assert self._server.wait_stopped() >= released_at

    def pictures_go_by(self, count: int = 5) -> None:
        """Wait until so many new pictures were shown."""
        assert self.page.evaluate(FRAMES, count)

    def look(self) -> Grey:
        """The picture on the screen, grey and small."""
        return np.array(self.page.evaluate(LOOK, list(GREY)), dtype=float).reshape(GREY[1], GREY[0])

    def has_turned_deg(self, before: Grey) -> float:
        """How far to the right the camera has turned since that picture, judged only by the screen."""
        self.pictures_go_by()  # the shown picture may be older than this call
        return _shift_px(before, self.look()) * PICTURE[0] / GREY[0] / ROOM_PX_PER_DEG

    def photograph(self, name: str) -> None:
        """Save a screenshot of the page, if BELVEDERE_SCREENSHOTS is set."""
        if SCREENSHOTS:
            path = Path(SCREENSHOTS) / f"{self.device.name}-{name}.png"
            self.page.screenshot(path=path, animations="disabled")  # not halfway through a fade


def _shift_px(before: Grey, after: Grey) -> int:
    """By how many columns the picture has moved to the left."""
    width = GREY[0]
    most = width * 3 // 4

    def unlikeness(shift: int) -> float:
        there, here = before[:, max(0, shift) : width + min(0, shift)], after[:, max(0, -shift) : width - max(0, shift)]
        return float(np.abs(there - here).mean())

    return min(range(-most, most + 1), key=unlikeness)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the browser tests last: they share one Playwright, whose event loop blocks those of other tests."""
    items.sort(key=lambda item: isinstance(item, pytest.Function) and "playwright" in item.fixturenames)


@pytest.fixture(scope="session")
def family() -> Iterator[str]:
    """The origin of a family's own page, which the server's settings list."""
    with family_site() as origin:
        yield origin


@pytest.fixture(scope="session")
def server(family: str) -> Iterator[RunningServer]:
    """One server for all browser tests; it must exit with status 0."""
    with closing(RunningServer(frontends=(family,))) as server:
        yield server


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright, from the first browser test on; no other tests follow."""
    expect.set_options(timeout=WAIT_TIMEOUT_S * 1000)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One browser for all tests that do not kill theirs."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture
def visit(browser: Browser, server: RunningServer) -> Iterator[Callable[[Device], Visitor]]:
    """Creates visitors with separate browser profiles; at the end all leave, and the head comes to rest."""
    contexts: list[BrowserContext] = []

    def come(device: Device = DESKTOP, language: str = "en-GB") -> Visitor:
        context = browser.new_context(
            locale=language,
            viewport={"width": device.width, "height": device.height},
            has_touch=device.is_phone,
            is_mobile=device.is_phone,
            device_scale_factor=2 if device.is_phone else 1,
        )
        contexts.append(context)
        context.set_default_timeout(WAIT_TIMEOUT_S * 1000)
        return Visitor(context.new_page(), server, device)

    yield come
    for context in contexts:
        context.close()
    server.take_back()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with a `visitor` on a phone and on a desktop; with the marker `any_size` on a phone only.

    Screenshots are taken on both.
    """
    if "visitor" in metafunc.fixturenames:
        is_one_enough = metafunc.definition.get_closest_marker("any_size") is not None and not SCREENSHOTS
        devices = [PHONE] if is_one_enough else [PHONE, DESKTOP]
        metafunc.parametrize("visitor", devices, indirect=True, ids=lambda device: device.name)


@pytest.fixture
def visitor(visit: Callable[[Device], Visitor], request: pytest.FixtureRequest) -> Visitor:
    """A visitor who has not opened a link yet."""
    return visit(request.param)


@pytest.fixture
def lone_browser(playwright: Playwright, server: RunningServer, tmp_path: Path) -> Iterator[LoneBrowser]:
    """A browser for one test; it is killed at the end in any case, and the head comes to rest."""
    lone = LoneBrowser(playwright, tmp_path / "chromium")
    yield lone
    lone.end()
    server.take_back()


@pytest.fixture
def visitor_with_phone(visit: Callable[[Device], Visitor]) -> Visitor:
    """A visitor with a phone who has not opened a link yet."""
    return visit(PHONE)


@pytest.fixture
def ready_page(lone_browser: LoneBrowser, server: RunningServer) -> Page:
    """A tab of an ordinary browser, with a live picture and ready to drive."""
    page = lone_browser.open()
    page.goto(server.invite())
    page.get_by_role("button", name="Come in").click()
    page.wait_for_selector("main[data-picture=live][data-way=direct][data-pan-link=ready]")
    return page
