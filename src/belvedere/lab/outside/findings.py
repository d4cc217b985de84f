"""What the answers of a public address mean, and what to do about each. Pure.

Belvedere is recognised by what it says to everybody: its title, and to who has no session a challenge that names the
cookie. That name begins with `__Host-` where the proxy said that the visitor came by https.
"""

from __future__ import annotations

import email.utils
import ipaddress
import json
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from belvedere.lab.doctor.check import CheckResult, CheckState
from belvedere.lab.outside.exchange import EdgeReason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from belvedere.lab.outside.exchange import Answer, EdgeError, PublicAddress

PROXY_PAGE: Final = "docs/how-to/put-a-proxy-in-front.md"
DAY_S: Final = 86400.0
EXPIRY_WARNING_DAYS: Final = 14  # certificates of 90 days are renewed 30 days before their end
CLOCK_WARNING_S, CLOCK_ERROR_S = 5.0, 60.0  # Cloudflare's tokens and TURN's credentials are valid for minutes
SLOW_S: Final = 2.0
SHARED_NETWORK: Final = ipaddress.ip_network("100.64.0.0/10")
OURS: Final = (
    "content-security-policy",
    "cross-origin-opener-policy",
    "permissions-policy",
    "referrer-policy",
    "x-content-type-options",
)
ACCESS_DOMAIN: Final = ".cloudflareaccess.com"
REDIRECTS: Final = range(300, 400)
OF_THE_TUNNEL: Final = {
    502: ("the tunnel or proxy is up, but Belvedere does not answer behind it", "systemctl status belvedere"),
    503: ("the server says that it is not available", "journalctl -u belvedere -n 50"),
    504: ("Belvedere does not answer behind the proxy in time", "journalctl -u belvedere -n 50"),
    521: ("Cloudflare is refused by the address behind it", "use a tunnel, or open the port to Cloudflare's addresses"),
    522: ("Cloudflare does not reach the address behind it", "use a tunnel, or forward the port"),
    525: ("Cloudflare and the server behind it find no common TLS", "use a tunnel, whose service is http://127.0.0.1:8080"),
    526: ("the certificate behind Cloudflare is not valid", "use a tunnel, whose service is http://127.0.0.1:8080"),
    530: ("no tunnel is connected for this name", "systemctl status cloudflared; cloudflared tunnel info NAME"),
}  # fmt: skip


def _ok(name: str, message: str) -> CheckResult:
    return CheckResult(name, CheckState.OK, message)


def _warning(name: str, message: str, fix: str) -> CheckResult:
    return CheckResult(name, CheckState.WARNING, message, fix)


def _error(name: str, message: str, fix: str) -> CheckResult:
    return CheckResult(name, CheckState.ERROR, message, fix)


def _unknown(name: str, message: str, fix: str = "") -> CheckResult:
    return CheckResult(name, CheckState.UNKNOWN, message, fix)


def failure(name: str, error: EdgeError) -> CheckResult:
    """A check for which there was no answer; the checks of the name and the certificate say what to do about theirs."""
    fixes = {
        EdgeReason.REFUSED: "start the tunnel or proxy, or forward the port in the router",
        EdgeReason.SILENT: "look at the port forward and the firewall, or whether the tunnel's server is overloaded",
        EdgeReason.BROKEN: f"let a proxy that speaks HTTP answer there: {PROXY_PAGE}",
    }
    if error.reason in {EdgeReason.NAME, EdgeReason.TLS}:
        return _unknown(name, f"not checked: {error}")
    return _error(name, str(error), fixes[error.reason])


