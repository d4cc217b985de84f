"""The checks of a public address, put together."""

from __future__ import annotations

import base64
import functools
import hashlib
import secrets
import ssl
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeVar

from belvedere.lab.doctor.check import Check, in_worker_thread
from belvedere.lab.outside import findings
from belvedere.lab.outside.exchange import PORTS, TIMEOUT_S, EdgeError, EdgeReason, Exchanger, PublicAddress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from belvedere.lab.doctor.check import CheckResult
    from belvedere.lab.outside.exchange import Answer

T = TypeVar("T")

HTTPS_PORT: Final = PORTS["https"]
HTTP_PORT: Final = PORTS["http"]
CONTROL_PATH: Final = "/api/v1/control"
BODY_PATH: Final = "/api/v1/login/invitation/peek"
SUBPROTOCOL: Final = "belvedere.v1"
LONG_BODY: Final = b"x" * (96 * 1024)  # proxies are to refuse above 24 kB, and at most above 64
INNER_PATHS: Final = ("/metrics", "/debug/pprof/", "/server-status", "/.env", "/.git/config", "/api/v1/people")
WEBSOCKET_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
CHECK_TIMEOUT_S: Final = 20.0  # three times what one request may take


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideContext:
    """What the checks need to know.

    Attributes:
        address: the public address.
        names: the names that the settings list; empty if they are not known.
        has_access: whether the settings demand Cloudflare Access; None if they are not known.
        tls: verifies the certificate.
        http_port: where a browser tries without https; None if the address names a port, because then it does not.
        timeout_s: how long one request may take between two packets.
        utc: the time of this computer, in seconds since 1970.
    """

    address: PublicAddress
    names: Sequence[str] = ()
    has_access: bool | None = None
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    http_port: int | None = None
    timeout_s: float = TIMEOUT_S
    utc: Callable[[], float] = time.time


def outside_checks(context: OutsideContext) -> list[Check]:
    """All checks, for `check.run_checks`; each takes CHECK_TIMEOUT_S at most."""
    exchanger = _exchanger(context, context.address)
    plans: list[tuple[str, Callable[[], Sequence[CheckResult]]]] = [
        ("name", lambda: findings.name_findings(context.address, _tried(exchanger.addresses), context.names)),
        ("page", lambda: _page(exchanger, context)),
        ("websocket", lambda: _socket(exchanger)),
        ("scheme", lambda: [findings.scheme_finding(_tried(lambda: exchanger.request(CONTROL_PATH)))]),
        ("long requests", lambda: [findings.body_finding(_tried(lambda: _long_request(exchanger)))]),
        ("inner addresses", lambda: findings.path_findings(_inner(exchanger))),
    ]
    if context.address.scheme == "https":
        plans.insert(1, ("certificate", lambda: [_certificate(exchanger, context)]))
    if context.http_port is not None or context.address.scheme == "http":
        plans.insert(1, ("http", lambda: [_redirect(context)]))
    return [Check(name, in_worker_thread(run), CHECK_TIMEOUT_S) for name, run in plans]


def _exchanger(context: OutsideContext, address: PublicAddress) -> Exchanger:
    return Exchanger(address, context.tls, timeout_s=context.timeout_s, clock=context.utc)


def _tried(call: Callable[[], T]) -> T | EdgeError:
    try:
        return call()
    except EdgeError as error:
        return error


def _certificate(exchanger: Exchanger, context: OutsideContext) -> CheckResult:
    return findings.certificate_finding(_tried(exchanger.certificate), context.utc())


def _redirect(context: OutsideContext) -> CheckResult:
    port = context.http_port or context.address.port
    plain = _exchanger(context, replace(context.address, scheme="http", port=port))
    return findings.redirect_finding(context.address, _tried(lambda: plain.request("/")))


def _page(exchanger: Exchanger, context: OutsideContext) -> Sequence[CheckResult]:
    answer = _tried(lambda: exchanger.request("/"))
    return findings.page_findings(context.address, answer, has_access=context.has_access)


def _socket(exchanger: Exchanger) -> Sequence[CheckResult]:
    """Open a WebSocket as a page of this address would; who has no session is told so, and it is closed."""
    key = base64.b64encode(secrets.token_bytes(16))
    accept = base64.b64encode(hashlib.sha1(key + WEBSOCKET_GUID, usedforsecurity=False).digest()).decode()
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": key.decode(),
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": SUBPROTOCOL,
        "Origin": exchanger.address.origin,
    }
    answer = _tried(lambda: exchanger.request(CONTROL_PATH, headers=headers))
    return findings.socket_findings(exchanger.address, answer, accept)


def _long_request(exchanger: Exchanger) -> Answer:
    return exchanger.request(BODY_PATH, "POST", {"Content-Type": "application/json"}, LONG_BODY)


def _inner(exchanger: Exchanger) -> Mapping[str, Answer | EdgeError]:
    """What each inner path answers; the rest is not tried once one is silent."""
    answers: dict[str, Answer | EdgeError] = {}
    for path in INNER_PATHS:
        answers[path] = answer = _tried(functools.partial(exchanger.request, path))
        if isinstance(answer, EdgeError) and answer.reason is EdgeReason.SILENT:
            break
    return answers
