"""What single answers mean; whole houses are in `test_checks.py`."""

from __future__ import annotations

import pytest

from belvedere.lab.doctor.check import CheckState
from belvedere.lab.outside.exchange import Answer, EdgeError, EdgeReason, PublicAddress
from belvedere.lab.outside.findings import (
    access_team,
    body_finding,
    certificate_finding,
    failure,
    name_findings,
    page_findings,
    path_findings,
    problem_code,
    redirect_finding,
    scheme_finding,
    socket_findings,
)

HOME = PublicAddress("https", "home.example.org", 443)
OK, WARNING, ERROR, UNKNOWN = CheckState.OK, CheckState.WARNING, CheckState.ERROR, CheckState.UNKNOWN
SILENT = EdgeError(EdgeReason.SILENT, "home.example.org, port 443 did not answer within 6 s")


@pytest.mark.parametrize(
    ("addresses", "state", "words"),
    [
        (["104.16.0.1", "2606:4700::1"], OK, "104.16.0.1, 2606:4700::1"),
        (["192.168.1.20"], WARNING, "not of the internet"),
        (["fe80::1%eth0", "104.16.0.1"], WARNING, "not of the internet"),
        (["100.100.1.2"], WARNING, "a VPN's"),
    ],
)
def test_a_name_leads_to_the_internet_or_not(addresses: list[str], state: CheckState, words: str) -> None:
    (result,) = name_findings(HOME, addresses, ())
    assert (result.state, words in result.message) == (state, True)


def test_a_name_that_leads_nowhere_and_that_the_settings_do_not_list_is_two_errors() -> None:
    results = name_findings(HOME, EdgeError(EdgeReason.NAME, "home.example.org has no address"), ["other.example.org"])
    assert [(result.name, result.state) for result in results] == [("name", ERROR), ("settings", ERROR)]


def test_how_long_a_certificate_is_valid_is_said() -> None:
    found = {"notAfter": "Jan 31 00:00:00 2030 GMT", "protocol": "TLSv1.3"}
    january = 1893456000.0
    assert certificate_finding(found, january).message == "valid for 30 days, TLSv1.3"
    assert certificate_finding(found, january + 17 * 86400).state is WARNING
    assert certificate_finding(SILENT, january).state is ERROR


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Answer(301, {"location": "https://home.example.org/"}), OK),
        (Answer(302, {"location": "https://other.example.org/"}), WARNING),
        (Answer(308, {"location": "http://home.example.org/"}), WARNING),
        (Answer(200), ERROR),
        (SILENT, WARNING),
        (EdgeError(EdgeReason.BROKEN, "no web server"), ERROR),
    ],
)
def test_who_leaves_https_out_is_sent_to_it(answer: Answer | EdgeError, state: CheckState) -> None:
    assert redirect_finding(HOME, answer).state is state


@pytest.mark.parametrize(
    "location", ["https://cloudflareaccess.com/", "https://evilcloudflareaccess.com/", "/login", "https://[", ""]
)
def test_only_cloudflares_own_names_are_taken_for_its_login(location: str) -> None:
    assert access_team(Answer(302, {"location": location})) is None
    assert access_team(Answer(200, {"location": "https://a.cloudflareaccess.com/"})) is None


def test_what_a_redirect_says_reaches_no_terminal_unseen() -> None:
    (page, *_) = page_findings(HOME, Answer(302, {"location": "https://a\x1b[2J.example/"}), has_access=None)
    assert page.message.isprintable()


@pytest.mark.parametrize(
    ("date", "state"),
    [
        ("Thu, 01 Jan 1970 00:16:40 GMT", OK),
        ("Thu, 01 Jan 1970 00:16:10 GMT", WARNING),
        ("Thu, 01 Jan 1970 00:36:40 GMT", ERROR),
        ("yesterday", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_clocks_are_compared(date: str, state: CheckState) -> None:
    results = page_findings(HOME, Answer(530, {"date": date}, began_s=1000.0, took_s=0.2), has_access=None)
    assert results[-1].state is state


def test_scripts_that_an_edge_puts_into_the_page_are_found_and_slowness_too() -> None:
    body = b"<!doctype html><title>Belvedere</title><script src='/cdn-cgi/x.js'></script>"
    results = {each.name: each for each in page_findings(HOME, Answer(200, {}, body, took_s=3), has_access=None)}
    assert (results["page as sent"].state, results["page"].state) == (WARNING, WARNING)


def test_an_upgrade_that_another_server_accepts_is_an_error() -> None:
    (result,) = socket_findings(HOME, Answer(101, {"sec-websocket-accept": "x"}), "y")
    assert result.state is ERROR
    (result,) = socket_findings(HOME, Answer(403, {}, b"<html>blocked"), "y")
    assert "refused on the way, with status 403" in result.message


def test_long_requests_are_refused_in_several_ways() -> None:
    answers: list[tuple[Answer | EdgeError, CheckState]] = [
        (Answer(413), OK),
        (Answer(302, {"location": "https://a.cloudflareaccess.com/x"}), OK),
        (EdgeError(EdgeReason.BROKEN, "reset"), OK),
        (Answer(400), WARNING),
        (SILENT, ERROR),
    ]
    assert [body_finding(answer).state for answer, _ in answers] == [state for _, state in answers]


def test_content_for_the_house_alone_is_found_and_pages_and_refusals_are_none() -> None:
    page = Answer(200, {}, b"<!doctype html><title>Belvedere</title>")
    assert path_findings({"/metrics": Answer(404, {}, b"x"), "/a": page, "/b": Answer(200, {}, b" ")})[0].state is OK
    (result,) = path_findings({"/metrics": Answer(200, {}, b"# HELP"), "/a": SILENT})
    assert (result.state, "/metrics" in result.message) == (ERROR, True)
    assert path_findings({"/metrics": SILENT})[0].state is ERROR


def test_without_an_answer_only_what_is_not_said_elsewhere_is_an_error() -> None:
    assert failure("page", EdgeError(EdgeReason.TLS, "the certificate")).state is UNKNOWN
    assert failure("page", EdgeError(EdgeReason.REFUSED, "refuses")).fix
    for judge in (scheme_finding, body_finding):
        assert judge(EdgeError(EdgeReason.NAME, "no address")).state is UNKNOWN


@pytest.mark.parametrize("body", [b"", b"[]", b'{"code": 1}', b"\xff", b"[" * 100_000])
def test_what_is_no_problem_of_ours_has_no_code(body: bytes) -> None:
    assert problem_code(Answer(400, {}, body)) is None
