"""Two browsers at one head: the second is told, may take over, and both know who drives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import LivingHouse, Visitor

pytestmark = [pytest.mark.realtime, pytest.mark.browser]


def test_the_second_is_told_takes_over_and_both_know(
    config: LivingHouse, visitor: Visitor, visit: Callable[[], Visitor]
) -> None:
    first, second = visit(), visitor
    first.redeem(config.invite())
    second.redeem(config.invite())
    began = first.drag_right()
    config.wait_turning(began)
    first.expect("lease", "you")
    second.expect("lease", "other")
    expect(second.says).to_contain_text("Someone else is controlling the camera.")
    second.photograph("someone-else-drives")

    second.tap("Take over")
    taken_at = config.wait_stopped()
    second.expect("lease", "you")
    first.expect("lease", "other")
    first.expect("hold", "cut")
    expect(first.says).to_contain_text("Someone else is controlling the camera.")
    x, y = first.device.middle
    first.move_to(x + 300, y)
    second.pictures_go_by(5)
    assert config.is_still_since(taken_at)

    second.sees_it_turn_after_a_fresh_press()
    first.let_go()


def test_anyone_who_looks_can_stop_whoever_drives(
    config: LivingHouse, visitor: Visitor, visit: Callable[[], Visitor]
) -> None:
    driver, looker = visit(), visitor
    driver.redeem(config.invite())
    looker.redeem(config.invite())
    config.wait_turning(driver.drag_right())
    looker.tap("Stop the camera")
    stopped_at = config.wait_stopped()
    driver.expect("hold", "cut")
    expect(driver.says).to_contain_text("Let go and press again.")
    driver.pictures_go_by(5)
    assert config.is_still_since(stopped_at)
    driver.let_go()
    driver.sees_it_turn_after_a_fresh_press()


def test_who_leaves_hands_the_head_on_at_once(
    config: LivingHouse, visit: Callable[[], Visitor], visitor: Visitor
) -> None:
    first = visit()
    first.redeem(config.invite())
    visitor.redeem(config.invite())
    first.sees_it_turn_after_a_fresh_press()
    visitor.expect("lease", "other")
    first.tap("Leave")
    visitor.expect("lease", "nobody")
    visitor.sees_it_turn_after_a_fresh_press()
