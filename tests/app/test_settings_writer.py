"""Values are put into a settings file, and everything that its owner wrote stays."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvedere.app.settings_writer import lines_for, with_values, write_settings
from belvedere.errors import SettingsError

SAMPLE = Path(__file__).parents[2] / "examples/belvedere.toml"
IVS = {"stage.ivs": {"stage_arn": "arn:a", "key_file": "ivs-key.pem"}}
WAYS = {"stage": {"ways": ["direct", "ivs"]}}
MINE = """\
# The house of Ana.
[server]
port = 8080 # the tunnel knows it

[stage]
# A slow uplink.
bitrate_kbps = 900   # measured in May

# The head.
[head.pan] # left and right
address = "C0:FF:EE:00:00:01"
"""


def test_a_new_table_is_added_at_the_end() -> None:
    assert with_values(MINE, "it", IVS) == MINE + '\n[stage.ivs]\nstage_arn = "arn:a"\nkey_file = "ivs-key.pem"\n'


def test_a_new_key_follows_the_last_one_of_its_table() -> None:
    after = with_values(MINE, "it", WAYS)
    assert after == MINE.replace("in May\n", 'in May\nways = ["direct", "ivs"]\n')


def test_a_changed_value_keeps_its_comment_and_its_place() -> None:
    text = MINE.replace("bitrate_kbps = 900 ", 'ways = ["direct"] # "fast" # and good\nbitrate_kbps = 900 ')
    assert with_values(text, "it", WAYS) == text.replace('ways = ["direct"] #', 'ways = ["direct", "ivs"] #')


def test_a_hash_in_a_text_begins_no_comment() -> None:
    text = '[stage.ivs]\nkey_file = "a#b.pem" # mine\n'
    edited = with_values(text, "it", {"stage.ivs": {"key_file": "c.pem"}})
    assert edited == '[stage.ivs]\nkey_file = "c.pem" # mine\n'


def test_the_sample_with_all_its_comments_stays_as_it_is() -> None:
    sample = SAMPLE.read_text(encoding="utf-8")
    edited = with_values(sample, "it", {**WAYS, **IVS})
    assert tomllib.loads(edited)["stage"] == {"ways": ["direct", "ivs"], "ivs": IVS["stage.ivs"]}
    left = iter(edited.splitlines())
    assert all(any(line == each for each in left) for line in sample.splitlines())  # all of them, in their order


@pytest.mark.parametrize(
    "text",
    [
        "stage = { bitrate_kbps = 900 }\n",
        "stage.bitrate_kbps = 900\n",
        '[stage]\nivs = { stage_arn = "x" }\n',
        '[stage]\nivs.stage_arn = "x"\n',
        '[stage.ivs]\nstage_arn = """\nx"""\n',
        '["stage"]\nways = [\n"direct"]\n',
    ],
)
def test_where_something_else_would_change_the_owner_is_told_what_to_write(text: str) -> None:
    with pytest.raises(SettingsError, match=r"write these lines yourself: .*stage_arn = ") as caught:
        with_values(text, "it", {**WAYS, **IVS})
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_toml_is_left_alone() -> None:
    with pytest.raises(SettingsError, match="not TOML"):
        with_values("[stage", "it", IVS)


TEXTS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=20)


@given(st.lists(st.tuples(st.sampled_from(["server", "stage", "head.pan"]), TEXTS), max_size=5), TEXTS)
def test_whatever_is_written_is_read_again(comments: list[tuple[str, str]], value: str) -> None:
    tables = dict.fromkeys(name for name, _ in comments)
    text = "".join(f"[{name}]\n" + "".join(f"# {c}\n" for n, c in comments if n == name) for name in tables)
    edited = with_values(text, "it", {"stage.ivs": {"key_file": value}, "stage": {"ways": [value]}})
    assert tomllib.loads(edited)["stage"] == {"ways": [value], "ivs": {"key_file": value}}


def test_the_lines_can_be_shown() -> None:
    assert lines_for(WAYS) == ["[stage]", 'ways = ["direct", "ivs"]']


def test_a_file_is_replaced_and_its_mode_stays(tmp_path: Path) -> None:
    path = tmp_path / "belvedere.toml"
    path.write_text(MINE, encoding="utf-8")
    path.chmod(0o640)
    write_settings(path, "[stage]\n")
    assert path.read_text(encoding="utf-8") == "[stage]\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]
