"""A Chinese visitor's whole way, in which nothing is in English but names; and the switch of the language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.e2e.devices import PHONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import RunningServer, Visitor

pytestmark = [pytest.mark.realtime, pytest.mark.browser]

# What is shown or read aloud, has a Latin letter and no Chinese character.
NOT_CHINESE = r"""() => {
  const elements = [...document.querySelectorAll("body *:not(script, style, noscript, noscript *)")];
  const texts = elements.flatMap((element) => [
    ...[...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data),
    ...["aria-label", "title", "alt", "placeholder"].map((name) => element.getAttribute(name) ?? ""),
  ]);
  return texts
    .map((text) => text.trim())
    .filter((text) => /\p{Script=Latin}/u.test(text) && !/\p{Script=Han}/u.test(text));
}"""
NAMES = {"Belvedere", "English"}


def check_words(visitor: Visitor, *names: str) -> None:
    """Everything on the page is Chinese, except names."""
    assert visitor.page.locator("html").get_attribute("lang") == "zh-Hans"
    assert set(visitor.page.evaluate(NOT_CHINESE)) <= {*NAMES, *names}


def test_the_whole_way_is_in_chinese(server: RunningServer, visit: Callable[..., Visitor]) -> None:
    visitor = visit(PHONE, "zh-CN")
    visitor.page.goto(f"http://127.0.0.1:{server.port}/")
    expect(visitor.page.get_by_role("heading")).to_have_text("需要一个链接才能进来。")
    check_words(visitor)
    visitor.page.goto(server.invite())
    expect(visitor.page.get_by_role("main")).to_contain_text("来访记录")
    check_words(visitor)
    visitor.photograph("invited-chinese")
    visitor.tap("进去看看")
    visitor.expect("picture", "live")
    visitor.expect("pan-link", "ready")
    expect(visitor.status).to_contain_text("拖动画面，就能看看四周。")
    check_words(visitor)
    visitor.tap("连接情况：一切正常")
    expect(visitor.page.locator(".connection-panel")).to_contain_text("可以用")
    check_words(visitor, *visitor.page.locator(".connection-panel h2").all_text_contents())
    visitor.photograph("panel-chinese")
    visitor.tap("离开")
    check_words(visitor)
    visitor.photograph("left-chinese")
    visitor.tap("结束这次探望")
    expect(visitor.page.get_by_role("heading")).to_have_text("再见，欢迎下次再来。")
    check_words(visitor)
    visitor.page.goto(f"http://127.0.0.1:{server.port}/nowhere")
    expect(visitor.page.get_by_role("heading")).to_have_text("这里什么也没有")
    check_words(visitor)


def test_the_language_can_be_switched_and_is_remembered(server: RunningServer, visit: Callable[..., Visitor]) -> None:
    visitor = visit(PHONE)
    visitor.redeem(server.invite())
    visitor.tap("Connection")
    visitor.tap("中文")
    expect(visitor.status).to_contain_text("拖动画面，就能看看四周。")
    visitor.page.reload()
    expect(visitor.page.get_by_role("button", name="看看家里")).to_be_visible()
    visitor.tap("English")
    expect(visitor.page.get_by_role("button", name="Look around")).to_be_visible()
