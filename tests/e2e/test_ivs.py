"""The page watches through Amazon IVS: our server and page, and Amazon's own SDK, against a stand-in on loopback.

It shows that the page works with the SDK; how AWS itself behaves it cannot show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.e2e.conftest import Visitor
from tests.e2e.devices import PHONE
from tests.e2e.ivs_house import IvsHouse, ivs_house
from tests.e2e.lone_browser import WAIT_TIMEOUT_S
from tests.stage.ivs.tokens import signed

from belvedere.stage.options import Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = [pytest.mark.realtime, pytest.mark.browser]

SDK = """async () => {
  const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
  window.openStage = (await import(loaded.find((name) => name.includes("ivs-sdk")))).openStage;
}"""
JOIN = """async (token) => {
  window.left = new Promise((done) => {
    window.stage = openStage(token, { onTracks() {}, onGone() {}, onLeft: () => done("left") });
  });
  return stage.join().then(() => "joined", (error) => String(error));
}"""
EXCHANGE = "(token) => stage.exchangeToken(token).then(() => 'exchanged', (error) => String(error))"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IvsHouse]:
    """A house that knows no other way."""
    with ivs_house(tmp_path_factory.mktemp("ivs"), Way.IVS) as house:
        yield house


@pytest.fixture
def come(browser: Browser) -> Iterator[Callable[[IvsHouse], Visitor]]:
    """Visitors with browser profiles of their own, who have come in."""
    contexts = []

    def come(house: IvsHouse) -> Visitor:
        context = browser.new_context(
            locale="en-GB", viewport={"width": PHONE.width, "height": PHONE.height}, has_touch=True, is_mobile=True
        )
        contexts.append(context)
        context.set_default_timeout(WAIT_TIMEOUT_S * 1000)
        visitor = Visitor(context.new_page(), house.server, PHONE)
        visitor.page.goto(house.server.invite())
        visitor.tap("Come in")
        return visitor

    yield come
    for context in contexts:
        context.close()


def sees(visitor: Visitor, way: Way = Way.IVS) -> None:
    """Wait until new pictures come by this way."""
    visitor.expect("way", way)
    visitor.expect("picture", "live")


def test_two_see_the_picture_that_is_published_once_and_drive(
    house: IvsHouse, come: Callable[[IvsHouse], Visitor]
) -> None:
    ana, ben = come(house), come(house)
    for visitor in (ana, ben):
        sees(visitor)
        visitor.pictures_go_by()
    (camera,) = house.cameras()
    requests = house.do(lambda: list(house.stand_in.requests))
    assert requests.count(f"POST /whip/publish/{camera}") == 1
    assert requests.count(f"POST /whip/subscribe/{camera}") == 2
    assert house.server.do(lambda: house.server._belvedere.stage.viewers) == 2
    ana.expect("pan-link", "ready")
    ana.sees_it_turn_after_a_fresh_press()
    ana.tap("Connection")
    expect(ana.page.locator("[data-comes-by=ivs]")).to_contain_text("Amazon")
    ana.photograph("ivs")


def test_the_picture_comes_back_after_the_camera_the_events_or_the_place_were_lost(
    house: IvsHouse, come: Callable[[IvsHouse], Visitor]
) -> None:
    visitor = come(house)
    sees(visitor)
    before = house.cameras()
    house.do(house.stand_in.end_cameras)
    house.wait("another camera publishes", lambda: set(camera_ids(house)) - set(before))
    sees(visitor)
    visitor.pictures_go_by()
    house.do(house.stand_in.drop_events)
    joined = house.do(lambda: house.stand_in.joined[-1])
    house.wait("the same token joins again", lambda: house.stand_in.joined.count(joined) > 1)
    house.do(lambda: house.stand_in.disconnect(joined, "TOKEN_REUSED"))
    house.wait("another token joins", lambda: house.stand_in.joined[-1] != joined)
    sees(visitor)
    visitor.pictures_go_by()


def camera_ids(house: IvsHouse) -> list[str]:
    """The participants who publish; on the stand-in's event loop."""
    return [each.participant for each in house.stand_in.cameras if each.frames]


def test_the_curtain_ends_what_is_published_and_takes_the_picture_off_the_page(
    house: IvsHouse, come: Callable[[IvsHouse], Visitor]
) -> None:
    visitor = come(house)
    sees(visitor)
    room = house.server._belvedere.room
    house.server.do(lambda: room.receive_curtain("", is_closed=True))
    try:
        expect(visitor.page.locator("main[data-picture=live]")).to_have_count(0)
        house.wait("nobody publishes", lambda: not house.stand_in.cameras)
        assert house.server.do(lambda: house.server._belvedere.stage.viewers) == 0
    finally:
        house.server.do(lambda: room.receive_curtain("", is_closed=False))


def test_where_the_camera_cannot_be_published_the_next_way_is_taken(
    tmp_path: Path, come: Callable[[IvsHouse], Visitor]
) -> None:
    with ivs_house(tmp_path, Way.IVS, Way.STREAM) as house:
        house.do(lambda: setattr(house.stand_in, "refuses_publishers", True))
        sees(come(house), Way.STREAM)


def test_the_sdk_exchanges_tokens_and_tells_of_those_that_have_ended_or_are_used_twice(
    house: IvsHouse, come: Callable[[IvsHouse], Visitor]
) -> None:
    visitor = come(house)
    sees(visitor)
    page, stand_in = visitor.page, house.stand_in
    page.evaluate(SDK)
    assert "expired" in page.evaluate(JOIN, signed(stand_in, "late", lasts_s=-10))
    assert page.evaluate(JOIN, signed(stand_in, "somebody")) == "joined"
    assert page.evaluate(EXCHANGE, signed(stand_in, "somebody", lasts_s=600)) == "exchanged"
    assert "incompatible" in page.evaluate(EXCHANGE, signed(stand_in, "somebody-else"))
    first = page.evaluate_handle("({ left: window.left })")
    assert page.evaluate(JOIN, signed(stand_in, "somebody")) == "joined"
    assert first.evaluate("({ left }) => left") == "left"
