from typing import get_args

from belvedere.control.effects import NoticeCode
from belvedere.gateway import messages


def test_every_reason_for_a_cut_hold_has_its_word_on_the_wire() -> None:
    assert {code.value for code in NoticeCode} == set(get_args(messages.NoticeCode))
