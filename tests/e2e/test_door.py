"""Who may not come in is told so in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import LivingHouse, Visitor

pytestmark = [pytest.mark.realtime, pytest.mark.browser]


def test_without_a_link_nothing_is_shown_but_how_to_come_in(house: LivingHouse, visitor: Visitor) -> None:
    answer = visitor.page.goto(f"http://127.0.0.1:{house.port}/")
    assert answer is not None
    assert answer.status == 401
    expect(visitor.page.get_by_role("heading")).to_have_text("You need a link to come in")
    visitor.photograph("no-link")


def test_a_link_lets_one_browser_in_and_says_so_to_the_next(
    house: LivingHouse, visitor: Visitor, visit: Callable[[], Visitor]
) -> None:
    link = house.invite()
    visit().enter(link)
    answer = visitor.page.goto(link)
    assert answer is not None
    assert answer.status == 403
    expect(visitor.page.get_by_role("heading")).to_have_text("This link does not work any more")
    visitor.photograph("used-link")


def test_the_browser_that_was_let_in_may_open_its_link_again(house: LivingHouse, visitor: Visitor) -> None:
    link = house.invite()
    visitor.enter(link)
    visitor.enter(link)
