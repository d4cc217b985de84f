"""Nothing that lets anyone in is in the log, on the standard output, or in an answer that did not issue it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.support.access_tokens import token

if TYPE_CHECKING:
    from pathlib import Path

SITE = "https://family.example.org"
PLAYER = "a-token-of-the-player-of-the-family"
WRONG = "a-guess-at-a-token-that-nobody-has"
SETTINGS = f"""
[server]
port = 0
[head]
kind = "none"
[access]
frontends = ["{SITE}"]
[[access.players]]
name = "tv"
token_file = "tv-token"
"""
END_TIMEOUT_S = 20.0


def invited(folder: Path, name: str, role: str) -> str:
    """The secret of an invitation, made over the local socket."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(folder / "belvedere.sock"))) as shell:
        person = shell.post("http://localhost/api/v1/people", json={"name": name, "role": role}).json()
        made = shell.post(f"http://localhost/api/v1/people/{person['id']}/invitations")
    secret: str = made.json()["secret"]
    return secret


def visit(folder: Path, address: str) -> list[str]:
    """Come in by every way, well and badly; returns every secret that was in play."""
    secrets = [PLAYER, WRONG, *token().split(".")]
    answers: list[httpx.Response] = []
    with httpx.Client(base_url=address) as ana:

        def post(path: str, **more: object) -> httpx.Response:
            answer = ana.post(path, **more)  # type: ignore[arg-type]  # whatever httpx takes
            answers.append(answer)
            return answer

        secret = invited(folder, "Ana", "visitor")
        secrets.append(secret)
        for wrong in (WRONG, secret[::-1], secret * 9):
            post("/api/v1/login/invitation", json={"secret": wrong})
        post("/api/v1/login/invitation/peek", json={"secret": secret})
        came_in = ana.post("/api/v1/login/invitation", json={"secret": secret})
        assert came_in.status_code == 200
        cookie = came_in.headers["set-cookie"].partition(";")[0].partition("=")[2]
        secrets.append(cookie)
        post("/api/v1/login/invitation", json={"secret": secret})
        answers.extend(ana.get(f"/{path}?token={PLAYER}&cookie={cookie}") for path in ("", "join", "api/v1/session"))
        answers.append(ana.get("/api/v1/sessions"))
        for proof in (PLAYER, WRONG):
            answers.append(ana.get("/api/v1/stage/whep", headers={"authorization": f"Bearer {proof}"}))
            post("/api/v1/head/stop", headers={"authorization": f"Bearer {proof}"})
        post("/api/v1/head/stop", headers={"origin": "https://evil.example", "cf-access-jwt-assertion": token()})
        socket = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
        socket |= {"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "origin": "https://evil.example"}
        offered = {"sec-websocket-protocol": f"belvedere.v1, belvedere.ticket.{WRONG}"}
        answers.append(ana.get("/api/v1/control", headers=socket | offered))
        post("/api/v1/login/passkey", json={"credential": WRONG})
        answers.append(ana.delete("/api/v1/session"))
    elsewhere = invited(folder, "Ben", "guest")
    with httpx.Client(base_url=address, headers={"origin": SITE, "sec-fetch-site": "cross-site"}) as ben:
        bearer = ben.post("/api/v1/login/invitation", json={"secret": elsewhere}).json()["bearer"]["bearer"]
        ticket = ben.post("/api/v1/tickets", headers={"authorization": f"Bearer {bearer}"}).json()
        secrets += [elsewhere, bearer, ticket["ticket"]]
    for answer in answers:
        assert answer.status_code < 500 or answer.request.url.path == "/"
        told = f"{answer.text} {answer.headers}"
        assert not [each for each in secrets if each in told], answer.request.url
    return secrets


@pytest.mark.realtime
def test_no_secret_is_in_anything_that_is_written(tmp_path: Path) -> None:
    (tmp_path / "tv-token").write_text(PLAYER, encoding="utf-8")
    (tmp_path / "belvedere.toml").write_text(SETTINGS, encoding="utf-8")
    command = [sys.executable, "-m", "belvedere.cli", "serve", "--config", str(tmp_path / "belvedere.toml")]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            found = re.search(r"http://[^\s;]+", first)
            assert found is not None, (tmp_path / "log").read_text(encoding="utf-8")
            secrets = visit(tmp_path, found[0])
            process.send_signal(signal.SIGTERM)
            rest = process.stdout.read()
            assert process.wait(END_TIMEOUT_S) == 0
        finally:
            process.kill()
    written = (tmp_path / "log").read_text(encoding="utf-8") + first + rest
    assert "came in (session " in written  # the log does say who did what
    assert len(secrets) > 8
    assert not [each for each in secrets if each in written]
    database = b"".join(path.read_bytes() for path in tmp_path.glob("belvedere.sqlite3*"))
    assert not [each for each in secrets if each.encode() in database]