def name_findings(address: PublicAddress, found: Sequence[str] | EdgeError, names: Sequence[str]) -> list[CheckResult]:
    """Whether the name leads to an address of the internet, and whether the settings list it."""
    results = []
    if isinstance(found, Exception):
        fix = "make a DNS record for it: a tunnel's by `cloudflared tunnel route dns NAME HOST`"
        results.append(_error("name", str(found), fix))
    else:
        local = [text for text in found if not _ip(text).is_global]
        listed = ", ".join(found)
        if not local:
            results.append(_ok("name", f"{address.host} is {listed}"))
        elif all(ipaddress.ip_address(text) in SHARED_NETWORK for text in local):
            fix = "nothing, if visitors are to come by Tailscale; else `tailscale funnel`, or another way in"
            results.append(_warning("name", f"{address.host} is {listed}: a VPN's, such as Tailscale's", fix))
        else:
            fix = "run this where a visitor would be, or have the public DNS name the router or the tunnel"
            results.append(_warning("name", f"{address.host} is {listed}: not of the internet", fix))
    if names and address.host not in names:
        fix = f'add it: [server] names = ["{address.host}"]'
        results.append(_error("settings", f"[server] names does not list {address.host}", fix))
    return results


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(text.partition("%")[0])


def certificate_finding(found: Mapping[str, object] | EdgeError, now_s: float) -> CheckResult:
    """Whether browsers accept the certificate, and for how long."""
    name = "certificate"
    if isinstance(found, Exception):
        if found.reason is not EdgeReason.TLS:
            return failure(name, found)
        return _error(name, str(found), "renew it, with this name in it, and serve the whole chain (fullchain.pem)")
    ends_s = ssl.cert_time_to_seconds(str(found.get("notAfter", "Jan  1 00:00:00 1970 GMT")))
    days = (ends_s - now_s) / DAY_S
    message = f"valid for {days:.0f} days, {found.get('protocol')}"
    if days < EXPIRY_WARNING_DAYS:
        return _warning(name, message, "see why it was not renewed: certbot renew --dry-run, or the proxy's log")
    return _ok(name, message)


def redirect_finding(address: PublicAddress, answer: Answer | EdgeError) -> CheckResult:
    """What who types the address without https gets."""
    name = "http"
    fix = "have the proxy redirect http to https: Cloudflare's Always Use HTTPS, nginx's return 301 https://$host$request_uri"
    if isinstance(answer, Exception):
        if answer.reason in {EdgeReason.REFUSED, EdgeReason.SILENT}:
            return _warning(name, f"no redirect to https: {answer}", fix)
        return failure(name, answer)
    if answer.status in REDIRECTS and _target(answer) == f"https://{address.host}":
        return _ok(name, f"redirects to https ({answer.status})")
    if answer.status in REDIRECTS:
        return _warning(name, f"redirects to {_target(answer)}", fix)
    return _error(name, f"answers without https (status {answer.status}): who listens on the way sees everything", fix)


def page_findings(address: PublicAddress, answer: Answer | EdgeError, *, has_access: bool | None) -> list[CheckResult]:
    """What the page's address answers, the clock, and the headers that protect the page."""
    if isinstance(answer, Exception):
        return [failure("page", answer)]
    results = [_page(address, answer, has_access=has_access), *_clock(answer)]
    if answer.status == HTTPStatus.OK and _is_ours(answer):
        results += [_headers(answer), *_changes(answer)]
    return results


def _page(address: PublicAddress, answer: Answer, *, has_access: bool | None) -> CheckResult:
    name, took = "page", f"{answer.took_s * 1000:.0f} ms"
    if (team := access_team(answer)) is not None:
        message = f"Cloudflare Access asks to log in first ({team}, {took})"
        if has_access is False:
            fix = (
                "let Belvedere check the login too, for who comes by another way: docs/how-to/use-cloudflare-access.md"
            )
            return _warning(name, f"{message}, but the settings have no [access.cloudflare]", fix)
        return _ok(name, message)
    if answer.status != HTTPStatus.OK or not _is_ours(answer):
        return _error(name, *_why_no_page(address, answer))
    if has_access:
        fix = "make an Access application for this name in the Zero Trust dashboard"
        return _error(name, "the page is served, and Cloudflare Access does not ask to log in", fix)
    if answer.took_s > SLOW_S:
        return _warning(name, f"Belvedere's page, after {took}", "look at the load: top; and at the home's upload")
    return _ok(name, f"Belvedere's page, after {took}; it asks for an invitation or a passkey")


