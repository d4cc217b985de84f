"""The language of an answer follows the browser's Accept-Language."""

import pytest

from belvedere.gateway.languages import MAX_RANGES, Language, language_for


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", Language.ENGLISH),
        ("zh-CN,zh;q=0.9,en;q=0.8", Language.CHINESE),
        ("en-GB, en;q=0.9, zh;q=0.5", Language.ENGLISH),
        ("de-AT,de;q=0.9,zh-Hant-TW;q=0.4,en;q=0.3", Language.CHINESE),
        ("en;q=0.2, zh;q=0.7", Language.CHINESE),
        ("zh;q=0", Language.ENGLISH),
        ("ZH", Language.CHINESE),
        ("zha, zhx;q=1", Language.ENGLISH),
        ("zh;q=2, zh;q=nan", Language.ENGLISH),
        ("*, zh;q=0.1", Language.CHINESE),
        (",;=,zh;;q=1," + "x" * 9, Language.ENGLISH),
    ],
)
def test_it_is_the_first_of_ours_that_the_browser_wants(header: str, language: Language) -> None:
    assert language_for(header) is language


def test_an_endless_list_is_read_in_part() -> None:
    assert language_for("de," * (MAX_RANGES - 1) + "zh") is Language.CHINESE
    assert language_for("de," * MAX_RANGES + "zh") is Language.ENGLISH
