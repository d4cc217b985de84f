"""Over HTTP: a person registers a passkey, and comes in with it again; everybody else gets a problem."""

from __future__ import annotations

import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.support.engine_rig import EngineRig, open_rig
from tests.support.software_authenticator import SoftwareAuthenticator

from belvedere.access.base64url import from_base64url, to_base64url
from belvedere.access.passkeys import MAX_PER_PERSON
from belvedere.access.rights import Role
from belvedere.access.sessions import EndReason
from belvedere.errors import StoreError
from belvedere.gateway.app import create_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import httpx

    from belvedere.access.people import Person
    from belvedere.gateway.dependencies import Dependencies

    MakeParts = Callable[..., Dependencies]
    MakeClient = Callable[..., httpx.AsyncClient]

pytestmark = pytest.mark.realtime  # a thread verifies
AT = "http://localhost:8080"
JSON = {"content-type": "application/json"}


class House:
    """A house with one person in it, her browser and her phone."""

    def __init__(self, rig: EngineRig, make_client: MakeClient, app: object) -> None:
        self.rig = rig
        self.phone = SoftwareAuthenticator(counts=True)
        self.ana: Person = rig.invitations.people.add("Ana", Role.RESIDENT)
        self.session = rig.invitations.open_session(self.ana.id)
        self._make_client, self._app = make_client, app

    def browser(self, cookie: str | None = None, at: str = AT) -> httpx.AsyncClient:
        return self._make_client(self._app, cookie, base_url=at)

    async def register(self, browser: httpx.AsyncClient, **replaced: object) -> httpx.Response:
        options = (await browser.post("/api/v1/passkeys/options")).json()
        answer = self.phone.register(from_base64url(options["challenge"]), from_base64url(options["user"]["id"]))
        return await browser.post("/api/v1/passkeys", json={"label": "Phone", **_text(answer), **replaced})

    async def login(self, browser: httpx.AsyncClient, **replaced: object) -> httpx.Response:
        options = (await browser.post("/api/v1/login/passkey/options")).json()
        answer = self.phone.sign_in(from_base64url(options["challenge"]))
        return await browser.post("/api/v1/login/passkey", json={**_text(answer), **replaced})


def _text(answer: msgspec.Struct) -> dict[str, Any]:
    return {name: to_base64url(value) for name, value in msgspec.structs.asdict(answer).items()}


@pytest.fixture
def open_house(make_parts: MakeParts, make_client: MakeClient) -> Callable[..., Any]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[House]:
        async with open_rig() as rig:
            yield House(rig, make_client, create_app(make_parts(rig)))

    return opened


OpenHouse = Any


async def test_who_has_registered_a_passkey_comes_in_without_a_link(open_house: OpenHouse) -> None:
    async with open_house() as house, house.browser(house.session.cookie) as first, house.browser() as later:
        registered = await house.register(first)
        assert registered.status_code == 201
        view = registered.json()
        assert (view["label"], view["host"], view["used_utc_s"]) == ("Phone", "localhost", None)
        answered = await house.login(later)
        assert answered.status_code == 200
        assert (answered.json()["name"], answered.json()["role"]) == ("Ana", "resident")
        assert answered.headers["set-cookie"].startswith("belvedere-8080=")
        assert "HttpOnly; SameSite=Lax" in answered.headers["set-cookie"]
        cookie = answered.cookies["belvedere-8080"]
        session = house.rig.invitations.session(cookie)
        assert session is not None
        assert (session.person, session.role) == (house.ana.id, Role.RESIDENT)
        (own,) = (await later.get("/api/v1/passkeys", headers={"cookie": f"belvedere-8080={cookie}"})).json()
        assert own["used_utc_s"] is not None
        assert house.rig.invitations.is_live(house.session.session)


async def test_the_options_ask_for_a_recognised_user_and_a_passkey_that_needs_no_name(open_house: OpenHouse) -> None:
    async with open_house() as house, house.browser(house.session.cookie) as browser:
        await house.register(browser)
        create = (await browser.post("/api/v1/passkeys/options")).json()
        assert create["rp"] == {"id": "localhost", "name": "Belvedere"}
        assert (create["user"]["name"], from_base64url(create["user"]["id"])) == ("Ana", house.ana.id.encode())
        assert create["authenticatorSelection"]["residentKey"] == "required"
        assert create["authenticatorSelection"]["userVerification"] == "required"
        assert [each["alg"] for each in create["pubKeyCredParams"]] == [-8, -7, -257]
        assert create["excludeCredentials"] == [{"type": "public-key", "id": to_base64url(house.phone.credential)}]
        assert create["attestation"] == "none"
        ask = (await browser.post("/api/v1/login/passkey/options")).json()
        assert (ask["rpId"], ask["userVerification"], ask["allowCredentials"]) == ("localhost", "required", [])
        assert ask["challenge"] != create["challenge"]


async def test_signing_in_ends_the_session_that_the_browser_had(open_house: OpenHouse) -> None:
    async with open_house() as house, house.browser(house.session.cookie) as browser:
        await house.register(browser)
        assert (await house.login(browser)).status_code == 200
        assert not house.rig.invitations.is_live(house.session.session)


