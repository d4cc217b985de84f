"""The checks of a public address, against real servers: Belvedere behind small proxies, and other edges."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING

import pytest
from tests.lab.outside.edges import (
    HOST,
    answering,
    edge,
    head_of,
    proxy,
    with_header,
    without_header,
)
from tests.support.self_signed_certificate import SelfSignedCertificate
from tests.support.serving import serving

from belvedere.cli import main
from belvedere.lab.doctor.check import CheckState, run_checks
from belvedere.lab.outside.checks import OutsideContext, outside_checks
from belvedere.lab.outside.exchange import PublicAddress, parse_address

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from belvedere.lab.doctor.check import CheckResult

pytestmark = pytest.mark.realtime

HSTS = b"max-age=31536000"
OK, WARNING, ERROR, UNKNOWN = CheckState.OK, CheckState.WARNING, CheckState.ERROR, CheckState.UNKNOWN


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> SelfSignedCertificate:
    return SelfSignedCertificate(tmp_path_factory.mktemp("tls"), "localhost")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    settings = "[camera]\nkind = 'pattern'\n"
    with serving(tmp_path_factory.mktemp("house"), settings, {}) as address:
        yield int(address.rpartition(":")[2])


def forwarded(head: bytes) -> bytes:
    return with_header(with_header(head, b"X-Forwarded-Proto", b"https"), b"X-Forwarded-For", b"192.0.2.1")


def hardened(head: bytes) -> bytes:
    return with_header(head, b"Strict-Transport-Security", HSTS)


async def checked(
    serve: Callable[[socket.socket], None], certificate: SelfSignedCertificate, **context: object
) -> dict[str, CheckResult]:
    with edge(serve, certificate.server) as port:
        address = PublicAddress("https", HOST, port)
        results = await run_checks(outside_checks(OutsideContext(address=address, tls=certificate.client, **context)))  # type: ignore[arg-type]  # by name
    return {result.name: result for result in results}


async def test_a_house_behind_a_good_proxy_is_good(server: int, certificate: SelfSignedCertificate) -> None:
    redirect = answering("301 Moved Permanently", {"location": f"https://{HOST}/"})
    with edge(redirect) as http_port:
        found = await checked(proxy(server, forwarded, hardened), certificate, http_port=http_port)
    assert {name: result.state for name, result in found.items()} == {
        "name": WARNING,  # loopback is no address of the internet
        "http": OK,
        "certificate": OK,
        "page": OK,
        "clock": OK,
        "headers": OK,
        "websocket": OK,
        "host": OK,
        "scheme": OK,
        "long requests": OK,
        "inner addresses": OK,
    }, found
    assert "not of the internet" in found["name"].message


async def test_a_proxy_that_strips_the_upgrade_is_found(server: int, certificate: SelfSignedCertificate) -> None:
    def strip(head: bytes) -> bytes:
        return without_header(without_header(forwarded(head), b"Upgrade"), b"Connection") + b"\r\nConnection: close"

    found = await checked(proxy(server, strip), certificate)
    assert found["websocket"].state is ERROR
    assert "strips the upgrade" in found["websocket"].message
    assert found["page"].state is OK


@pytest.mark.parametrize(
    ("host", "problem"), [(b"127.0.0.1:8080", "refuses its own page"), (b"other.example.org", "do not list")]
)
async def test_a_proxy_that_passes_on_another_host_is_found(
    server: int, certificate: SelfSignedCertificate, host: bytes, problem: str
) -> None:
    found = await checked(proxy(server, lambda head: with_header(forwarded(head), b"Host", host)), certificate)
    assert found["host"].state is ERROR
    assert problem in found["host"].message
    assert f'names = ["{HOST}"]' in found["host"].fix


async def test_a_proxy_that_says_nothing_of_https_and_removes_headers_is_found(
    server: int, certificate: SelfSignedCertificate
) -> None:
    found = await checked(
        proxy(server, change_back=lambda head: without_header(head, b"content-security-policy")), certificate
    )
    assert (found["scheme"].state, found["headers"].state) == (ERROR, ERROR)
    assert "removes content-security-policy" in found["headers"].message


async def test_a_login_of_cloudflare_access_is_known_and_compared_with_the_settings(
    certificate: SelfSignedCertificate,
) -> None:
    location = "https://our-house.cloudflareaccess.com/cdn-cgi/access/login/home.example.org?kid=secret"
    login = answering("302 Found", {"location": location, "date": "Thu, 01 Jan 1970 00:00:00 GMT"})
    found = await checked(login, certificate, has_access=True)
    assert (found["page"].state, found["websocket"].state, found["scheme"].state) == (OK, UNKNOWN, UNKNOWN)
    assert "our-house" in found["page"].message
    assert "secret" not in str(found)
    assert found["clock"].state is ERROR
    found = await checked(login, certificate, has_access=False)
    assert (found["page"].state, "no [access.cloudflare]" in found["page"].message) == (WARNING, True)


async def test_a_house_that_should_be_behind_access_and_is_not_is_found(
    server: int, certificate: SelfSignedCertificate
) -> None:
    found = await checked(proxy(server, forwarded), certificate, has_access=True, names=("home.example.org",))
    assert (found["page"].state, found["settings"].state) == (ERROR, ERROR)


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        ("530 Origin DNS Error", "no tunnel is connected"),
        ("502 Bad Gateway", "Belvedere does not answer behind it"),
        ("404 Not Found", "no rule of the tunnel or proxy has this name"),
        ("200 OK", "but not Belvedere's page"),
        ("302 Found", "which is not known here"),
    ],
)
async def test_an_edge_without_a_house_behind_it_says_which_part_is_missing(
    certificate: SelfSignedCertificate, status: str, problem: str
) -> None:
    found = await checked(
        answering(status, {"location": "https://elsewhere.example.org/?t=1"}, b"<p>hello"), certificate
    )
    assert found["page"].state is ERROR
    assert problem in found["page"].message
    assert found["page"].fix
    is_content = status.startswith("200")
    assert (found["inner addresses"].state is ERROR) is is_content
    assert ("/metrics" in found["inner addresses"].message) is is_content


async def test_an_edge_that_never_answers_costs_a_bounded_time(
    certificate: SelfSignedCertificate,
) -> None:
    ended = threading.Event()

    def wait(connection: socket.socket) -> None:
        head_of(connection)
        ended.wait(5)
        del connection

    with edge(wait, certificate.server) as port:
        context = OutsideContext(address=PublicAddress("https", HOST, port), tls=certificate.client, timeout_s=0.2)
        async with asyncio.timeout(5):
            results = await run_checks(outside_checks(context))
        ended.set()
    assert {
        result.name: result.state for result in results if result.name not in {"name", "certificate"}
    } == dict.fromkeys(("page", "websocket", "scheme", "long requests", "inner addresses"), ERROR)
    assert all("did not answer within 0.2 s" in result.message for result in results if result.state is ERROR)


async def test_what_sends_without_end_is_read_no_further_than_a_page_is_long(
    certificate: SelfSignedCertificate,
) -> None:
    sent: list[int] = []

    def flood(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while sum(sent) < 64 * 1024 * 1024:
            connection.sendall(bytes(65536))
            sent.append(65536)

    found = await checked(flood, certificate)
    assert found["page"].state is ERROR
    assert sum(sent) < 32 * 1024 * 1024


async def test_what_is_no_web_server_and_what_is_not_there_at_all_are_told_apart(
    certificate: SelfSignedCertificate,
) -> None:
    def ssh(connection: socket.socket) -> None:
        head_of(connection)  # a connection that is closed with something unread is reset, and what was sent is lost
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

    found = await checked(ssh, certificate)
    assert (found["page"].state, "no web server" in found["page"].message) == (ERROR, True)
    with edge(answering("200 OK")) as port:
        free = port
    context = OutsideContext(address=PublicAddress("https", HOST, free), tls=certificate.client)
    results = {result.name: result for result in await run_checks(outside_checks(context))}
    assert "refuses connections" in results["page"].message


async def test_a_certificate_that_browsers_refuse_or_will_soon_is_found(
    tmp_path: Path, certificate: SelfSignedCertificate
) -> None:
    other = SelfSignedCertificate(tmp_path, "other.example.org")
    ending = SelfSignedCertificate(tmp_path, "localhost", days=3)
    found = await checked(answering("200 OK"), ending)
    assert (found["certificate"].state, "valid for 3 days" in found["certificate"].message) == (WARNING, True)
    for wrong, trusted, problem in ((certificate, other, "self-signed"), (other, other, "not valid for")):
        with edge(answering("200 OK"), wrong.server) as port:
            context = OutsideContext(address=PublicAddress("https", HOST, port), tls=trusted.client)
            results = {result.name: result for result in await run_checks(outside_checks(context))}
        assert (results["certificate"].state, results["page"].state) == (ERROR, UNKNOWN)
        assert problem in results["certificate"].message


async def test_an_address_without_https_is_found(server: int) -> None:
    with edge(proxy(server)) as port:
        address = parse_address(f"http://{HOST}:{port}")
        results = {result.name: result for result in await run_checks(outside_checks(OutsideContext(address=address)))}
    assert (results["http"].state, "certificate" in results) == (ERROR, False)


def test_the_command_prints_one_document_and_fails_where_a_check_failed(
    server: int,
    certificate: SelfSignedCertificate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    monkeypatch.chdir(tmp_path)
    with edge(proxy(server, forwarded, hardened), certificate.server) as port, pytest.raises(SystemExit) as ended:
        main(["doctor", "--json", "--from-outside", f"https://{HOST}:{port}/"])
    document = json.loads(capsys.readouterr().out)
    assert (ended.value.code, document["state"]) == (0, "warning")
    assert [each["name"] for each in document["results"]][:2] == ["name", "certificate"]
    (tmp_path / "belvedere.toml").write_text("[server]\nnames = ['home.example.org']\n")
    with edge(proxy(server, forwarded), certificate.server) as port, pytest.raises(SystemExit) as ended:
        main(["doctor", "--from-outside", f"https://{HOST}:{port}/"])
    assert (ended.value.code, "does not list 127.0.0.1" in capsys.readouterr().out) == (1, True)
