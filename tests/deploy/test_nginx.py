"""Two real rooms behind Debian's nginx with `deploy/nginx`, below paths and on names of their own."""

from __future__ import annotations

import json
import subprocess
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from tests.deploy.two_rooms import EXAMPLES, Room, configured_nginx, trusting, two_rooms
from tests.e2e.family_page import family_site
from tests.e2e.lone_browser import CHROMIUM, CHROMIUM_ARGUMENTS
from websockets.sync.client import connect
from websockets.typing import Subprotocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx
    from websockets.sync.client import ClientConnection

pytestmark = pytest.mark.slow  # a browser and idle sockets
Rooms = tuple[Room, Room]
WAIT_MS = 30_000
IDLE_S = 7.0  # longer than the time-out that nginx has in these tests
ATTIC = "Attic Can\u2019t be reached right now."
LOGINS = 20  # at once, of one address without a session
SDP = {"content-type": "application/sdp"}
HOLDS = """() => {
  window.holds = [];
  const view = document.querySelector(".live-view");
  new MutationObserver(() => {
    if (window.holds.at(-1) !== view.dataset.hold) window.holds.push(view.dataset.hold);
  }).observe(view, { attributes: true, attributeFilter: ["data-hold"] });
}"""


@pytest.fixture(scope="module")
def family() -> Iterator[str]:
    with family_site() as site:
        yield site


@pytest.fixture(scope="module", params=["by-path", "by-name"])
def rooms(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, family: str) -> Iterator[Rooms]:
    folder, by_name = tmp_path_factory.mktemp(request.param), request.param == "by-name"
    with two_rooms(folder, by_name=by_name, frontend=family) as running:
        yield running


@pytest.fixture
def kitchen(rooms: Rooms) -> Room:
    return rooms[0]


@pytest.fixture
def study(rooms: Rooms) -> Room:
    return rooms[1]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield started
        started.close()


@contextmanager
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(ignore_https_errors=True, locale="en-GB")
    context.set_default_timeout(WAIT_MS)
    try:
        yield context
    finally:
        context.close()


def look_around(page: Page, button: str) -> None:
    page.get_by_role("button", name=button).click()
    page.wait_for_selector("[data-picture=live]")


def leave(page: Page) -> None:
    page.get_by_role("button", name="Leave", exact=True).click()
    page.wait_for_selector(".start-screen")


@contextmanager
def open_socket(room: Room, path: str, subprotocol: str, cookie: str) -> Iterator[ClientConnection]:
    with connect(
        f"wss://{room.authority}{room.base_path}{path}",
        sock=room.connection(),
        ssl=trusting(),
        subprotocols=[Subprotocol(subprotocol)],
        additional_headers={"cookie": cookie, "origin": f"https://{room.authority}"},
    ) as opened:
        yield opened


def read_until_silent(opened: ClientConnection) -> None:
    """Read until nothing has come for IDLE_S. Raises ConnectionClosed where the socket ends."""
    with suppress(TimeoutError):
        while True:
            opened.recv(IDLE_S)


@pytest.mark.parametrize("site", sorted(path.stem for path in (EXAMPLES / "sites").glob("*.conf")))
def test_nginx_finds_nothing_wrong_in_an_example(site: str, tmp_path: Path) -> None:
    count = 1 if site == "one-room" else 2
    rooms = [Room(f"Room {number}", 18_080 + number, "", "", 18_443, tmp_path) for number in range(count)]
    command = configured_nginx(tmp_path / "nginx", site, 18_443, rooms)
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=30, check=False)
    assert (tested.returncode, "warn" in tested.stderr) == (0, False), tested.stderr


def test_a_visitor_goes_from_one_room_to_the_other_and_a_stop_in_one_does_nothing_in_the_other(
    browser: Browser, kitchen: Room, study: Room
) -> None:
    with visitor(browser) as context, closing(kitchen.client()) as cook, closing(study.client()) as reader:
        page = context.new_page()
        page.goto(study.invite("Ana"))
        look_around(page, "Come in")
        leave(page)
        page.goto(kitchen.invite("Ana"))
        look_around(page, "Come in")
        leave(page)
        page.get_by_role("link", name="Other rooms").click()
        doors = page.locator(".rooms-room")
        expect(doors).to_have_text(["Kitchen You can look in now.", "Study You can look in now.", ATTIC])
        assert page.url == f"{kitchen.url}/rooms"
        doors.nth(1).click()
        page.wait_for_url(f"{study.url}/")
        look_around(page, "Look around")
        kitchen.come_in(cook, "Cook", "owner")
        study.come_in(reader, "Reader", "owner")
        page.evaluate(HOLDS)
        page.keyboard.down("ArrowRight")
        page.wait_for_selector(".live-view[data-moving=true]")
        assert cook.post("/api/v1/head/stop").status_code == 200
        for _ in range(3):
            assert reader.get("/api/v1/session").json()["name"] == "Reader"
        assert page.evaluate("window.holds") == ["live"]
        assert reader.post("/api/v1/head/stop").status_code == 200
        page.wait_for_selector(".live-view[data-moving=false]")
        assert page.evaluate("window.holds") != ["live"]
        page.keyboard.up("ArrowRight")
        leave(page)


