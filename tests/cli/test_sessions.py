"""The commands about sessions list and end the devices that are logged in."""

import json
from pathlib import Path

import pytest

from belvedere.access.rights import Role
from belvedere.app.people_client import StoredPeople, open_people
from belvedere.app.settings import read_config
from belvedere.cli.sessions import sessions_list, sessions_revoke


def test_a_device_is_listed_and_logged_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "belvedere.toml"
    path.write_text("", encoding="utf-8")
    assert sessions_list(config=path) == 0
    assert "No device is logged in." in capsys.readouterr().out
    with open_people(read_config(path)) as client:
        ana = client.add("Ana", Role.VISITOR)
        assert isinstance(client, StoredPeople)
        session = client._invitations.open_session(ana.id, label="Firefox on Android").session
        client._save()
    assert sessions_list(config=path) == 0
    assert f"{session.id}  Ana (visitor)  Firefox on Android  last used " in capsys.readouterr().out
    assert sessions_list(config=path, is_json=True) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["id"], listed["label"]) == (session.id, "Firefox on Android")
    assert sessions_revoke(session.id, config=path) == 0
    capsys.readouterr()
    assert sessions_list(config=path, is_json=True) == 0
    assert json.loads(capsys.readouterr().out) == []
