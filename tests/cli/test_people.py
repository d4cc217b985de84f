"""The commands about people print what was asked for, as text or as JSON, and errors as one line with status 2."""

import json
from pathlib import Path

import pytest

from belvedere.cli import main


@pytest.fixture
def settings(tmp_path: Path) -> str:
    path = tmp_path / "belvedere.toml"
    text = "[server]\nnames = ['home.example.org']\n[access]\nfrontends = ['https://family.example']\n"
    path.write_text(text, encoding="utf-8")
    return str(path)


def run(capsys: pytest.CaptureFixture[str], settings: str, *arguments: str) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--config", settings])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_a_house_is_set_up_by_commands_alone(capsys: pytest.CaptureFixture[str], settings: str) -> None:
    status, out, _ = run(capsys, settings, "people", "invite")
    assert (status, out.startswith("Owner (owner): https://home.example.org/join#")) == (0, True)
    assert "\x1b" not in out  # a QR code is for terminals
    _, out, _ = run(capsys, settings, "people", "invite", "Ana", "--role", "guest", "--json")
    ana = json.loads(out)
    assert (ana["name"], ana["role"]) == ("Ana", "guest")
    assert ana["link"].endswith(ana["secret"])
    assert run(capsys, settings, "people", "role", "Ana", "visitor")[:2] == (0, "Ana is visitor now.\n")
    _, out, _ = run(capsys, settings, "people", "list", "--json")
    assert [(each["name"], each["role"], each["invitations"]) for each in json.loads(out)] == [
        ("Owner", "owner", 1),
        ("Ana", "visitor", 0),
    ]
    assert run(capsys, settings, "people", "revoke", ana["person"])[:2] == (0, "Ana cannot come in any more.\n")
    status, out, _ = run(capsys, settings, "people", "list")
    assert "Owner  (has not come in yet, 1 unused link)" in out
    assert "Ana" not in out


def test_a_link_may_lead_to_the_family_s_own_page_and_a_residents_to_the_rooms(
    capsys: pytest.CaptureFixture[str], settings: str
) -> None:
    _, out, _ = run(capsys, settings, "people", "invite", "Ana", "--frontend", "https://family.example/view")
    assert out.startswith("Ana (visitor): https://family.example/view#belvedere=")
    _, out, _ = run(capsys, settings, "people", "invite", "Rosa", "--role", "resident")
    assert out.startswith("Rosa (resident): https://home.example.org/room#")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("people", "invite", "Ben", "--frontend", "https://other.example"), "under frontends"),
        (("people", "revoke", "Ben"), "nobody with the name or id 'Ben'"),
        (("people", "role", "Ben", "king"), "role"),
        (("sessions", "revoke", "0123456789ab"), "no such session"),
    ],
)
def test_an_error_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], settings: str, arguments: tuple[str, ...], problem: str
) -> None:
    status, out, err = run(capsys, settings, *arguments)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert problem in err.lower() or problem in err
