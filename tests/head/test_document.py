from typing import Literal

import msgspec
import pytest

from belvedere.errors import SettingsError
from belvedere.head.document import parse_document, read_document, read_table


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


class Disc(msgspec.Struct, tag_field="kind", tag="disc", forbid_unknown_fields=True):
    radius: int = 1


class Box(msgspec.Struct, tag_field="kind", tag="box", forbid_unknown_fields=True):
    lid: Literal["open", "shut"] = "shut"


class Shelf(msgspec.Struct, forbid_unknown_fields=True):
    first: Disc | Box | None = None
    others: tuple[Disc | Box, ...] = ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("first = {}", "it.toml: first.kind: is missing (allowed: disc, box)"),
        ("first = { kind = 'cone' }", "it.toml: first.kind: invalid value 'cone' (allowed: disc, box)"),
        ("first = { kind = 'disc', lid = 1 }", "it.toml: first.lid: is not known here (allowed: kind, radius)"),
        ("first = { kind = 'box', lid = 'x' }", "it.toml: first.lid: invalid enum value 'x' (allowed: open, shut)"),
        (
            "others = [{ kind = 'disc' }, { kind = 'box', radius = 1 }]",
            "it.toml: others[1].radius: is not known here (allowed: kind, lid)",
        ),
        ("others = [3]", "it.toml: others[0]: expected `object`, got `int`"),
    ],
)
def test_an_error_in_a_table_with_kinds_is_told_for_the_kind_that_it_names(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_document(text, Shelf, "it.toml")
    assert str(caught.value) == message


def test_a_value_of_a_type_of_ours_is_decoded_and_a_problem_names_its_key() -> None:
    class Point(msgspec.Struct):
        at: complex

    def decode(_kind: type, value: object) -> object:
        if value == "i":
            return 1j
        raise ValueError("no such number")

    assert read_table({"at": "i"}, Point, "it.toml", decode) == Point(1j)
    with pytest.raises(SettingsError, match=r"^it\.toml: at: no such number$"):
        read_table({"at": "j"}, Point, "it.toml", decode)


@pytest.mark.parametrize("text", ["x = " + "9" * 5000, "x = " + "[" * 5000, "=", "a = 1\na = 2"])
def test_what_is_no_toml_is_told_in_one_short_line(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_document(text, "it.toml")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