def test_a_room_that_somebody_may_not_enter_is_not_on_their_list(browser: Browser, kitchen: Room, study: Room) -> None:
    with visitor(browser) as context:
        page = context.new_page()
        page.goto(f"{kitchen.url}/rooms")
        expect(page.locator("main")).not_to_contain_text(study.name)
        page.goto(kitchen.invite("Ben"))
        page.get_by_role("button", name="Come in").click()
        page.wait_for_selector("[data-picture=live]")
        page.goto(f"{kitchen.url}/rooms")
        expect(page.locator(".rooms-room")).to_have_text(["Kitchen You can look in now.", ATTIC])
        expect(page.locator("main")).not_to_contain_text(study.name)


def test_each_room_has_a_cookie_of_its_own_which_the_other_is_never_sent_below_a_path(
    browser: Browser, kitchen: Room, study: Room
) -> None:
    with visitor(browser) as context:
        page = context.new_page()
        for room in (kitchen, study):
            page.goto(room.invite("Eve"))
            page.get_by_role("button", name="Come in").click()
            page.wait_for_selector("[data-picture=live]")
        found = sorted(
            (each["name"], each["domain"], each["path"]) for each in context.cookies() if "entry" not in each["name"]
        )
        prefix = "__Secure-" if kitchen.base_path else "__Host-"
        name = f"{prefix}belvedere-{kitchen.proxy_port}"
        assert found == sorted((name, room.host, room.base_path or "/") for room in (kitchen, study))


def test_a_page_of_another_site_shows_a_room(browser: Browser, kitchen: Room, family: str) -> None:
    with visitor(browser) as context:
        page = context.new_page()
        secret = kitchen.invite("Aunt").partition("#")[2]
        house = kitchen.url.partition("://")[2]
        page.goto(f"{family}/?house={kitchen.url}#belvedere={secret}&house={house}")
        look_around(page, "Come in")
        page.wait_for_selector(".live-view[data-way=direct]")
        assert not [cookie for cookie in context.cookies() if "entry" not in cookie["name"]]  # by a bearer


def test_whep_passes_with_its_address_and_all_its_methods(browser: Browser, kitchen: Room) -> None:
    with visitor(browser) as context, closing(kitchen.client()) as client:
        page = context.new_page()
        answers: list[tuple[str, int, str]] = []
        page.on(
            "response",
            lambda answer: (
                answers.append((answer.request.method, answer.status, answer.headers.get("location", "")))
                if "/stage/whep" in answer.url
                else None
            ),
        )
        page.goto(kitchen.invite("Ida"))
        look_around(page, "Come in")
        page.wait_for_selector(".live-view[data-way=direct]")
        location = next(where for method, status, where in answers if (method, status) == ("POST", 201))
        assert location.startswith(f"{kitchen.base_path}/api/v1/stage/whep/")
        kitchen.come_in(client, "Ida's program")
        below = location.removeprefix(kitchen.base_path)
        assert client.patch(below, content="x", headers=SDP).status_code == 405
        assert client.delete(below).json()["code"] == "not_found"  # somebody else's
        delete = "where => fetch(where, { method: 'DELETE' }).then(({ status }) => status)"
        assert page.evaluate(delete, location) == 200


def test_the_socket_of_the_picture_and_that_of_control_pass(kitchen: Room) -> None:
    with closing(kitchen.client()) as client:
        cookie = kitchen.come_in(client, "Uma")
        with open_socket(kitchen, "/api/v1/stage/stream", "belvedere.video.v1", cookie) as stream:
            stream.send(b"\x01")  # start
            assert any(isinstance(stream.recv(10), bytes) for _ in range(10))
        with open_socket(kitchen, "/api/v1/control", "belvedere.v1", cookie) as control:
            control.send(json.dumps({"type": "hello", "clock": 1}))
            assert json.loads(control.recv(10))["type"] == "welcome"


def test_an_idle_socket_outlives_nginxs_time_outs(kitchen: Room) -> None:
    with closing(kitchen.client()) as client:
        cookie = kitchen.come_in(client, "Ivo")
        with open_socket(kitchen, "/api/v1/control", "belvedere.v1", cookie) as control:
            control.send(json.dumps({"type": "hello", "clock": 1}))
            read_until_silent(control)  # no message, and no end
            control.send(json.dumps({"type": "ping", "clock": 2}))
            assert json.loads(control.recv(10))["type"] == "pong"


def test_a_clients_address_is_seen_through_nginx_and_one_that_it_makes_up_is_not(kitchen: Room) -> None:
    def guess(client: httpx.Client, forged: str = "") -> int:
        headers = {"x-forwarded-for": forged} if forged else {}
        secret = {"secret": "s" * 43}
        return client.post("/api/v1/login/invitation/peek", json=secret, headers=headers).status_code

    with closing(kitchen.client("127.0.0.2")) as one, closing(kitchen.client("127.0.0.3")) as other:
        assert {guess(one) for _ in range(LOGINS)} == {403}
        assert guess(one) == 429
        assert guess(one, "203.0.113.7") == 429
        assert guess(one, "127.0.0.1, 203.0.113.7") == 429
        assert guess(other) == 403
        assert guess(other, "127.0.0.2") == 403


def test_nginx_refuses_what_is_too_much_and_never_a_stop(kitchen: Room) -> None:
    with closing(kitchen.client("127.0.0.4")) as client:
        kitchen.come_in(client, "Max", "owner")
        answers = [client.get("/favicon.svg") for _ in range(150)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert all("nginx" in answer.text for answer in refused)
        assert {client.post("/api/v1/head/stop").status_code for _ in range(5)} == {200}
    with closing(kitchen.client("127.0.0.5")) as client:
        assert client.post("/api/v1/login/invitation", content=b"x" * 70_000).status_code == 413