def _why_no_page(address: PublicAddress, answer: Answer) -> tuple[str, str]:
    """What an answer means that is not Belvedere's page, and what to do."""
    if answer.status in OF_THE_TUNNEL:
        problem, fix = OF_THE_TUNNEL[answer.status]
        return f"status {answer.status}: {problem}", fix
    if answer.status == HTTPStatus.MISDIRECTED_REQUEST:
        return "Belvedere does not know the name that the proxy passes on", _host_fix(address)
    if answer.status in REDIRECTS:
        return f"redirects to {_target(answer)}, which is not known here", "see who sends that"
    if answer.status == HTTPStatus.NOT_FOUND:
        fix = "name this host in the tunnel's ingress rules (deploy/cloudflared/config.yml), or in the proxy's"
        return "status 404, and not from Belvedere: no rule of the tunnel or proxy has this name", fix
    return f"status {answer.status}, but not Belvedere's page", f"lead the proxy to Belvedere: {PROXY_PAGE}"


def access_team(answer: Answer) -> str | None:
    """Whose Cloudflare Access redirects to its login; None if none does."""
    target = _target(answer)
    is_login = answer.status in REDIRECTS and target.startswith("https://") and target.endswith(ACCESS_DOMAIN)
    return target.removeprefix("https://").removesuffix(ACCESS_DOMAIN) if is_login else None


def _is_ours(answer: Answer) -> bool:
    return b"<title>Belvedere" in answer.body or _cookie_name(answer) is not None


def _clock(answer: Answer) -> list[CheckResult]:
    """Compare this computer's clock with the edge's, which says whole seconds."""
    try:
        edge = email.utils.parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return [_unknown("clock", "the answer has no date")]
    ahead_s = answer.began_s + answer.took_s / 2 - edge - 0.5
    message = f"this computer's is {abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} the edge's"
    fix = "sudo timedatectl set-ntp true"
    if abs(ahead_s) <= CLOCK_WARNING_S + answer.took_s / 2:
        return [_ok("clock", "as the edge's, to within seconds")]
    return [(_error if abs(ahead_s) > CLOCK_ERROR_S else _warning)("clock", message, fix)]


def _headers(answer: Answer) -> CheckResult:
    missing = [header for header in OURS if header not in answer.headers]
    if missing:
        return _error("headers", f"something on the way removes {', '.join(missing)}", f"pass them on: {PROXY_PAGE}")
    if "strict-transport-security" not in answer.headers:
        fix = "have the proxy add strict-transport-security: max-age=31536000 (Cloudflare: Edge Certificates, HSTS)"
        return _warning("headers", "complete, but browsers are not told to use https only", fix)
    return _ok("headers", "complete")


def _changes(answer: Answer) -> list[CheckResult]:
    """Scripts that an edge puts into the page, which the page's policy forbids."""
    if b"/cdn-cgi/" not in answer.body:
        return []
    fix = "turn Rocket Loader, Email Obfuscation and Web Analytics off for this name"
    return [_warning("page as sent", "Cloudflare puts scripts of its own into the page, which its policy blocks", fix)]


def socket_findings(address: PublicAddress, answer: Answer | EdgeError, accept: str) -> list[CheckResult]:
    """Whether a WebSocket gets through, and `Host` and `Origin` with it; `accept` is what its key demands."""
    name = "websocket"
    if isinstance(answer, Exception):
        return [failure(name, answer)]
    if answer.status != HTTPStatus.SWITCHING_PROTOCOLS:
        return [_refused_upgrade(address, answer)]
    if answer.headers.get("sec-websocket-accept") != accept:
        return [_error(name, "what accepts the upgrade is no WebSocket server", f"lead it to Belvedere: {PROXY_PAGE}")]
    took = f"{answer.took_s * 1000:.0f} ms"
    return [_ok(name, f"gets through, after {took}"), _ok("host", "passed on, as is the origin")]


