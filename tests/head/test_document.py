from typing import Literal

import msgspec
import pytest

from belvedere.errors import SettingsError
from belvedere.head.document import read_document


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    share: float = 0.5
    mode: Literal["day", "night"] = "day"


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    names: tuple[str, ...]
    inner: Inner | None = None


def test_a_document_becomes_its_struct() -> None:
    read = read_document('names = ["a"]\ninner.share = 0.25', Outer, "it.toml")
    assert read == Outer(names=("a",), inner=Inner(share=0.25))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it.toml: names: is missing"),
        ("names = [1]", "it.toml: names[0]: expected `str`, got `int`"),
        ("names = []\nother = 1", "it.toml: other: is not known here (allowed: names, inner)"),
        ("names = []\ninner.mode = 'dusk'", "it.toml: inner.mode: invalid enum value 'dusk' (allowed: day, night)"),
        ("names = []\ninner.share = 'x'", "it.toml: inner.share: expected `float`, got `str` (allowed: a number)"),
    ],
)
def test_an_error_is_one_line_with_file_key_problem_and_allowed_values(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_document(text, Outer, "it.toml")
    assert str(caught.value) == message