async def test_a_passkey_of_a_person_who_was_removed_opens_nothing(open_house: OpenHouse) -> None:
    async with open_house() as house, house.browser(house.session.cookie) as browser, house.browser() as later:
        await house.register(browser)
        house.rig.invitations.remove(house.ana.id)
        refused = await house.login(later)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
        assert "set-cookie" not in refused.headers


async def test_a_passkey_is_removed_by_its_owner_only(open_house: OpenHouse) -> None:
    async with open_house() as house, house.browser(house.session.cookie) as browser, house.browser() as later:
        passkey = (await house.register(browser)).json()["id"]
        ben = house.rig.invitations.people.add("Ben", Role.OWNER)
        async with house.browser(house.rig.invitations.open_session(ben.id).cookie) as bens:
            assert (await bens.delete(f"/api/v1/passkeys/{passkey}")).status_code == 404
            assert (await bens.get("/api/v1/passkeys")).json() == []
        assert (await browser.delete(f"/api/v1/passkeys/{passkey}")).status_code == 204
        assert (await browser.delete(f"/api/v1/passkeys/{passkey}")).status_code == 404
        assert (await house.login(later)).status_code == 403


async def test_a_session_that_ends_meanwhile_leaves_no_passkey(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_house() as house, house.browser(house.session.cookie) as browser:
        register = house.rig.passkeys.register

        async def registered(*arguments: Any) -> object:  # noqa: ANN401 - those of the method
            passkey = await register(*arguments)
            house.rig.invitations.end(house.session.session.id, EndReason.REVOKED)
            return passkey

        monkeypatch.setattr(house.rig.passkeys, "register", registered)
        assert (await house.register(browser)).status_code == 401
        assert house.rig.passkeys.of(house.ana.id) == []


async def test_who_has_enough_passkeys_is_told(open_house: OpenHouse) -> None:
    async with open_house() as house, house.browser(house.session.cookie) as browser:
        for _ in range(MAX_PER_PERSON):
            house.phone = SoftwareAuthenticator()
            assert (await house.register(browser)).status_code == 201
        refused = await browser.post("/api/v1/passkeys/options")
        assert (refused.status_code, refused.json()["code"]) == (409, "too_many")


@pytest.mark.parametrize("at", ["http://127.0.0.1:8080", "http://[::1]:8080"])
async def test_an_address_has_no_passkeys(open_house: OpenHouse, at: str) -> None:
    async with open_house() as house, house.browser(house.session.cookie, at) as browser:
        for path in ("/api/v1/login/passkey/options", "/api/v1/login/passkey", "/api/v1/passkeys/options"):
            refused = await browser.post(path)
            assert (refused.status_code, refused.json()["code"]) == (400, "bad_message")


async def test_without_a_session_nothing_is_registered_listed_or_removed(open_house: OpenHouse) -> None:
    async with open_house() as house, house.browser() as stranger:
        for method, path in (
            ("POST", "/api/v1/passkeys/options"),
            ("POST", "/api/v1/passkeys"),
            ("GET", "/api/v1/passkeys"),
            ("DELETE", "/api/v1/passkeys/0123456789ab"),
        ):
            assert (await stranger.request(method, path)).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[" * 20_000,
        b'{"credential":1}',
        b'{"credential":"A","user":"A","client_data":"A","authenticator_data":"A","signature":"A"}',
        b'{"credential":"' + b"A" * 1401 + b'"}',
        b'{"more":"A"}',
    ],
)
async def test_what_no_page_sends_is_a_bad_message(open_house: OpenHouse, body: bytes) -> None:
    async with open_house() as house, house.browser() as stranger, house.browser(house.session.cookie) as ana:
        refused = await stranger.post("/api/v1/login/passkey", content=body, headers=JSON)
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_message")
        assert (await ana.post("/api/v1/passkeys", content=body, headers=JSON)).status_code == 400
        assert (await stranger.post("/api/v1/login/passkey", content=body)).status_code == 415


@pytest.mark.parametrize("label", ["", "\n", "a" * 65])
async def test_a_label_is_one_line(open_house: OpenHouse, label: str) -> None:
    async with open_house() as house, house.browser(house.session.cookie) as browser:
        assert (await house.register(browser, label=label)).status_code == 400
        assert (await house.register(browser, label=" ")).json()["label"] == "Passkey"


async def test_what_the_disk_does_not_take_opens_nothing(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise StoreError("the disk is full")

    async with open_house() as house, house.browser(house.session.cookie) as browser, house.browser() as later:
        passkey = (await house.register(browser)).json()["id"]
        monkeypatch.setattr(house.rig.passkeys, "_write", fail)
        failed = await house.login(later)
        assert failed.status_code == 503
        assert "set-cookie" not in failed.headers
        assert (await browser.delete(f"/api/v1/passkeys/{passkey}")).status_code == 503
        assert house.rig.passkeys.of(house.ana.id) == []
        with contextlib.suppress(KeyError):
            house.phone = SoftwareAuthenticator()
        assert (await house.register(browser)).status_code == 503
        assert house.rig.passkeys.of(house.ana.id) == []