def _refused_upgrade(address: PublicAddress, answer: Answer) -> CheckResult:
    """Who refused a WebSocket, and why; of a Belvedere that gets the upgrade, only another host is a reason."""
    code = problem_code(answer)
    if access_team(answer) is not None:
        message = "not checked: Cloudflare Access answers before Belvedere does"
        return _unknown("websocket", message, "log in with a browser, and look whether the picture comes")
    if code == "unknown_host":
        problem = "the proxy passes on another Host, or one that the settings do not list"
        return _error("host", problem, _host_fix(address))
    if code == "foreign_origin":
        problem = "the proxy passes on another Host than the browser's, so Belvedere refuses its own page"
        return _error("host", problem, _host_fix(address))
    if code == "no_session" or _cookie_name(answer) is not None:
        problem = "the proxy strips the upgrade: no commands get through, and no picture but by WebRTC"
        fix = f"pass on Upgrade and Connection by HTTP/1.1 (Cloudflare: Network, WebSockets): {PROXY_PAGE}"
        return _error("websocket", problem, fix)
    return _error("websocket", f"refused on the way, with status {answer.status}", f"let them through: {PROXY_PAGE}")


def _host_fix(address: PublicAddress) -> str:
    return f'pass on the browser\'s Host (no httpHostHeader), and list it: [server] names = ["{address.host}"]'


def scheme_finding(answer: Answer | EdgeError) -> CheckResult:
    """Whether Belvedere knows that the visitor came by https: only then is its cookie marked `Secure`."""
    name = "scheme"
    if isinstance(answer, Exception):
        return failure(name, answer)
    cookie = _cookie_name(answer)
    if cookie is None:
        return _unknown(name, f"not checked: Belvedere itself does not answer (status {answer.status})")
    if cookie.startswith("__Host-"):
        return _ok(name, "Belvedere knows that visitors come by https")
    fix = "have the proxy send X-Forwarded-Proto, and list its address: [server] trusted_proxies"
    return _error(name, "Belvedere takes visitors for ones without https, so their cookies are not safe", fix)


def body_finding(answer: Answer | EdgeError) -> CheckResult:
    """Whether a request that is far too long is refused."""
    name = "long requests"
    if isinstance(answer, Exception):
        if answer.reason is EdgeReason.BROKEN:
            return _ok(name, "refused: the connection is closed")
        return failure(name, answer)
    if access_team(answer) is not None:
        return _ok(name, "refused by Cloudflare Access, before they come to Belvedere")
    if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return _ok(name, "refused (413)")
    return _warning(name, f"not refused as too long, but with status {answer.status}", f"bound them: {PROXY_PAGE}")


def path_findings(answers: Mapping[str, Answer | EdgeError]) -> list[CheckResult]:
    """Whether addresses answer that are for the house alone."""
    name = "inner addresses"
    failures = [answer for answer in answers.values() if isinstance(answer, Exception)]
    leaks = [path for path, answer in answers.items() if not isinstance(answer, Exception) and _leaks(answer)]
    if leaks:
        fix = "refuse these paths at the proxy or tunnel, and do not route monitoring through it"
        return [_error(name, f"strangers can read {', '.join(leaks)}", fix)]
    if failures:
        return [failure(name, failures[0])]
    return [_ok(name, f"none of {len(answers)} answers to strangers")]


def _leaks(answer: Answer) -> bool:
    """Whether there is content, other than our page or a login's."""
    is_page = answer.body.lstrip()[:9].lower() == b"<!doctype" and b"<title>Belvedere" in answer.body
    return answer.status == HTTPStatus.OK and not is_page and bool(answer.body.strip())


def problem_code(answer: Answer) -> str | None:
    """The code in a problem of ours."""
    try:
        problem = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    code = problem.get("code") if isinstance(problem, dict) else None
    return code if isinstance(code, str) else None


def _cookie_name(answer: Answer) -> str | None:
    """The name of the session's cookie, in the challenge to who has no session."""
    _, mark, rest = answer.headers.get("www-authenticate", "").partition('cookie-name="')
    return rest.partition('"')[0] if mark else None


def _target(answer: Answer) -> str:
    """The site that an answer redirects to, without whatever else is in that address; fit for a terminal."""
    try:
        parts = urlsplit(answer.headers.get("location", ""))
        text = f"{parts.scheme}://{parts.hostname}"
    except ValueError:
        return "no address"
    return text if parts.hostname and text.isascii() and text.isprintable() else "no address"
